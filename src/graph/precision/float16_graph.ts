/**
 * Float16 files: weights and everything in between are float16, inputs and outputs stay float32. A runtime on
 * a CPU without float16 arithmetic computes in float32 and rounds.
 */
import { UserError } from "../../errors.ts";
import { castInput, castOutput } from "../boundary.ts";
import { DATA_TYPES, type OnnxGraph, type OnnxNode, type OnnxTensor } from "../onnx_graph.ts";
import { toFloat16Bits } from "./float16.ts";

/** Inputs that stay float32 by ONNX' definition, by operator: their positions. */
const FLOAT_INPUTS: Record<string, number[]> = { Resize: [1, 2] };

/** The largest finite float16 value. */
const LARGEST = 65504;

/**
 * Rewrites a graph for float16.
 * @throws {UserError} when a weight is too large for float16
 */
export function toFloat16(graph: OnnxGraph): OnnxGraph {
  const weights = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const kept = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    const inputs = node.inputs.map((name, position) => {
      if (weights.get(name)?.dtype !== "float32") return name;
      if (!FLOAT_INPUTS[node.op]?.includes(position)) return float16Name(name);
      kept.add(name);
      return name;
    });
    return { ...node, inputs, attributes: float16Attributes(node) };
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = graph.initializers.flatMap((tensor) => {
    if (tensor.dtype !== "float32") return [tensor];
    const narrow = float16Name(tensor.name);
    return [
      ...(kept.has(tensor.name) ? [tensor] : []),
      ...(used.has(narrow) ? [toFloat16Weight(tensor)] : []),
    ];
  });
  const narrow = <T extends { dtype: string }>(value: T): T =>
    value.dtype === "float32" ? { ...value, dtype: "float16" } : value;
  const converted: OnnxGraph = {
    ...graph,
    nodes,
    initializers,
    inputs: graph.inputs.map(narrow),
    outputs: graph.outputs.map(narrow),
    values: graph.values?.map(narrow),
  };
  const isFloat = ({ dtype }: { dtype: string }) => dtype === "float32";
  const withInputs = graph.inputs.filter(isFloat)
    .reduce((result, { name }) => castInput(result, name, "float32"), converted);
  return graph.outputs.filter(isFloat)
    .reduce((result, { name }) => castOutput(result, name, "float32"), withInputs);
}

/** The name of a weight as float16. */
function float16Name(name: string): string {
  return `${name}/float16`;
}

function toFloat16Weight({ name, dims, data }: OnnxTensor): OnnxTensor {
  const values = data as Float32Array;
  const worst = values.find((value) => Number.isFinite(value) && Math.abs(value) > LARGEST);
  if (worst !== undefined) {
    throw new UserError(
      `Cannot export weight ${name} as fp16: it holds ${worst}, and float16 ends at ${LARGEST}; ` +
        "export as fp32 or int8",
    );
  }
  return { name: float16Name(name), dtype: "float16", dims, data: toFloat16Bits(values) };
}

function float16Attributes({ op, attributes }: OnnxNode): OnnxNode["attributes"] {
  if (op !== "Cast" || attributes?.to !== DATA_TYPES.float32) return attributes;
  return { ...attributes, to: DATA_TYPES.float16 };
}
