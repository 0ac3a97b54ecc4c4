/**
 * "Same" padding of an axis of any length: with a stride, how much is padded depends on the length. The
 * padding is computed at run time and done before the operation. (ONNX has `auto_pad` for this, but
 * onnxruntime-web on WebGPU computes it wrongly with a stride.)
 */
import type { OnnxDim, OnnxNode } from "../onnx_graph.ts";
import type { OpenGraph } from "./open_graph.ts";
import { isFixed, type Length } from "./sizes.ts";

/** The padding of one axis: numbers, or names of int64 vectors of one number. */
interface AxisPadding {
  before: number | string;
  after: number | string;
}

/**
 * Writes a convolution or a pooling with its padding as operations of their own.
 * @param dims the lengths of its input's dimensions, `[N, C, ...]`
 */
export function padAtRunTime(graph: OpenGraph, node: OnnxNode, dims: readonly Length[]): void {
  const { auto_pad: _, ...attributes } = node.attributes!;
  const kernel = attributes.kernel_shape as number[];
  const strides = attributes.strides as number[];
  const dilations = attributes.dilations as number[] | undefined ?? kernel.map(() => 1);
  const paddings = kernel.map((size, axis) =>
    paddingOf(graph, node, dims[axis + 2], {
      extent: (size - 1) * dilations[axis] + 1,
      stride: strides[axis],
    })
  );
  const none = [0, 0];
  const pads = padsVector(graph, node, [
    ...none,
    ...paddings.map(({ before }) => before),
    ...none,
    ...paddings.map(({ after }) => after),
  ]);
  const unpadded = { ...attributes, pads: kernel.flatMap(() => [0, 0]) };
  const padded = (name: string, value: number, sides: OnnxDim[]) =>
    graph.add(node, {
      op: "Pad",
      inputs: [name, pads, graph.float(value)],
      dtype: "float32",
      dims: sides,
    });
  const open: OnnxDim[] = kernel.map(() => null);
  const [x, ...others] = node.inputs;
  const stated = dims.slice(0, 2).map((length) => isFixed(length) ? length[0] : null);
  const lowest = node.op === "MaxPool" ? -Infinity : 0;
  const inputs = [padded(x, lowest, [...stated, ...open]), ...others];
  if (node.op !== "AveragePool") {
    graph.nodes.push({ ...node, inputs, attributes: unpadded });
    return;
  }
  // A mean over what is not padding: divided by how much of each window that is.
  const sums = graph.add(node, {
    op: "AveragePool",
    inputs,
    attributes: unpadded,
    dtype: "float32",
    dims: [...stated, ...open],
  });
  const shape = graph.vector(node, [[1], [1], ...dims.slice(2)], [
    1,
    1,
    ...dims.slice(2).map((length) => isFixed(length) ? length[0] : null),
  ]) as string;
  const ones = graph.add(node, {
    op: "Expand",
    inputs: [graph.float(1), shape],
    dtype: "float32",
    dims: [1, 1, ...open],
  });
  const shares = graph.add(node, {
    op: "AveragePool",
    inputs: [padded(ones, 0, [1, 1, ...open])],
    attributes: unpadded,
    dtype: "float32",
    dims: [1, 1, ...open],
  });
  graph.nodes.push({ op: "Div", inputs: [sums, shares], outputs: node.outputs, name: node.name });
}

/** `max((ceil(length / stride) - 1) * stride + extent - length, 0)`, the smaller half of it in front. */
function paddingOf(
  graph: OpenGraph,
  node: OnnxNode,
  length: Length,
  { extent, stride }: { extent: number; stride: number },
): AxisPadding {
  if (isFixed(length) || stride === 1) {
    const count = Math.ceil(length[0] / stride);
    const total = Math.max((count - 1) * stride + extent - length[0], 0);
    return { before: Math.floor(total / 2), after: total - Math.floor(total / 2) };
  }
  const calculate = (op: string, a: string, b: string | number) => graph.arithmetic(node, op, a, b);
  const size = graph.length(node, length)!; // read from the input itself
  const last = calculate("Div", calculate("Add", size, -1), stride);
  const reach = calculate("Add", calculate("Mul", last, stride), extent);
  const missing = calculate("Sub", reach, size);
  const total = calculate("Max", missing, 0);
  const before = calculate("Div", total, 2);
  return { before, after: calculate("Sub", total, before) };
}

function padsVector(graph: OpenGraph, node: OnnxNode, parts: readonly (number | string)[]): string {
  const names: string[] = [];
  let fixed: number[] = [];
  for (const part of [...parts, ""]) {
    if (typeof part === "number") {
      fixed.push(part);
      continue;
    }
    if (fixed.length > 0) names.push(graph.integers(fixed));
    fixed = [];
    if (part !== "") names.push(part);
  }
  return graph.concatenated(node, names, parts.length);
}
