/** What `deno task train` does with a run of any kind: trains, finishes, and says what Ctrl-C left. */
import { formatInteger } from "../../src/text.ts";
import type { TrainingResult } from "../../src/training/train_types.ts";
import { NO_JSON, type TaskOutcome } from "../../cli/command.ts";
import { stoppingText, withInterrupt } from "./watch.ts";

/** A run whose training has ended. */
interface EndedRun extends AsyncDisposable {
  readonly result: Pick<TrainingResult, "step" | "interrupted">;
}

/** How a run of some kind is trained and finished. */
interface TrainingPlan<Run extends EndedRun> {
  /** Trains to the end, or to where the signal stops it, and tells of the run's folder as soon as it is there. */
  train(signal: AbortSignal, onFolder: (folder?: string) => void): Promise<Run>;
  /** Exports, measures, reports. @returns what `--json` prints */
  finish(run: Run, signal: AbortSignal): Promise<Record<string, unknown>>;
  log(message: string): void;
  /** Whether this process writes the run: rank 0, or a process alone. */
  isWriter: boolean;
}

/** Trains a run and finishes it; a stop by Ctrl-C says how to go on. */
export async function trainToEnd<Run extends EndedRun>(
  plan: TrainingPlan<Run>,
): Promise<TaskOutcome> {
  let folder: string | undefined;
  let trained = false;
  const outcome = await withInterrupt(
    async (signal): Promise<TaskOutcome> => {
      await using run = await plan.train(signal, (path) => folder = path);
      const { step, interrupted } = run.result;
      if (!plan.isWriter) return { exitCode: interrupted ? 130 : 0, json: NO_JSON };
      if (interrupted) {
        console.log(
          `stopped   at step ${formatInteger(step)}, saved; go on with\n` +
            `          deno task train --resume ${folder}`,
        );
        return { exitCode: 130, json: { run: folder, step, interrupted: true } };
      }
      trained = true;
      return { json: await plan.finish(run, signal) };
    },
    () => plan.log(stoppingText(folder, trained)),
  );
  if (outcome) return outcome;
  if (trained) console.log(`stopped   trained and saved; export with deno task export ${folder}`);
  return { exitCode: 130, json: { run: folder ?? null, interrupted: true } };
}
