/**
 * Recognizes a grouped convolution, which TensorFlow.js can only write as a split, one convolution for
 * each group, and a concatenation.
 */
import { numberAttribute } from "../trace/attributes.ts";
import {
  constantData,
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Runs the pass. */
export function recognizeGroupedConvolutions(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const groups = findGroups(node);
    if (groups === null) continue;
    const { scope, outputs: [value] } = node;
    const [first] = groups.convolutions;
    const grouped = rewriter.add({
      kernel: "Conv2D",
      inputs: { x: groups.x, filter: joinFilters(rewriter, groups.convolutions, scope) },
      attributes: { ...first.attributes, groups: groups.convolutions.length },
      shape: value.shape,
      scope,
    });
    rewriter.replace(value, grouped);
  }
  return rewriter.finish();
}

/** The convolutions of a concatenation, where they are the groups of one input. */
function findGroups(node: KernelNode): { x: KernelValue; convolutions: KernelNode[] } | null {
  const { kernel, attributes, inputs, outputs: [{ shape }] } = node;
  const parts = Object.values(inputs);
  if (kernel !== "Concat" || shape.length !== 4 || parts.length < 2) return null;
  if (![3, -1].includes(numberAttribute(attributes, "axis"))) return null;
  const convolutions = parts.map(producerOf).filter((part) => part?.kernel === "Conv2D");
  if (convolutions.length !== parts.length) return null;
  const split = producerOf(convolutions[0]!.inputs.x);
  if (split?.kernel !== "SplitV" || split.outputs.length !== parts.length) return null;
  if (![3, -1].includes(numberAttribute(split.attributes, "axis", 0))) return null;
  const [{ inputs: { filter }, attributes: wanted }] = convolutions as KernelNode[];
  const isGroup = (convolution: KernelNode | undefined, index: number) =>
    convolution!.inputs.x === split.outputs[index] &&
    constantData(convolution!.inputs.filter) !== undefined &&
    sameNumbers(convolution!.inputs.filter.shape, filter.shape) &&
    JSON.stringify(convolution!.attributes) === JSON.stringify(wanted) &&
    sameNumbers(split.outputs[index].shape, split.outputs[0].shape);
  if (!convolutions.every(isGroup)) return null;
  return { x: split.inputs.x, convolutions: convolutions as KernelNode[] };
}

/** Filters `[h, w, inputs / groups, outputs / groups]` beside each other along the last axis. */
function joinFilters(
  rewriter: GraphRewriter,
  convolutions: KernelNode[],
  scope: string,
): KernelValue {
  const { shape } = convolutions[0].inputs.filter;
  const [height, width, inputs, outputs] = shape;
  const rows = height * width * inputs;
  const total = outputs * convolutions.length;
  const joined = new Float32Array(rows * total);
  for (const [group, { inputs: { filter } }] of convolutions.entries()) {
    const data = constantData(filter) as Float32Array;
    for (let row = 0; row < rows; row++) {
      joined.set(data.subarray(row * outputs, (row + 1) * outputs), row * total + group * outputs);
    }
  }
  return rewriter.constant(joined, [height, width, inputs, total], `${scope}/kernel`);
}
