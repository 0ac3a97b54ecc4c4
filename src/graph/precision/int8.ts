/**
 * 8-bit weights: each output channel of a weight becomes whole numbers from -127 to 127 and one scale,
 * and DequantizeLinear turns them back at run time. Everything is computed in float32, so the file is a
 * quarter as large and no runtime needs 8-bit arithmetic.
 */
import { elementCount } from "../../bytes.ts";
import { UserError } from "../../errors.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValueInfo } from "../onnx_graph.ts";

/** Weights of fewer elements are left as they are: their scales would weigh as much. */
const MIN_ELEMENTS = 256;

const LARGEST = 127;

/**
 * Rewrites a graph for 8-bit weights.
 * @throws {UserError} when a weight holds a number that is not finite
 */
export function toByteWeights(graph: OnnxGraph): OnnxGraph {
  const weights = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const axes = new Map<string, number>();
  for (const node of graph.nodes) {
    const tensor = weights.get(node.inputs[1]);
    const axis = outputAxis(node, tensor);
    if (tensor !== undefined && axis !== null) axes.set(tensor.name, axis);
  }
  // A weight that something else reads too would have to be there twice.
  for (const node of graph.nodes) {
    node.inputs.forEach((name, position) => {
      if (position !== 1 || outputAxis(node, weights.get(name)) !== axes.get(name)) {
        axes.delete(name);
      }
    });
  }
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const values: OnnxValueInfo[] = [];
  for (const tensor of graph.initializers) {
    const axis = axes.get(tensor.name);
    if (axis === undefined) {
      initializers.push(tensor);
      continue;
    }
    const { name, dims } = tensor;
    const parts = quantize(tensor, axis);
    initializers.push(...parts);
    nodes.push({
      op: "DequantizeLinear",
      inputs: parts.map((part) => part.name),
      outputs: [name],
      attributes: { axis },
      name: `${name}/DequantizeLinear`,
    });
    values.push({ name, dtype: "float32", dims });
  }
  return {
    ...graph,
    nodes: [...nodes, ...graph.nodes],
    initializers,
    values: [...values, ...graph.values ?? []],
  };
}

/** Along which axis a weight's output channels lie, or null where it is not one to quantize. */
function outputAxis({ op, attributes }: OnnxNode, tensor: OnnxTensor | undefined): number | null {
  if (tensor?.dtype !== "float32") return null;
  const { dims } = tensor;
  if (elementCount(dims) < MIN_ELEMENTS) return null;
  switch (op) {
    case "Conv":
      return 0;
    case "ConvTranspose":
      return attributes?.group === undefined ? 1 : 0;
    case "Gemm":
      return attributes?.transB === 1 ? 0 : 1;
    case "MatMul":
      return dims.length === 2 ? 1 : null;
  }
  return null;
}

/** The whole numbers, one scale a channel, one zero a channel. */
function quantize({ name, dims, data }: OnnxTensor, axis: number): OnnxTensor[] {
  const values = data as Float32Array;
  const worst = values.find((value) => !Number.isFinite(value));
  if (worst !== undefined) {
    throw new UserError(`Cannot export weight ${name} as int8: it holds ${worst}; export as fp32`);
  }
  const channels = dims[axis];
  const inner = dims.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  const channelOf = (index: number) => Math.floor(index / inner) % channels;
  const scales = new Float32Array(channels);
  values.forEach((value, index) => {
    const c = channelOf(index);
    scales[c] = Math.max(scales[c], Math.abs(value));
  });
  scales.forEach((largest, c) => scales[c] = largest > 0 ? largest / LARGEST : 1);
  const whole = new Int8Array(values.length);
  values.forEach((value, index) => {
    const level = Math.round(value / scales[channelOf(index)]);
    whole[index] = Math.max(-LARGEST, Math.min(LARGEST, level));
  });
  return [
    { name: `${name}/int8`, dtype: "int8", dims, data: whole },
    { name: `${name}/scale`, dtype: "float32", dims: [channels], data: scales },
    { name: `${name}/zero`, dtype: "int8", dims: [channels], data: new Int8Array(channels) },
  ];
}
