/** `events.jsonl`: what happened to a run besides its steps, one JSON object a line, oldest first. */
import { appendLines, readStepLines } from "./json_lines.ts";

/** A run went back to a good state because it had diverged. */
export interface RollbackEvent {
  event: "rollback";
  /** Steps done when the fault was there. */
  step: number;
  /** What was wrong. */
  fault: string;
  /** The step that the run went back to. */
  to: number;
  /** What learning rates are multiplied by from there. */
  learningRateFactor: number;
  /** How often the run may still go back. */
  retriesLeft: number;
}

/** A run was resumed. */
export interface ResumeEvent {
  event: "resume";
  /** Steps done in the checkpoint that it went on from. */
  step: number;
  /** The engine that it went on with. */
  engine: string;
}

/** A run's samples or verdicts show that the game goes wrong. */
export interface WarningEvent {
  event: "warning";
  /** Steps done when it was seen. */
  step: number;
  /** What is wrong, and what to try. */
  message: string;
}

/** What may happen. */
export type RunEvent = RollbackEvent | ResumeEvent | WarningEvent;

/** Adds an event. @throws {UserError} when the file cannot be written */
export async function logEvent(file: string, event: RunEvent): Promise<void> {
  await appendLines(file, [event]);
}

/** Reads the events of a file; a damaged line and what follows it, and events not known, are left out. */
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
    case "warning":
      return typeof message === "string";
    default:
      return event === "rollback" && Number.isFinite(to) && typeof fault === "string" &&
        Number.isFinite(learningRateFactor);
  }
}
