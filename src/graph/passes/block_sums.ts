/**
 * Recognizes sums over blocks of pixels that are written as reshapes and sums (the gradient of a
 * nearest-neighbor resize, see src/tensor/fixes/images.ts) and makes them one kernel again, which
 * needs no reordering of memory.
 */
import { resolveAxes } from "../trace/shape_rule.ts";
import {
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Runs the pass. */
export function recognizeBlockSums(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const dy = findBlockSum(node);
    if (dy === null) continue;
    const [{ shape }] = node.outputs;
    const summed = rewriter.add({
      kernel: "ResizeNearestNeighborGrad",
      inputs: { dy }, // TensorFlow.js' `images` only gives the shape
      attributes: { alignCorners: false, halfPixelCenters: false },
      shape,
      scope: node.scope,
    });
    rewriter.replace(node.outputs[0], summed);
  }
  return rewriter.finish();
}

/** `[n, h f, w g, c] -> [n h, f, w g c] -> sum -> [n h w, g, c] -> sum -> [n, h, w, c]` */
function findBlockSum(last: KernelNode): KernelValue | null {
  const columns = sumOverMiddle(reshapedFrom(last));
  const rows = sumOverMiddle(columns && reshapedFrom(producerOf(columns)));
  const dy = rows && reshapedFrom(producerOf(rows));
  const [{ shape }] = last.outputs;
  if (!dy || dy.shape.length !== 4 || shape.length !== 4) return null;
  const [n, height, width, c] = dy.shape;
  const [, h, w] = shape;
  const fits = sameNumbers(shape, [n, h, w, c]) &&
    sameNumbers(rows.shape, [n * h, height / h, width * c]) &&
    sameNumbers(columns!.shape, [n * h * w, width / w, c]);
  return fits ? dy : null;
}

function reshapedFrom(node: KernelNode | undefined): KernelValue | undefined {
  return node?.kernel === "Reshape" ? node.inputs.x : undefined;
}

/** What is summed over its middle axis to give a value. */
function sumOverMiddle(value: KernelValue | undefined): KernelValue | undefined {
  const node = value && producerOf(value);
  if (node?.kernel !== "Sum" || node.inputs.x.shape.length !== 3) return undefined;
  const axes = resolveAxes(node.attributes.axis, node.inputs.x.shape);
  return sameNumbers(axes, [1]) && value!.shape.length === 2 ? node.inputs.x : undefined;
}
