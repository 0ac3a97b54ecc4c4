/**
 * Who writes and who reads each buffer of a recorded step, and which operations need no kernel of
 * their own: literals and copies that their readers do themselves, and work that a reduction takes.
 */
import type { ElementwiseNode, Operand } from "./expression.ts";
import { type Operation, readsOf, type StepGraph, writesOf } from "./graph.ts";

/** What fusion asks about a step; operations are known by their index. */
export class DataFlow {
  readonly #operations: Operation[];
  /** Which operation writes a buffer; buffers with several writers are not here. */
  readonly producer = new Map<GPUBuffer, number>();
  readonly #isRewritten = new Set<GPUBuffer>();
  /** Which operations read a buffer. */
  readonly readers = new Map<GPUBuffer, number[]>();
  /** Buffers that the step hands out. */
  readonly results: Set<GPUBuffer>;
  /** Pairs of operations of which the second has to run after the first. */
  readonly arrows: [number, number][] = [];
  /** The reduction that an operation is left to. */
  readonly #reservedFor: (number | undefined)[] = [];

  /** Looks through all operations. */
  constructor(graph: StepGraph) {
    this.#operations = graph.operations;
    this.results = new Set(
      [...graph.state.values(), ...graph.scalars.values()].map(({ buffer }) => buffer),
    );
    this.#connect();
    this.#reserve();
  }

  #connect(): void {
    const writers = new Map<GPUBuffer, number[]>();
    const arrow = (from: number, to: number) => {
      if (from !== to) this.arrows.push([from, to]);
    };
    const append = (map: Map<GPUBuffer, number[]>, buffer: GPUBuffer, i: number) => {
      const list = map.get(buffer);
      if (list) list.push(i);
      else map.set(buffer, [i]);
    };
    this.#operations.forEach((operation, i) => {
      for (const buffer of readsOf(operation)) {
        (writers.get(buffer) ?? []).forEach((writer) => arrow(writer, i));
        append(this.readers, buffer, i);
      }
      for (const buffer of writesOf(operation)) {
        // Several writers of one buffer keep their order, and readers in between theirs.
        (writers.get(buffer) ?? []).forEach((writer) => arrow(writer, i));
        (this.readers.get(buffer) ?? []).forEach((reader) => arrow(reader, i));
        append(writers, buffer, i);
      }
    });
    for (const [buffer, list] of writers) {
      if (list.length === 1) this.producer.set(buffer, list[0]);
      else this.#isRewritten.add(buffer);
    }
  }

  /**
   * Work that only one reduction needs is left to it, as it stores nothing but its own result: the
   * squares of a sum of squares never reach memory.
   */
  #reserve(): void {
    for (let i = this.#operations.length - 1; i >= 0; i--) {
      const operation = this.#operations[i];
      if (operation.kind !== "elementwise" || this.isInlined(i)) continue;
      const readers = new Set<number>();
      for (const buffer of writesOf(operation)) {
        if (!this.producer.has(buffer) || this.results.has(buffer)) readers.add(-1);
        (this.readers.get(buffer) ?? []).forEach((reader) => readers.add(reader));
      }
      const [reader] = readers;
      const user = this.#operations[reader];
      if (readers.size !== 1 || !user || user.kind === "dispatch") continue;
      if (user.work.size !== operation.work.size) continue;
      this.#reservedFor[i] = user.kind === "reduction" ? reader : this.#reservedFor[reader];
    }
  }

  /** The reduction that `i` is left to, or is. */
  reservation(i: number): number | undefined {
    return this.#operations[i].kind === "reduction" ? i : this.#reservedFor[i];
  }

  /** The number that operation `i` fills its output with, where that is all it does. */
  literal(i: number | undefined): ElementwiseNode | undefined {
    const operation = i === undefined ? undefined : this.#operations[i];
    if (operation?.kind !== "elementwise" || operation.work.nodes.length !== 1) return undefined;
    const [node] = operation.work.nodes;
    return node.op === "fill" ? node : undefined;
  }

  /**
   * What operation `i` reads, where all it does is to copy one tensor in another order or shape. Not
   * for a buffer that is written several times, as readers would have to keep their place among them.
   */
  view(i: number | undefined): Operand | undefined {
    const operation = i === undefined ? undefined : this.#operations[i];
    if (operation?.kind !== "elementwise" || operation.work.nodes.length !== 1) return undefined;
    const [operand] = operation.work.operands;
    if (operation.work.nodes[0].op !== "copy" || this.#isRewritten.has(operand.buffer)) {
      return undefined;
    }
    return operand;
  }

  /** Which operations read a buffer, be it through copies that they make themselves. */
  readersThroughViews(buffer: GPUBuffer): number[] {
    return (this.readers.get(buffer) ?? []).flatMap((reader) => {
      if (!this.isInlined(reader)) return [reader];
      return writesOf(this.#operations[reader]).flatMap((copy) => this.readersThroughViews(copy));
    });
  }

  /** True when readers do the work of operation `i` themselves. */
  isInlined(i: number): boolean {
    return this.literal(i) !== undefined || this.view(i) !== undefined;
  }
}
