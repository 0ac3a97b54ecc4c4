/**
 * The edges of a finished graph: what comes in as one type and is computed with as another, the same for
 * what goes out, and the units of what goes out.
 */
import {
  DATA_TYPES,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
} from "./onnx_graph.ts";

/** Lets an input come in as `outer` while the graph goes on computing with the type that it had. */
export function castInput(graph: OnnxGraph, name: string, outer: OnnxType): OnnxGraph {
  const input = graph.inputs.find((value) => value.name === name)!;
  const inner = `${name}/${input.dtype}`;
  const rename = (used: string) => used === name ? inner : used;
  return {
    ...graph,
    inputs: graph.inputs.map((value) => value === input ? { ...value, dtype: outer } : value),
    nodes: [
      cast(name, inner, input.dtype),
      ...graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
    ],
    values: [{ ...input, name: inner }, ...graph.values ?? []],
  };
}

/** Lets an output go out as `outer`, whatever type the graph computes it in. */
export function castOutput(graph: OnnxGraph, name: string, outer: OnnxType): OnnxGraph {
  const output = graph.outputs.find((value) => value.name === name)!;
  const inner = `${name}/${output.dtype}`;
  const rename = (used: string) => used === name ? inner : used;
  return {
    ...graph,
    outputs: graph.outputs.map((value) => value === output ? { ...value, dtype: outer } : value),
    nodes: [
      ...graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      cast(inner, name, outer),
    ],
    values: [...graph.values ?? [], { ...output, name: inner }],
  };
}

/**
 * Scales an output, column by column, as the last thing that the graph does and in float32 whatever its
 * precision: `value * scale + mean`.
 * @param columns one for each value of a sample
 */
export function scaleOutput(
  graph: OnnxGraph,
  name: string,
  columns: readonly { mean: number; scale: number }[],
): OnnxGraph {
  const output = graph.outputs.find((value) => value.name === name)!;
  const [inner, scaled] = [`${name}/standardized`, `${name}/scaled`];
  const rename = (used: string) => used === name ? inner : used;
  const constant = (part: "mean" | "scale"): OnnxTensor => ({
    name: `${name}/${part}`,
    dtype: "float32",
    dims: [columns.length],
    data: Float32Array.from(columns, (column) => column[part]),
  });
  return {
    ...graph,
    nodes: [
      ...graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      { op: "Mul", inputs: [inner, `${name}/scale`], outputs: [scaled], name: `${scaled}/Mul` },
      { op: "Add", inputs: [scaled, `${name}/mean`], outputs: [name], name: `${name}/Add` },
    ],
    initializers: [...graph.initializers, constant("scale"), constant("mean")],
    values: [
      ...graph.values ?? [],
      { ...output, name: inner },
      { ...output, name: scaled },
    ],
  };
}

function cast(from: string, to: string, type: OnnxType): OnnxNode {
  return {
    op: "Cast",
    inputs: [from],
    outputs: [to],
    attributes: { to: DATA_TYPES[type] },
    name: `${to}/Cast`,
  };
}
