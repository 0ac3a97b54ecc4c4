/**
 * Joins elementwise operations into one kernel each where that is allowed: they run over the same
 * elements, and no other operation has to run between them. Adam's update of a parameter, its
 * moments and its moving average becomes one pass over memory; an activation joins its neighbors.
 * The functions are the same as in kernels of one operation each. What is left is put into an order
 * (group_order.ts).
 */
import {
  type Argument,
  type ElementwiseNode,
  type Operand,
  readsOwnElement,
} from "./expression.ts";
import { DataFlow } from "./dataflow.ts";
import { bindingCount } from "./expression_code.ts";
import type { Operation, StepGraph } from "./graph.ts";
import {
  addArrow,
  asRecorded,
  type Group,
  reaches,
  reachesAround,
  sideBySide,
} from "./group_order.ts";
import { dropUnusedWork } from "./passes.ts";
import type { ElementwiseWork } from "./work.ts";

/** Bounds of one fused kernel. */
export interface FusionLimits {
  /** Storage buffers that a kernel may bind. */
  bindings: number;
  /** Functions in a kernel. */
  nodes: number;
  /** How many groups work may be moved ahead of others to run beside its like; 0 for none. */
  lookahead: number;
}

/** The step with fused elementwise operations, in an order that respects what each one needs. */
export function fuseElementwise(graph: StepGraph, limits: FusionLimits): StepGraph {
  const operations = new Fuser(graph, limits).run();
  return dropUnusedWork({ ...graph, operations });
}

class Fuser {
  readonly #graph: StepGraph;
  readonly #operations: Operation[];
  readonly #limits: FusionLimits;
  readonly #flow: DataFlow;
  readonly #groupOf: Group[];

  constructor(graph: StepGraph, limits: FusionLimits) {
    this.#graph = graph;
    this.#operations = graph.operations;
    this.#limits = limits;
    this.#flow = new DataFlow(graph);
    this.#groupOf = graph.operations.map((_, i) => ({
      members: [i],
      needs: new Set(),
      neededBy: new Set(),
    }));
    for (const [from, to] of this.#flow.arrows) addArrow(this.#groupOf[from], this.#groupOf[to]);
  }

  run(): Operation[] {
    const flow = this.#flow;
    this.#operations.forEach((operation, i) => {
      if (operation.kind === "dispatch" || flow.isInlined(i)) return;
      for (const operand of operation.work.operands) {
        const producer = flow.producer.get(operand.buffer);
        if (producer === undefined || !readsOwnElement(operand, operation.work.size)) continue;
        // Both free, or both left to the same reduction.
        if (flow.reservation(producer) === flow.reservation(i)) this.#tryToMerge(producer, i);
      }
    });
    return this.#ordered().map((group) => this.#emit(group));
  }

  #tryToMerge(producer: number, consumer: number): void {
    const [first, second] = [this.#groupOf[producer], this.#groupOf[consumer]];
    if (first === second || this.#flow.isInlined(producer)) return;
    const [a, b] = [this.#operations[producer], this.#operations[consumer]];
    if (a.kind !== "elementwise" || b.kind === "dispatch") return;
    if (a.work.size !== b.work.size) return;
    const members = [...first.members, ...second.members].sort((x, y) => x - y);
    const joined = this.#join(members);
    if (joined.nodes.length > this.#limits.nodes) return;
    if (bindingCount(joined) + joined.outputs.length > this.#limits.bindings) return;
    if (reachesAround(first, second) || reachesAround(second, first)) return;
    this.#merge(first, second, members);
  }

  #merge(first: Group, second: Group, members: number[]): void {
    const merged: Group = { members, needs: new Set(), neededBy: new Set() };
    for (const group of [first, second]) {
      for (const other of group.needs) {
        other.neededBy.delete(group);
        if (other === first || other === second) continue;
        merged.needs.add(other);
        other.neededBy.add(merged);
      }
      for (const other of group.neededBy) {
        other.needs.delete(group);
        if (other === first || other === second) continue;
        merged.neededBy.add(other);
        other.needs.add(merged);
      }
    }
    for (const member of members) this.#groupOf[member] = merged;
  }

  /** One expression for all members; `value` is what a reduction among them (the last) reduces. */
  #join(members: number[]): ElementwiseWork & { value?: Argument } {
    const inside = new Set(members);
    const operands: Operand[] = [];
    const nodes: ElementwiseNode[] = [];
    const nodeOf = new Map<GPUBuffer, number>();
    const known = new Map<string, number>();
    const ids = new Map<GPUBuffer, number>();
    const outputs: ElementwiseWork["outputs"] = [];
    let size = 0;
    let value: Argument | undefined;
    const literals = new Map<number, number>();
    const operandIndex = (operand: Operand): number => {
      if (!ids.has(operand.buffer)) ids.set(operand.buffer, ids.size);
      const { type, terms, offset } = operand;
      const key = JSON.stringify([ids.get(operand.buffer), type, terms, offset]);
      if (!known.has(key)) known.set(key, operands.push(operand) - 1);
      return known.get(key)!;
    };
    const argument = (operand: Operand): Argument => {
      const node = nodeOf.get(operand.buffer);
      if (node !== undefined) return { node };
      const producer = this.#flow.producer.get(operand.buffer);
      const source = this.#flow.view(producer);
      if (source) {
        const seen = throughView(operand, source, size);
        return seen ? argument(seen) : { operand: operandIndex(operand) };
      }
      const literal = this.#flow.literal(producer);
      if (!literal) return { operand: operandIndex(operand) };
      const [value] = literal.params;
      if (!literals.has(value)) literals.set(value, nodes.push(literal) - 1);
      return { node: literals.get(value)! };
    };
    for (const member of members) {
      const operation = this.#operations[member];
      if (operation.kind === "dispatch") continue;
      const { work } = operation;
      size = work.size;
      const placed: number[] = [];
      for (const node of work.nodes) {
        const args = node.args.map((arg): Argument =>
          "node" in arg ? { node: placed[arg.node] } : argument(work.operands[arg.operand])
        );
        placed.push(nodes.push({ ...node, args }) - 1);
      }
      if (operation.kind === "reduction") {
        const { value: own } = operation.work;
        value = "node" in own ? { node: placed[own.node] } : argument(work.operands[own.operand]);
        continue;
      }
      for (const { node, buffer } of operation.work.outputs) {
        nodeOf.set(buffer, placed[node]);
        const readers = this.#flow.readers.get(buffer) ?? [];
        const leaves = this.#flow.results.has(buffer) || !this.#flow.producer.has(buffer) ||
          readers.some((reader) => !inside.has(reader));
        if (leaves) outputs.push({ node: placed[node], buffer });
      }
    }
    return { size, operands, nodes, outputs, value };
  }

  #emit(group: Group): Operation {
    const last = this.#operations[group.members.at(-1)!];
    if (last.kind === "dispatch" || this.#flow.literal(group.members[0])) return last;
    const { value, outputs, ...expression } = this.#join(group.members);
    return last.kind === "reduction"
      ? { kind: "reduction", work: { ...last.work, ...expression, value: value! } }
      : { kind: "elementwise", work: { ...expression, outputs } };
  }

  #ordered(): Group[] {
    const groups = [...new Set(this.#groupOf)]
      .sort((a, b) => a.members.at(-1)! - b.members.at(-1)!);
    const { lookahead } = this.#limits;
    if (lookahead === 0) return asRecorded(groups);
    this.#readStateFirst();
    const isProduct = ({ members }: Group) => this.#operations[members[0]].kind === "dispatch";
    return sideBySide(groups, { lookahead, isProduct });
  }

  /** New state comes after all that reads the old one, so that it can take its place. */
  #readStateFirst(): void {
    const { state, values } = this.#graph;
    for (const { source, buffer } of values) {
      const next = source.kind === "external" ? state.get(source.name) : undefined;
      const producer = next && this.#flow.producer.get(next.buffer);
      if (producer === undefined) continue;
      const writer = this.#groupOf[producer];
      for (const reader of this.#flow.readersThroughViews(buffer)) {
        const group = this.#groupOf[reader];
        if (group !== writer && !reaches(writer, group)) addArrow(group, writer);
      }
    }
  }
}

/**
 * The operand that reads the source of a copy where `operand` reads the copy: where it reads all of
 * it in order, or one number.
 */
function throughView(operand: Operand, source: Operand, size: number): Operand | undefined {
  if (readsOwnElement(operand, size)) return source;
  if (operand.terms.length > 0 || operand.offset) return undefined;
  return { ...source, terms: [] };
}
