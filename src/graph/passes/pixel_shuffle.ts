/**
 * Recognizes a pixel shuffle that is written as reshape, transpose, reshape, and makes it the one
 * operation that ONNX has for it.
 */
import { numbersAttribute } from "../trace/attributes.ts";
import {
  type KernelGraph,
  type KernelNode,
  producerOf,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Runs the pass. */
export function recognizePixelShuffle(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const found = findPixelShuffle(node);
    if (found === null) continue;
    const [{ shape }] = node.outputs;
    const shuffled = rewriter.add({
      kernel: "DepthToSpace",
      inputs: { x: found.x },
      attributes: { blockSize: found.factor, dataFormat: "NHWC", mode: "CRD" },
      shape,
      scope: node.scope,
    });
    rewriter.replace(node.outputs[0], shuffled);
  }
  return rewriter.finish();
}

/**
 * `[n, h, w, d f f] -> [n h, w, d, f, f] -> [n h, f, w, f, d] -> [n, h f, w f, d]`, where the channel
 * `d f f` counts the block's rows and columns last: ONNX' mode "CRD".
 */
function findPixelShuffle(
  last: KernelNode,
): { x: KernelNode["inputs"][string]; factor: number } | null {
  if (last.kernel !== "Reshape") return null;
  const middle = producerOf(last.inputs.x);
  if (middle?.kernel !== "Transpose") return null;
  const first = producerOf(middle.inputs.x);
  if (first?.kernel !== "Reshape") return null;
  const { x } = first.inputs;
  const [blocks, image] = [middle.inputs.x.shape, last.outputs[0].shape];
  if (x.shape.length !== 4 || blocks.length !== 5 || image.length !== 4) return null;
  if (!sameNumbers(numbersAttribute(middle.attributes, "perm"), [0, 3, 1, 4, 2])) return null;
  const [batch, height, width, channels] = x.shape;
  const [, , depth, factor] = blocks;
  const isShuffle = channels === depth * factor * factor &&
    sameNumbers(blocks, [batch * height, width, depth, factor, factor]) &&
    sameNumbers(image, [batch, height * factor, width * factor, depth]);
  return isShuffle ? { x, factor } : null;
}
