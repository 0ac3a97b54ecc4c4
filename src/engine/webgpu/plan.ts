/**
 * Gives the values of a recorded step their memory: state stays in fixed buffers and is updated there
 * (in place, or by a copy at the end where its old value is still needed), temporaries share buffers.
 */
import { readsOwnElement } from "./expression.ts";
import { type Operation, readsOf, type StepGraph, type Value, writesOf } from "./graph.ts";

/** A buffer that the step needs, before it exists. */
export interface Slot {
  /** How long it is. */
  sizeBytes: number;
  /** What is in it from the start. */
  source: Value["source"];
}

/** A copy between values. */
export interface PlannedCopy {
  /** What is copied. */
  from: Value;
  /** Where to. */
  to: Value;
}

/** Where everything lies and what happens in which order. */
export interface StepPlan {
  /** The work, in order. */
  operations: Operation[];
  /** For an elementwise operation (by index): outputs that take over an operand's buffer. */
  inPlace: Map<number, Map<number, number>>;
  /** The slot of a value. */
  slotOf: Map<Value, Slot>;
  /** All buffers that the step needs. */
  slots: Slot[];
  /** Done after the operations, in this order. */
  finalCopies: PlannedCopy[];
  /** What is read after a step. */
  scalars: Map<string, Value>;
  /** Bytes of all slots. */
  totalBytes: number;
}

/** Buffers are at least this long, and a multiple of it. */
const GRANULE = 16;

/**
 * Plans the memory of a step.
 * @param options.sideBySide whether work between products that does not need each other's results is to
 *   run at the same time: then none of it may take over what another is done with
 */
export function planStep(graph: StepGraph, options: { sideBySide: boolean }): StepPlan {
  const uses = findUses(graph);
  const { home, inPlace, stateCopies, staged } = placeState(graph, uses);
  const slotOf = new Map<Value, Slot>();
  const slots: Slot[] = [];
  const addSlot = (sizeBytes: number, source: Value["source"]) => {
    const slot = { sizeBytes: Math.ceil(sizeBytes / GRANULE) * GRANULE, source };
    slots.push(slot);
    return slot;
  };
  for (const value of graph.values) {
    const { kind } = value.source;
    const isUsed = uses.lastAccess.has(value);
    if (kind === "external" || (kind === "constant" && isUsed)) {
      slotOf.set(value, addSlot(value.sizeBytes, value.source));
    }
  }
  for (const [value, state] of home) slotOf.set(value, slotOf.get(state)!);
  for (const value of staged) slotOf.set(value, addSlot(value.sizeBytes, value.source));
  shareTemporaries(graph, uses, {
    ...options,
    slotOf,
    addSlot: (bytes) => addSlot(bytes, { kind: "temporary" }),
  });
  return {
    operations: graph.operations,
    inPlace,
    slotOf,
    slots,
    finalCopies: stateCopies,
    scalars: graph.scalars,
    totalBytes: slots.reduce((sum, slot) => sum + slot.sizeBytes, 0),
  };
}

/** When values are written and used, as indices of operations; the step's end is one past the last. */
interface Uses {
  firstWrite: Map<Value, number>;
  writerCount: Map<Value, number>;
  lastRead: Map<Value, number>;
  lastAccess: Map<Value, number>;
}

function findUses(graph: StepGraph): Uses {
  const uses: Uses = {
    firstWrite: new Map(),
    writerCount: new Map(),
    lastRead: new Map(),
    lastAccess: new Map(),
  };
  graph.operations.forEach((operation, i) => {
    for (const buffer of readsOf(operation)) {
      uses.lastRead.set(graph.valueOf(buffer), i);
      uses.lastAccess.set(graph.valueOf(buffer), i);
    }
    for (const buffer of writesOf(operation)) {
      const value = graph.valueOf(buffer);
      if (!uses.firstWrite.has(value)) uses.firstWrite.set(value, i);
      uses.writerCount.set(value, (uses.writerCount.get(value) ?? 0) + 1);
      uses.lastAccess.set(value, i);
    }
  });
  const end = graph.operations.length;
  for (const value of graph.scalars.values()) {
    uses.lastRead.set(value, end);
    uses.lastAccess.set(value, end);
  }
  for (const [name, value] of graph.state) {
    uses.lastAccess.set(value, end);
    // The old value of another state tensor must last until it is copied.
    const moved = value.source.kind === "external" && value.source.name !== name;
    if (moved) uses.lastRead.set(value, end);
  }
  return uses;
}

/** Decides for each state tensor how its new value gets into its buffer. */
function placeState(graph: StepGraph, uses: Uses) {
  const home = new Map<Value, Value>();
  const inPlace = new Map<number, Map<number, number>>();
  const fromTemporaries: PlannedCopy[] = [];
  const toStage: PlannedCopy[] = [];
  const fromStage: PlannedCopy[] = [];
  const staged: Value[] = [];
  const externals = new Map<string, Value>();
  for (const value of graph.values) {
    if (value.source.kind === "external") externals.set(value.source.name, value);
  }
  for (const [name, next] of graph.state) {
    const state = externals.get(name)!;
    if (next === state) continue;
    if (next.source.kind === "external") {
      // Another state tensor or an input: all of them are set aside before any is overwritten.
      const stage = { ...next, source: { kind: "temporary" as const } };
      staged.push(stage);
      toStage.push({ from: next, to: stage });
      fromStage.push({ from: stage, to: state });
      continue;
    }
    const written = uses.firstWrite.get(next);
    if (next.source.kind === "constant" || home.has(next) || written === undefined) {
      fromTemporaries.push({ from: next, to: state });
      continue;
    }
    const lastRead = uses.lastRead.get(state) ?? -1;
    if (lastRead < written) {
      home.set(next, state);
      continue;
    }
    const operand = lastRead === written
      ? overwritableOperand(graph, uses, written, state, next)
      : undefined;
    if (operand === undefined) {
      fromTemporaries.push({ from: next, to: state });
      continue;
    }
    home.set(next, state);
    if (!inPlace.has(written)) inPlace.set(written, new Map());
    inPlace.get(written)!.set(operand.output, operand.operand);
  }
  return { home, inPlace, staged, stateCopies: [...toStage, ...fromTemporaries, ...fromStage] };
}

/** The operand and output through which an elementwise operation can update `state` in place. */
function overwritableOperand(
  graph: StepGraph,
  uses: Uses,
  index: number,
  state: Value,
  next: Value,
): { operand: number; output: number } | undefined {
  const operation = graph.operations[index];
  if (operation.kind !== "elementwise" || uses.writerCount.get(next) !== 1) return undefined;
  const { operands, outputs, size } = operation.work;
  const readers = operands.flatMap((operand, k) => operand.buffer === state.buffer ? [k] : []);
  const output = outputs.findIndex(({ buffer }) => buffer === next.buffer);
  if (readers.length !== 1 || !readsOwnElement(operands[readers[0]], size)) return undefined;
  return { operand: readers[0], output };
}

/** A buffer up to this size may hold any smaller temporary; a larger one is at most half wasted. */
const SMALL_BYTES = 1 << 16;

/** Best fit: a temporary takes the smallest free buffer that holds it. */
function shareTemporaries(
  graph: StepGraph,
  uses: Uses,
  { slotOf, addSlot, sideBySide }: {
    slotOf: Map<Value, Slot>;
    addSlot(sizeBytes: number): Slot;
    sideBySide: boolean;
  },
): void {
  const free: Slot[] = [];
  const ending = new Map<number, Value[]>();
  for (const [value, end] of uses.lastAccess) {
    ending.set(end, [...ending.get(end) ?? [], value]);
  }
  const isShared = new Set<Value>();
  /** Of work at the same time: what it wrote, and the buffers that are free once it is done. */
  const together = { written: new Set<GPUBuffer>(), done: [] as Slot[] };
  graph.operations.forEach((operation, i) => {
    const isAlone = !sideBySide || operation.kind === "dispatch";
    if (isAlone || readsOf(operation).some((buffer) => together.written.has(buffer))) {
      free.push(...together.done.splice(0));
      together.written.clear();
    }
    for (const buffer of writesOf(operation)) {
      const value = graph.valueOf(buffer);
      if (!isAlone) together.written.add(buffer);
      if (slotOf.has(value)) continue;
      const maxBytes = Math.max(2 * value.sizeBytes, SMALL_BYTES);
      const [slot] = free
        .filter(({ sizeBytes }) => sizeBytes >= value.sizeBytes && sizeBytes <= maxBytes)
        .sort((a, b) => a.sizeBytes - b.sizeBytes);
      if (slot) free.splice(free.indexOf(slot), 1);
      slotOf.set(value, slot ?? addSlot(value.sizeBytes));
      isShared.add(value);
    }
    for (const value of ending.get(i) ?? []) {
      if (isShared.has(value)) (isAlone ? free : together.done).push(slotOf.get(value)!);
    }
  });
}
