/** `events.jsonl`: what happened to a run besides its steps, one JSON object a line, oldest first. */
import { writeError } from "./atomic_file.ts";

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

/** Adds an event. @throws {UserError} when the file cannot be written */
export async function logEvent(file: string, event: RollbackEvent): Promise<void> {
  try {
    await Deno.writeTextFile(file, JSON.stringify(event) + "\n", { append: true });
  } catch (error) {
    throw writeError(file, error);
  }
}
