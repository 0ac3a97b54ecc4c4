/**
 * The tracer's front door: runs a pure function of tensors once with tensors that stand for its inputs,
 * and gives the graph of the kernels that it called, gradients included.
 */
import type { DrawRows } from "../../random/draw_rows.ts";
import type { tf } from "../../tensor/tf.ts";
import type { StepRandom, TensorMap, TensorSpec } from "../../tensor/types.ts";
import { UserError } from "../../errors.ts";
import {
  type ConstantData,
  type KernelGraph,
  type KernelInput,
  sameNumbers,
} from "./kernel_graph.ts";
import { removeDeadCode, shareCommonSubexpressions } from "./passes.ts";
import { withRecording } from "./trace_backend.ts";

/** A pure function of tensors, which may draw random numbers. */
export type TraceableFunction = (inputs: TensorMap, random: StepRandom) => TensorMap;

/** Options of {@linkcode traceFunction}. */
export interface TraceOptions {
  /** Skip the passes and return every kernel that ran. Default false. */
  raw?: boolean;
  /** Readable names for tensors that the function uses without having them as inputs: parameters. */
  labels?: TensorMap;
  /**
   * Lengths of the inputs' axes that stand for any length: what has such a length, or a multiple of it, is
   * not made a constant.
   */
  openLengths?: readonly number[];
  /** Elements of tensors that the function uses, by their data's handle: shared by several traces. */
  captured?: Map<object, ConstantData>;
}

/**
 * Traces a function.
 *
 * Random draws become inputs `random_0`, `random_1`, ... in the order in which the function asks for
 * them. Inputs that the function does not use stay in the graph's list of inputs.
 *
 * @param inputs the shape and type of each input
 * @returns a graph whose outputs have the names that the function gave them
 * @throws {UserError} when the function calls a kernel that is not supported, or reads a tensor's
 * elements on the host
 */
export function traceFunction(
  fn: TraceableFunction,
  inputs: Record<string, TensorSpec>,
  options: TraceOptions = {},
): KernelGraph {
  const labels = new Map(
    Object.entries(options.labels ?? {}).map(([label, tensor]) => [tensor.dataId, label]),
  );
  const graph = withRecording((recording, wrap): KernelGraph => {
    const graphInputs: KernelInput[] = [];
    const symbols: TensorMap = {};
    for (const [name, { shape, dtype }] of Object.entries(inputs)) {
      const [info, value] = recording.define(shape, dtype, { kind: "input", name });
      symbols[name] = wrap(info);
      graphInputs.push({ name, kind: "input", value });
    }
    let drawCount = 0;
    const draw = (
      shape: number[],
      distribution: "uniform" | "normal",
      rows: DrawRows | undefined,
    ): tf.Tensor => {
      const name = `random_${drawCount++}`;
      const [info, value] = recording.define(shape, "float32", { kind: "input", name });
      graphInputs.push({ name, kind: "random", distribution, rows, value });
      return wrap(info);
    };
    const results = fn(symbols, {
      uniform: (shape, rows) => draw(shape, "uniform", rows),
      normal: (shape, rows) => draw(shape, "normal", rows),
    });
    const outputs = Object.entries(results).map(([name, tensor]) => ({
      name,
      value: recording.resolve(tensor),
    }));
    return { nodes: recording.nodes, inputs: graphInputs, outputs };
  }, { labels, openLengths: options.openLengths, captured: options.captured });
  if (options.raw) return graph;
  return removeDeadCode(shareCommonSubexpressions(removeDeadCode(graph)));
}

/**
 * Traces a function twice and compares, because whatever differs comes from outside of the graph:
 * random numbers made on the host, a counter, the time.
 * @throws {UserError} as {@linkcode traceFunction} does, and when the two traces differ
 */
export function traceTwice(
  fn: TraceableFunction,
  inputs: Record<string, TensorSpec>,
): KernelGraph {
  const graph = traceFunction(fn, inputs);
  const difference = findGraphDifference(graph, traceFunction(fn, inputs));
  if (difference !== null) {
    throw new UserError(
      `Cannot compile a step that is not a pure function: run twice, it differs in ${difference}; ` +
        "draw random numbers from the step's `random` and pass what changes as an input",
    );
  }
  return graph;
}

/** In words, the first difference between two graphs, or null when they are the same. */
export function findGraphDifference(a: KernelGraph, b: KernelGraph): string | null {
  if (a.nodes.length !== b.nodes.length) {
    return `the number of kernels (${a.nodes.length} and ${b.nodes.length})`;
  }
  const positions = new Map<number, number>();
  const remember = (x: number, y: number) => positions.set(x, y);
  if (a.inputs.length !== b.inputs.length) return "the number of random draws";
  for (const [index, input] of a.inputs.entries()) {
    const other = b.inputs[index];
    if (input.distribution !== other.distribution) return `the distribution of ${input.name}`;
    if (!sameNumbers(input.value.shape, other.value.shape)) return `the shape of ${input.name}`;
    remember(input.value.id, other.value.id);
  }
  for (const [index, node] of a.nodes.entries()) {
    const other = b.nodes[index];
    const where = `kernel ${index}, ${node.kernel}${node.scope && ` of ${node.scope}`}`;
    if (node.kernel !== other.kernel) return `${where} (${other.kernel} the second time)`;
    if (JSON.stringify(node.attributes) !== JSON.stringify(other.attributes)) {
      return `the attributes of ${where}`;
    }
    for (const [name, value] of Object.entries(node.inputs)) {
      const match = other.inputs[name];
      if (match === undefined || !sameNumbers(value.shape, match.shape)) {
        return `the shape of input ${name} of ${where}`;
      }
      if (!sameSource(value, match, positions)) return `input ${name} of ${where}`;
    }
    node.outputs.forEach((value, output) => remember(value.id, other.outputs[output].id));
  }
  if (a.outputs.length !== b.outputs.length) {
    return `the number of outputs (${a.outputs.length} and ${b.outputs.length})`;
  }
  for (const [index, output] of a.outputs.entries()) {
    const other = b.outputs[index];
    if (other?.name !== output.name || !sameSource(output.value, other.value, positions)) {
      return `output ${output.name}`;
    }
  }
  return null;
}

type Value = KernelGraph["outputs"][number]["value"];

function sameSource(a: Value, b: Value, positions: ReadonlyMap<number, number>): boolean {
  if (a.source.kind === "fill" && b.source.kind === "fill") {
    return Object.is(a.source.value, b.source.value);
  }
  if (a.source.kind === "constant" && b.source.kind === "constant") {
    return sameNumbers(a.source.data as unknown as number[], b.source.data as unknown as number[]);
  }
  return a.source.kind === b.source.kind && positions.get(a.id) === b.id;
}
