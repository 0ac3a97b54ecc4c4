/** A run's folder: made for a new run, or taken to go on in once everything is known to fit. */
import { formatInteger } from "../text.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { readLatestCheckpoint, removeLaterCheckpoints } from "../run/checkpoint.ts";
import { readDataRecord, writeDataRecord } from "../run/data_record.ts";
import {
  createRunFolder,
  openRunFolder,
  readRunConfig,
  type RunFolder,
  writeConfig,
} from "../run/run_folder.ts";
import { checkStateFits } from "../training/check_state.ts";
import type { Checkpoint } from "../training/store.ts";
import { learningRateScale, planRun } from "../training/schedule.ts";
import type { TrainingStep } from "../training/step.ts";
import { dropLaterPictures } from "./snapshots.ts";

/** What a run's folder is opened for. */
export interface Opening {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  trainingStep: TrainingStep;
  totalSteps: number;
}

/** Where a run's folder is, and who is told what to mind. */
export interface FolderOptions {
  /** The folder of all runs. Default `runs`. */
  runsFolder?: string;
  /** A run's folder to go on in, instead of a new one. */
  resume?: string;
  warn(message: string): void;
}

/**
 * Makes the folder of a new run, or takes that of one to go on with, with its last checkpoint.
 * @throws {UserError} when the folder cannot be written, or the run does not fit
 */
export async function openFolder(
  opening: Opening,
  { runsFolder = "runs", resume, warn }: FolderOptions,
): Promise<{ folder: RunFolder; checkpoint?: Checkpoint }> {
  const { config, data } = opening;
  if (resume === undefined) {
    const folder = await createRunFolder(runsFolder, config, data.name);
    await writeDataRecord(folder.path, data);
    return { folder };
  }
  const folder = await openRunFolder(resume);
  try {
    const checkpoint = await readLatestCheckpoint(folder.checkpoints, warn);
    await checkResume(opening, { folder, checkpoint, warn });
    // Nothing is written before all of that is known to fit.
    await removeLaterCheckpoints(folder.checkpoints, checkpoint.step);
    await dropLaterPictures(folder, checkpoint.step);
    await writeConfig(folder, config);
    await writeDataRecord(folder.path, data);
    return { folder, checkpoint };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** A run to go on with. */
interface Resumed {
  folder: RunFolder;
  checkpoint: Checkpoint;
  warn(message: string): void;
}

/**
 * Checks that a run can go on from a checkpoint.
 * @throws {UserError} when the weights do not fit, or the run is already longer than it is to be
 */
async function checkResume(opening: Opening, resumed: Resumed): Promise<void> {
  const { config, data, engine, trainingStep, totalSteps } = opening;
  const { folder, checkpoint, warn } = resumed;
  checkStateFits(checkpoint.state, trainingStep.initialState(config.seed), folder.path);
  if (checkpoint.step > totalSteps) {
    throw new UserError(
      `Cannot resume ${folder.path} to step ${totalSteps}: it has ${checkpoint.step} steps already; ` +
        "give more with --steps or --epochs",
    );
  }
  if (checkpoint.engine !== engine.name) {
    warn(
      `the checkpoint was made by the engine ${checkpoint.engine}, and this one is ${engine.name}: ` +
        "training goes on, with slightly different rounding",
    );
  }
  const trainedOn = await readDataRecord(folder.path).catch(() => undefined);
  if (trainedOn && trainedOn.fingerprint !== data.fingerprint) {
    warn(
      `the run was trained on other data (${trainedOn.name}, ${trainedOn.count} samples) so far`,
    );
  }
  const before = await readRunConfig(folder.path);
  const planned = planRun(before, {
    sampleCount: data.count,
    samplesPerStep: trainingStep.samplesPerStep,
  }).totalSteps;
  const bend = scheduleBend(config, { step: checkpoint.step, totalSteps, planned });
  if (bend !== undefined) warn(bend);
}

/** What another length does to learning rates that fall over the whole run. @returns undefined: nothing */
function scheduleBend(
  { learningRateSchedule: spec }: RunConfig,
  { step, totalSteps, planned }: { step: number; totalSteps: number; planned: number },
): string | undefined {
  const isFixed = !spec || spec.shape === "constant" || spec.steps !== undefined;
  if (isFixed || totalSteps === planned) return undefined;
  const [was, is] = [planned, totalSteps].map((length) =>
    `${(100 * learningRateScale(spec, { step, totalSteps: length })).toFixed(0)}%`
  );
  return `learning rates fall over the whole run (${spec.shape}): with ${
    formatInteger(totalSteps)
  } steps in place of ${formatInteger(planned)} they go on at ${is} of their start, and were at ` +
    `${was}; --set learningRateSchedule.steps=${planned} keeps their course`;
}
