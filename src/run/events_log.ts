/** `events.jsonl`: what happened to a run besides its steps, one JSON object a line, oldest first. */
import type { RunEvent } from "../training/store.ts";
import { readStepLines } from "./json_lines.ts";

/** Reads the events of a file; a damaged line and those after it, and unknown events, are left out. */
export async function readEvents(file: string): Promise<RunEvent[]> {
  const lines: { step: number }[] = await readStepLines(file);
  return lines.filter(isEvent);
}

function isEvent(line: { step: number }): line is RunEvent {
  const { event, to, fault, learningRateFactor, engine, message } = line as Partial<
    Record<string, unknown>
  >;
  switch (event) {
    case "resume":
      return typeof engine === "string";
    case "diverged":
      return typeof fault === "string";
    case "warning":
      return typeof message === "string";
    case "rollback":
      return Number.isFinite(to) && typeof fault === "string" &&
        Number.isFinite(learningRateFactor);
    default:
      return false;
  }
}
