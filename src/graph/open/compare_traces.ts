/** Compares traces of one function that were made with different lengths of its open axes. */
import type { KernelGraph, KernelNode, KernelValue } from "../trace/kernel_graph.ts";
import { UserError } from "../../errors.ts";
import { type AxisLengths, changedAxes, openAxisError } from "./axes.ts";

/** A trace and the lengths that it was made with. */
export interface SizedTrace {
  /** The kernels. */
  graph: KernelGraph;
  /** The length of each open axis. */
  lengths: AxisLengths;
}

/**
 * Compares traces with the first one.
 * @returns for each trace, the lengths in it that depend on an open axis
 * @throws {UserError} when the traces run different kernels, or a constant differs between them
 */
export function compareTraces(traces: readonly SizedTrace[]): Set<number>[] {
  const [first, ...others] = traces;
  for (const other of others) {
    const fault = findFault(first, other);
    if (fault === null) continue;
    if (fault.drawnBy !== undefined) throw drawnError(fault.drawnBy, fault.text);
    throw openAxisError(changedAxes(first.lengths, other.lengths), fault.text);
  }
  const open = traces.map(() => new Set<number>());
  const shapes = traces.map(({ graph }) => valuesOf(graph).map(({ shape }) => shape));
  shapes[0].forEach((shape, index) =>
    shape.forEach((dim, axis) => {
      if (shapes.every((own) => own[index][axis] === dim)) return;
      open.forEach((lengths, trace) => lengths.add(shapes[trace][index][axis]));
    })
  );
  return open;
}

/** All values of a graph, in an order that is the same for graphs of the same kernels. */
function valuesOf({ inputs, nodes }: KernelGraph): KernelValue[] {
  return [
    ...inputs.map(({ value }) => value),
    ...nodes.flatMap((node) => [...Object.values(node.inputs), ...node.outputs]),
  ];
}

interface Fault {
  text: string;
  /** The function of TensorFlow.js that drew the numbers that differ. */
  drawnBy?: string;
}

function findFault(a: SizedTrace, b: SizedTrace): Fault | null {
  for (const [index, node] of a.graph.nodes.entries()) {
    const other = b.graph.nodes[index];
    const where = nameOf(node);
    if (node.kernel !== other?.kernel) return { text: `it decides whether ${where} runs` };
    for (const [name, value] of Object.entries(node.inputs)) {
      const match = other.inputs[name];
      if (match === undefined || value.shape.length !== match.shape.length) {
        return { text: `it decides what ${where} reads` };
      }
      const { source } = value;
      if (source.kind !== match.source.kind) return { text: `it decides what ${where} reads` };
      if (source.kind === "fill" && match.source.kind === "fill") {
        // One value may follow from the length: src/graph/open/generalize.ts computes it at run time.
        if (Object.is(source.value, match.source.value) || source.drawnBy === undefined) continue;
        return {
          text: `${where} reads ${source.value} and ${match.source.value}`,
          drawnBy: source.drawnBy,
        };
      }
      if (source.kind !== "constant" || match.source.kind !== "constant") continue;
      if (sameData(source.data, match.source.data)) continue;
      return { text: `${where} reads other constants`, drawnBy: source.drawnBy };
    }
    if (node.outputs.some(({ shape }, k) => shape.length !== other.outputs[k]?.shape.length)) {
      return { text: `it decides the rank of what ${where} gives` };
    }
  }
  if (a.graph.nodes.length !== b.graph.nodes.length) {
    return { text: "it decides which operations run" };
  }
  return null;
}

function sameData(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (!Object.is(a[index], b[index])) return false;
  }
  return true;
}

function nameOf({ kernel, scope }: KernelNode): string {
  return `${kernel}${scope && ` of ${scope}`}`;
}

function drawnError(drawnBy: string, fault: string): UserError {
  return new UserError(
    `Cannot export a function that draws random numbers itself: ${drawnBy} gives others each time, and ` +
      `${fault}; draw them from the function's second argument, random.normal(shape) or ` +
      "random.uniform(shape), which become inputs of the file",
  );
}
