/**
 * Wraps the graph of one step into a graph of many: an ONNX `Loop` that carries the state from step to
 * step inside the runtime, so that it is copied in and out once a call. Inputs that change with each
 * step come stacked, `[steps, ...]`; scalars leave stacked, `[steps]`.
 */
import type { OnnxGraph, OnnxNode, OnnxValueInfo } from "../../graph/onnx_graph.ts";

/** Names of inputs and outputs that the loop adds. */
export const STEP_COUNT = "step_count";

/** What belongs to the state: an input and the output that follows it. */
export interface CarriedValue {
  /** The step's input. */
  input: string;
  /** The step's output that is the next step's input. */
  output: string;
}

/** Builds the loop. @param perStep names of the inputs that come stacked */
export function loopGraph(
  step: OnnxGraph,
  carried: readonly CarriedValue[],
  perStep: readonly string[],
): OnnxGraph {
  const inputs = new Map(step.inputs.map((input) => [input.name, input]));
  const outputs = new Map(step.outputs.map((output) => [output.name, output]));
  const carriedInputs = carried.map(({ input }) => inputs.get(input)!);
  const carriedOutputs = carried.map(({ output }) => outputs.get(output)!);
  const collected = step.outputs.filter(({ name }) =>
    !carried.some(({ output }) => output === name)
  );
  const stacked = perStep.map((name) => inputs.get(name)!);
  const fixed = step.inputs.filter(({ name }) =>
    !perStep.includes(name) && !carried.some(({ input }) => input === name)
  );

  const body: OnnxGraph = {
    name: "step",
    nodes: [
      node("Identity", ["more"], ["more_after"]),
      ...stacked.map(({ name }): OnnxNode => ({
        ...node("Gather", [stackedName(name), "step_index"], [name]),
        attributes: { axis: 0 },
      })),
      ...step.nodes,
    ],
    inputs: [
      { name: "step_index", dtype: "int64", dims: [] },
      { name: "more", dtype: "bool", dims: [] },
      ...carriedInputs,
    ],
    outputs: [{ name: "more_after", dtype: "bool", dims: [] }, ...carriedOutputs, ...collected],
    initializers: step.initializers,
  };
  const loop: OnnxNode = {
    ...node(
      "Loop",
      [STEP_COUNT, "", ...carried.map(({ input }) => firstName(input))],
      [
        ...carried.map(({ output }) => lastName(output)),
        ...collected.map(({ name }) => stackedName(name)),
      ],
    ),
    attributes: { body: { graph: body } },
  };
  const stack = (value: OnnxValueInfo) => ({
    ...value,
    name: stackedName(value.name),
    dims: ["steps", ...value.dims!],
  });
  return {
    name: "steps",
    nodes: [loop],
    inputs: [
      { name: STEP_COUNT, dtype: "int64", dims: [] },
      ...carriedInputs.map((value) => ({ ...value, name: firstName(value.name) })),
      ...fixed,
      ...stacked.map(stack),
    ],
    outputs: [
      ...carriedOutputs.map((value) => ({ ...value, name: lastName(value.name) })),
      ...collected.map(stack),
    ],
    initializers: [],
  };
}

/** The name of a stacked input or output. */
export function stackedName(name: string): string {
  return `${name}[steps]`;
}

/** The name of a state input before the first step. */
export function firstName(name: string): string {
  return `${name}[first]`;
}

/** The name of a state output after the last step. */
export function lastName(name: string): string {
  return `${name}[last]`;
}

function node(op: string, inputs: string[], outputs: string[]): OnnxNode {
  return { op, inputs, outputs, name: `${op}:${outputs[0]}` };
}
