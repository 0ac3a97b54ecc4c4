/** Steps that do not all do the same work: see `StepProgram.kindOf`. */
import type { StepProgram } from "./types.ts";

/** Consecutive steps of one kind. */
export interface KindRun {
  /** What they have in common. */
  kind: string;
  /** The index of the first one, among the steps that were asked about. */
  start: number;
  /** How many they are. */
  count: number;
}

/** The kind of a step. */
export function kindOf(program: StepProgram, step: number): string {
  return program.kindOf?.(step) ?? "";
}

/** Cuts `count` steps from number `firstStep` on where their kind changes. */
export function kindRuns(
  program: StepProgram,
  firstStep: number,
  count: number,
): KindRun[] {
  const runs: KindRun[] = [];
  for (let start = 0; start < count; start++) {
    const kind = kindOf(program, firstStep + start);
    const last = runs.at(-1);
    if (last?.kind === kind) last.count++;
    else runs.push({ kind, start, count: 1 });
  }
  return runs;
}
