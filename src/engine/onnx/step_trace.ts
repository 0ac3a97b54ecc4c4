/** A training step as a graph of kernels, with what is known of its state, inputs and random numbers. */
import { tf } from "../../tensor/tf.ts";
import type { DrawRows } from "../../random/draw_rows.ts";
import type { KeepMask } from "../../random/keep_mask.ts";
import type { InputSpec, StepProgram } from "../types.ts";
import type { StepRandom, TensorMap, TensorSpec } from "../../tensor/types.ts";
import { lowerGraph } from "../../graph/lower/lower.ts";
import type { KernelGraph } from "../../graph/trace/kernel_graph.ts";
import { traceTwice } from "../../graph/trace/trace.ts";
import { speedUp } from "../../graph/passes/training.ts";
import { checkStepResult } from "../checks.ts";

/** Version of ONNX's operators that the engine writes. */
export const OPSET = 17;

/** A tensor of the state, as the model takes and gives it. */
export interface StateSlot {
  /** The state's name. */
  name: string;
  /** As the step sees it. */
  shape: number[];
  /** The type of an element. */
  dtype: "float32" | "int32";
  /** The layout in which the model keeps it: physical axis k is logical axis `order[k]`. */
  order: readonly number[];
  /** Whether a step changes it. */
  changes: boolean;
}

/** Random values of a step, as the model takes them. */
export interface RandomInput {
  /** The model's name for it. */
  name: string;
  /** The number of the draw within a step. */
  stream: number;
  /** Which values are drawn. */
  distribution: "uniform" | "normal";
  /** Where it is a mask; see `KernelInput`. */
  mask?: KeepMask;
  /** Where it is a part of a larger draw, which part. */
  rows?: DrawRows;
  /** As the step sees it. */
  shape: number[];
  /** The layout that the model takes. */
  order: readonly number[];
}

/** Which step of a program is to become a model. */
export interface StepChoice {
  /** The kind of step. */
  kind: string;
  /** The program's state in the layouts of a kind that is there already, which this one takes on. */
  like?: readonly StateSlot[];
}

/** A traced step and the layouts in which its values are kept. */
export interface TracedStep {
  /** The kernels, without inputs that nothing reads and outputs that no step changes. */
  graph: KernelGraph;
  /** The tensors of the state, those that no step changes included. */
  state: StateSlot[];
  /** The random inputs that the step uses; `stream` is the number of the draw. */
  random: RandomInput[];
  /** The program's inputs that the step uses. */
  inputs: { name: string; spec: InputSpec }[];
  /** The names of what the step measures. */
  scalars: string[];
  /** The layouts of what a model takes, by the graph's names. */
  inputOrders: Readonly<Record<string, readonly number[]>>;
  /** The layouts of the state that a model gives, by the graph's names. */
  outputOrders: Readonly<Record<string, readonly number[]>>;
}

/** The graph's name for a tensor of the state before a step. */
export const stateInput = (name: string): string => `state/${name}`;
/** The graph's name for a tensor of the state after a step. */
export const stateOutput = (name: string): string => `next/${name}`;
/** The graph's name for an input of the program. */
export const programInput = (name: string): string => `input/${name}`;
/** The graph's name for a scalar. */
export const scalarOutput = (name: string): string => `scalar/${name}`;

/**
 * Traces a step twice and finds the layouts for its state.
 * @throws {UserError} when the step is not pure
 * @throws {TypeError} when it does not return the state that it was given
 */
export function traceStep(
  program: StepProgram,
  state: Record<string, TensorSpec>,
  { kind, like }: StepChoice,
): TracedStep {
  const specs: Record<string, TensorSpec> = {};
  for (const [name, { shape, dtype }] of Object.entries(state)) {
    specs[stateInput(name)] = { shape, dtype };
  }
  for (const [name, spec] of Object.entries(program.inputs)) specs[programInput(name)] = spec;
  const traced = withConstants(program, (constants) =>
    traceTwice(
      (values, random) => namedStep(program, state, { values, constants, random, kind }),
      specs,
    ));
  const graph = speedUp(traced);

  const used = usedInputs(graph);
  const slots = Object.entries(state).map(([name, { shape, dtype }]) => {
    const before = graph.inputs.find((input) => input.name === stateInput(name))!.value;
    const after = graph.outputs.find((output) => output.name === stateOutput(name))!.value;
    return { name, shape, dtype, changes: before.id !== after.id };
  });
  const trimmed: KernelGraph = {
    ...graph,
    inputs: graph.inputs.filter(({ name, value }) =>
      used.has(value.id) || slots.some((slot) => slot.changes && stateInput(slot.name) === name)
    ),
    outputs: graph.outputs.filter(({ name }) =>
      !slots.some((slot) => !slot.changes && stateOutput(slot.name) === name)
    ),
  };

  // The state is kept in the layout in which its new value comes about: nothing is moved to keep it.
  // Kinds hand it on to each other as it is, so the first one's layouts count.
  const draft = lowerGraph(trimmed, { opset: OPSET, contrib: true });
  const orders: Record<string, readonly number[]> = {};
  for (const slot of slots) {
    if (slot.changes) orders[slot.name] = draft.naturalOrders[stateOutput(slot.name)];
  }
  for (const { name, order } of like ?? []) orders[name] = order;
  const mapNames = (rename: (name: string) => string) =>
    Object.fromEntries(Object.entries(orders).map(([name, order]) => [rename(name), order]));
  const random = trimmed.inputs.filter(({ kind }) => kind === "random");
  const randomOrders = Object.fromEntries(
    random.map(({ name }) => [name, draft.wantedOrders[name]]).filter(([, order]) => order),
  );
  const inputs = Object.entries(program.inputs).filter(([name]) =>
    trimmed.inputs.some((input) => input.name === programInput(name))
  );
  const names = new Set([
    ...inputs.map(([name]) => programInput(name)),
    ...random.map(({ name }) => name),
  ]);
  return {
    graph: trimmed,
    state: slots.map((slot) => ({
      ...slot,
      order: orders[slot.name] ?? slot.shape.map((_, axis) => axis),
    })),
    random: describeRandom(graph, randomOrders).filter(({ name }) => names.has(name)),
    inputs: inputs.map(([name, spec]) => ({ name, spec })),
    scalars: trimmed.outputs.filter(({ name }) => name.startsWith(scalarOutput("")))
      .map(({ name }) => name.slice(scalarOutput("").length)),
    inputOrders: { ...mapNames(stateInput), ...randomOrders },
    outputOrders: mapNames(stateOutput),
  };
}

function describeRandom(
  graph: KernelGraph,
  orders: Readonly<Record<string, readonly number[]>>,
): RandomInput[] {
  return graph.inputs.filter(({ kind }) => kind === "random")
    .map(({ name, distribution, mask, rows, value }, stream) => ({
      name,
      stream,
      distribution: distribution!,
      mask,
      rows,
      shape: value.shape,
      order: orders[name] ?? value.shape.map((_, axis) => axis),
    }));
}

/** The ids of the inputs that a kernel or an output reads. */
function usedInputs(graph: KernelGraph): Set<number> {
  const used = new Set(graph.outputs.map(({ value }) => value.id));
  for (const node of graph.nodes) Object.values(node.inputs).forEach(({ id }) => used.add(id));
  return used;
}

/** Runs the step on named tensors, and checks that it gives the state back. */
function namedStep(
  program: StepProgram,
  state: Record<string, TensorSpec>,
  given: { values: TensorMap; constants: TensorMap; random: StepRandom; kind: string },
): TensorMap {
  const pick = (names: string[], rename: (name: string) => string) =>
    Object.fromEntries(names.map((name) => [name, given.values[rename(name)]]));
  const result = program.step(
    pick(Object.keys(state), stateInput),
    { ...given.constants, ...pick(Object.keys(program.inputs), programInput) },
    given.random,
    given.kind,
  );
  checkStepResult(result, state);
  const outputs: TensorMap = {};
  for (const name of Object.keys(state)) outputs[stateOutput(name)] = result.state[name];
  for (const [name, scalar] of Object.entries(result.scalars)) outputs[scalarOutput(name)] = scalar;
  return outputs;
}

/** Makes the program's constants tensors for as long as `body` runs. */
function withConstants<T>(program: StepProgram, body: (constants: TensorMap) => T): T {
  const previous = tf.getBackend();
  void tf.setBackend("cpu");
  const constants: TensorMap = Object.fromEntries(
    Object.entries(program.constants ?? {}).map(([name, { data, shape, dtype }]) => [
      name,
      tf.tensor(data, shape, dtype),
    ]),
  );
  void tf.setBackend(previous || "cpu");
  try {
    return body(constants);
  } finally {
    tf.dispose(constants);
  }
}
