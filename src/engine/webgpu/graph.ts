/**
 * A recorded step: the GPU work that one run of it would do, as operations on buffers that do not
 * exist yet ("values"). Each value is written by one operation, or by several that accumulate into
 * it, so the list can be shortened, fused and given memory before anything runs.
 */
import { expressionLabel } from "./elementwise.ts";
import type { Dispatch, ElementwiseWork, ReductionWork } from "./work.ts";

/** What a value is before any operation has run. */
export type InitialValue =
  /** Written by operations of the step. */
  | { kind: "temporary" }
  /** The same values in each step: a literal of the program. */
  | { kind: "constant"; data: Int32Array | Float32Array }
  /** Given from outside by name, and kept between steps. */
  | { kind: "external"; name: string };

/** A buffer of the step. */
export interface Value {
  /** Its number, in order of creation. */
  id: number;
  /** How long it is. */
  sizeBytes: number;
  /** What is in it before the step. */
  source: InitialValue;
  /** Stands for it in operations. */
  buffer: GPUBuffer;
}

/** One operation, in the order of the recording. */
export type Operation =
  | { kind: "dispatch"; work: Dispatch }
  | { kind: "elementwise"; work: ElementwiseWork }
  | { kind: "reduction"; work: ReductionWork };

/** A recorded step. */
export interface StepGraph {
  /** All buffers, by their ids. */
  values: Value[];
  /** All work, in an order in which it can be done. */
  operations: Operation[];
  /** The value that holds each state tensor after the step. */
  state: Map<string, Value>;
  /** The value that holds each scalar. */
  scalars: Map<string, Value>;
  /** The value behind a buffer of an operation. */
  valueOf(buffer: GPUBuffer): Value;
}

/** The buffers that an operation reads. */
export function readsOf(operation: Operation): GPUBuffer[] {
  return operation.kind === "dispatch"
    ? operation.work.reads
    : operation.work.operands.map(({ buffer }) => buffer);
}

/** The buffers that an operation writes. */
export function writesOf(operation: Operation): GPUBuffer[] {
  if (operation.kind === "dispatch") return operation.work.writes;
  if (operation.kind === "reduction") return [operation.work.output];
  return operation.work.outputs.map(({ buffer }) => buffer);
}

/** True when the old contents of what it writes matter. */
export function accumulates(operation: Operation): boolean {
  return operation.kind === "dispatch" && operation.work.accumulates === true;
}

/** For messages and profiles. */
function labelOf(operation: Operation): string {
  if (operation.kind === "dispatch") return operation.work.label;
  if (operation.kind === "reduction") return operation.work.combine;
  return expressionLabel(operation.work);
}

/** The operation with other buffers. */
export function mapBuffers(
  operation: Operation,
  map: (buffer: GPUBuffer) => GPUBuffer,
): Operation {
  if (operation.kind === "dispatch") {
    const { work } = operation;
    return {
      kind: "dispatch",
      work: { ...work, reads: work.reads.map(map), writes: work.writes.map(map) },
    };
  }
  const moved = operation.work.operands.map((operand) => ({
    ...operand,
    buffer: map(operand.buffer),
  }));
  if (operation.kind === "reduction") {
    const { work } = operation;
    return { kind: "reduction", work: { ...work, operands: moved, output: map(work.output) } };
  }
  const { work } = operation;
  const outputs = work.outputs.map((output) => ({ ...output, buffer: map(output.buffer) }));
  return { kind: "elementwise", work: { ...work, operands: moved, outputs } };
}

/**
 * Everything about an operation but what it writes: two operations with the same text compute the
 * same. `idOf` numbers buffers and pipelines.
 */
export function signatureOf(operation: Operation, idOf: (thing: object) => number): string {
  if (operation.kind !== "dispatch") {
    const { size, operands, nodes } = operation.work;
    return JSON.stringify([
      operation.kind,
      size,
      operands.map(({ buffer, type, terms, offset }) => [idOf(buffer), type, terms, offset]),
      nodes.map(({ op, args, params }) => [op, args, params.map(exactText)]),
      operation.kind === "elementwise"
        ? operation.work.outputs.map(({ node }) => node)
        : reductionSignature(operation.work),
    ]);
  }
  const { pipeline, reads, uniforms, workgroups, label } = operation.work;
  const words = uniforms ? new Uint32Array(uniforms).join() : "";
  return [label, idOf(pipeline), reads.map(idOf), words, workgroups].join("|");
}

function reductionSignature(work: ReductionWork): unknown[] {
  const { value, combine, outer, reduced, inner, parts, divisor } = work;
  return [value, combine, outer, reduced, inner, parts, divisor];
}

/** JSON has no NaN, no infinities and no -0. */
function exactText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * Says where two recordings of the same step differ, in their work, in values of the host, or in what
 * they return, or gives undefined when they are the same. A step that uses host randomness or host
 * state differs.
 */
export function findRecordingDifference(first: StepGraph, second: StepGraph): string | undefined {
  const [a, b] = [first.operations.length, second.operations.length];
  if (a !== b) return `it queues ${a} operations the first time and ${b} the second`;
  const ids = new Map<object, number>();
  const numbering = (graph: StepGraph) => (thing: object) => {
    if (thing instanceof GPUBuffer) return graph.valueOf(thing).id;
    if (!ids.has(thing)) ids.set(thing, ids.size);
    return ids.get(thing)!;
  };
  for (let i = 0; i < a; i++) {
    const [left, right] = [first.operations[i], second.operations[i]];
    const same = signatureOf(left, numbering(first)) === signatureOf(right, numbering(second));
    if (!same) {
      return `operation ${i} is "${labelOf(left)}" with other sizes or values than the second ` +
        `time ("${labelOf(right)}")`;
    }
  }
  for (let i = 0; i < first.values.length; i++) {
    const [left, right] = [first.values[i].source, second.values[i]?.source];
    if (left.kind !== "constant") continue;
    if (right?.kind !== "constant" || !sameNumbers(left.data, right.data)) {
      return `a tensor of ${left.data.length} values made on the host differs between two ` +
        `recordings (starting ${left.data.slice(0, 3).join(", ")}, ...)`;
    }
  }
  return findOtherResult(first.state, second.state) ??
    findOtherResult(first.scalars, second.scalars);
}

/** The same work may be done both times and another tensor of it returned. */
function findOtherResult(
  first: Map<string, Value>,
  second: Map<string, Value>,
): string | undefined {
  for (const name of new Set([...first.keys(), ...second.keys()])) {
    if (first.get(name)?.id === second.get(name)?.id) continue;
    return `its result "${name}" is another tensor the second time`;
  }
  return undefined;
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
