/** What happened to a run besides its steps, as remarks at the top of its report. */
import { formatInteger } from "../text.ts";
import type { RunEvent } from "../training/store.ts";

/**
 * Writes remarks: one on where the run was resumed, and one a rollback and a warning.
 * @param steps steps done; a run resumed after its end, for a new report say, did not continue
 */
export function runNotes(events: readonly RunEvent[], steps: number): string[] {
  const number = (step: number): string => formatInteger(step);
  const notes: string[] = [];
  const resumed = events.filter(({ event, step }) => event === "resume" && step < steps)
    .map(({ step }) => number(step));
  if (resumed.length) {
    const last = resumed.at(-1)!;
    const all = resumed.length > 1
      ? `s ${resumed.slice(0, -1).join(", ")} and ${last}`
      : ` ${last}`;
    notes.push(`Went on from step${all}.`);
  }
  const warnings = new Set<string>(); // a run that was killed and resumed may have seen the same twice
  for (const event of events) {
    if (event.event === "warning") warnings.add(sentence(event.message));
    if (event.event !== "rollback") continue;
    const { step, fault, to, learningRateFactor } = event;
    notes.push(
      `Diverged at step ${number(step)} (${fault}): went back to step ${
        number(to)
      }, with learning ` +
        `rates times ${learningRateFactor}.`,
    );
  }
  return [...notes, ...warnings];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
