/** Makes a bias that is added behind a convolution a part of it: one pass over the image less. */
import {
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
} from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** The kernels that take a bias, and their names when they have one. */
const WITH_BIAS: Record<string, string> = {
  Conv2D: "FusedConv2D",
  Conv2DBackpropInput: "Conv2DBackpropInput",
  DepthwiseConv2dNative: "FusedDepthwiseConv2D",
};

/** Runs the pass. */
export function fuseBiases(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const found = node.kernel === "Add" ? findBias(rewriter, node) : null;
    if (found === null) continue;
    const { convolution, bias } = found;
    const [{ shape }] = node.outputs;
    const fused = rewriter.add({
      kernel: WITH_BIAS[convolution.kernel],
      inputs: { ...convolution.inputs, bias },
      attributes: { ...convolution.attributes, activation: "linear" },
      shape,
      scope: convolution.scope,
    });
    rewriter.replace(node.outputs[0], fused);
  }
  return rewriter.finish();
}

function findBias(
  rewriter: GraphRewriter,
  node: KernelNode,
): { convolution: KernelNode; bias: KernelValue } | null {
  const { a, b } = node.inputs;
  for (const [x, bias] of [[a, b], [b, a]]) {
    const convolution = producerOf(x);
    const isPlain = convolution !== undefined && convolution.kernel in WITH_BIAS &&
      convolution.inputs.bias === undefined && rewriter.useCount(x) === 1;
    if (isPlain && bias.shape.length === 1 && bias.shape[0] === x.shape[3]) {
      return { convolution, bias };
    }
  }
  return null;
}
