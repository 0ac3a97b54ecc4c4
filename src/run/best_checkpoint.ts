/**
 * Which of a run's checkpoints is the best: `checkpoints/best.json` names it, and that one is kept when
 * older ones are removed. It is a pointer, so that the best is written once and as safely as any other.
 */
import { type CheckpointChoice, MEASURES } from "../config/evaluation.ts";
import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";
import type { BestCheckpoint } from "../training/store.ts";
import {
  checkpointPath,
  checkpointSteps,
  readCheckpoint,
  readLatestCheckpoint,
  type StoredCheckpoint,
} from "./checkpoint.ts";

/** Reads which checkpoint is the best. @returns undefined where none was found, or the file is damaged */
export async function readBest(folder: string): Promise<BestCheckpoint | undefined> {
  try {
    const text = await Deno.readTextFile(bestFile(folder));
    const best = JSON.parse(text) as Partial<BestCheckpoint> | null;
    const { step, measure, value } = best ?? {};
    const isBest = Number.isSafeInteger(step) && typeof measure === "string" &&
      Object.hasOwn(MEASURES, measure) &&
      Number.isFinite(value);
    return isBest ? best as BestCheckpoint : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Records which checkpoint is the best; undefined: none is known. */
export async function writeBest(folder: string, best: BestCheckpoint | undefined): Promise<void> {
  if (best) {
    const text = JSON.stringify(best) + "\n";
    await writeFileAtomically(bestFile(folder), new TextEncoder().encode(text));
    return;
  }
  try {
    await Deno.remove(bestFile(folder));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Reads a checkpoint by choice.
 * @param folder the run's `checkpoints` folder
 * @param choice the best, the last that is whole, or that of a step
 * @param onWarning called for each damaged one that is skipped for `last`
 * @throws {UserError} when there is none such
 */
export async function readChosenCheckpoint(
  folder: string,
  choice: CheckpointChoice | number,
  { onWarning }: { onWarning?: (message: string) => void } = {},
): Promise<StoredCheckpoint> {
  if (choice === "last") return await readLatestCheckpoint(folder, onWarning);
  const step = choice === "best" ? (await readBest(folder))?.step : choice;
  if (step === undefined && await hasBest(folder)) {
    throw new UserError(
      `Cannot find the best checkpoint by ${
        bestFile(folder)
      }: the file is damaged; resuming the run ` +
        "writes it again, or name a checkpoint by its step",
    );
  }
  if (step === undefined) {
    throw new UserError(
      `Cannot find the best checkpoint in ${folder}: the run was not evaluated while it was trained; ` +
        "take the last one, or train with --evaluate-every N",
    );
  }
  const steps = await checkpointSteps(folder);
  if (steps.includes(step)) return await readCheckpoint(checkpointPath(folder, step));
  throw new UserError(
    `Cannot find the checkpoint of step ${step} in ${folder}: it has ${
      steps.length ? `those of ${steps.join(", ")}` : "none"
    }`,
  );
}

async function hasBest(folder: string): Promise<boolean> {
  return await Deno.stat(bestFile(folder)).then(() => true, () => false);
}

function bestFile(folder: string): string {
  return `${folder}/best.json`;
}
