/** Where a run keeps its things: memory, a new folder, or that of a run that continues once all is known to fit. */
import { formatInteger } from "../text.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
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
import { checkStateFits, type Switchable, withSwitchedParts } from "../training/check_state.ts";
import { createMemoryStore } from "../training/memory_store.ts";
import type { Checkpoint, TrainingStore } from "../training/store.ts";
import { folderStore } from "../run/folder_store.ts";
import { learningRateScale, planRun } from "../training/schedule.ts";
import type { TrainingStep } from "../training/step.ts";
import { dropLaterImages } from "./snapshots.ts";

/** The run that a store is opened for. */
export interface OpeningRun {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  trainingStep: TrainingStep;
  totalSteps: number;
}

/** Where a run's folder is. */
export interface StoreOptions {
  /** The folder of all runs; without it, and without `resume`, the run stays in memory. */
  runsFolder?: string;
  /** A run's folder to continue in, instead of a new one. */
  resume?: string;
  onWarning?: (message: string) => void;
}

/** A store, its folder where it has one, and the checkpoint that a resumed run continues from. */
export interface OpenedStore {
  store: TrainingStore;
  folder?: RunFolder;
  checkpoint?: Checkpoint;
}

/**
 * Opens the store of a new run, or of one that continues from its last checkpoint.
 * @throws {UserError} when the folder cannot be written, or the run does not fit
 */
export async function openRunStore(
  opening: OpeningRun,
  { runsFolder, resume, onWarning: warn = () => {} }: StoreOptions,
): Promise<OpenedStore> {
  const { config, data } = opening;
  if (resume === undefined && runsFolder === undefined) return { store: createMemoryStore() };
  if (resume === undefined) {
    const folder = await createRunFolder(runsFolder!, config, data.name);
    await writeDataRecord(folder.path, data);
    return { store: folderStore(folder), folder };
  }
  const folder = await openRunFolder(resume);
  try {
    const stored = await readLatestCheckpoint(folder.checkpoints, warn);
    const initial = opening.trainingStep.initialState(config.seed);
    const { checkpoint, changes } = withSwitchedParts(stored, initial);
    changes.forEach(warn);
    await checkResume(opening, { folder, checkpoint, warn });
    // Nothing is written before all of that is known to fit.
    await removeLaterCheckpoints(folder.checkpoints, checkpoint.step);
    await dropLaterImages(folder, checkpoint.step);
    await writeConfig(folder, config);
    await writeDataRecord(folder.path, data);
    return { store: withParts(folderStore(folder), initial), folder, checkpoint };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** A store whose checkpoints have the parts that the config has, also those that were written without. */
function withParts(store: TrainingStore, initial: HostTensors): TrainingStore {
  const fitted = <Stored extends Switchable>(stored: Stored): Stored =>
    withSwitchedParts(stored, initial).checkpoint;
  const { checkpoints } = store;
  return {
    ...store,
    checkpoints: {
      ...checkpoints,
      readLatest: async (onWarning) => fitted(await checkpoints.readLatest(onWarning)),
      read: async (step) => fitted(await checkpoints.read(step)),
    },
  };
}

/** A run that continues. */
interface Resumed {
  folder: RunFolder;
  checkpoint: Checkpoint;
  warn(message: string): void;
}

/**
 * Checks that a run can continue from a checkpoint.
 * @throws {UserError} when the weights do not fit, or the run is already longer than it is to be
 */
async function checkResume(opening: OpeningRun, resumed: Resumed): Promise<void> {
  const { config, data, engine, trainingStep, totalSteps } = opening;
  const { folder, checkpoint, warn } = resumed;
  checkContinues(checkpoint, {
    initial: trainingStep.initialState(config.seed),
    run: folder.path,
    totalSteps,
    engine,
    warn,
  });
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
  const change = scheduleChange(config, { step: checkpoint.step, totalSteps, planned });
  if (change !== undefined) warn(change);
}

/**
 * Checks a checkpoint of any kind of run: its tensors and its step; another engine is warned of.
 * @throws {UserError} when the weights do not fit, or the run is already longer than it is to be
 */
export function checkContinues(
  checkpoint: Checkpoint,
  { initial, run, totalSteps, engine, warn }: {
    /** The state that the config would start with. */
    initial: HostTensors;
    /** Names the run in messages. */
    run: string;
    totalSteps: number;
    engine: Engine;
    warn(message: string): void;
  },
): void {
  checkStateFits(checkpoint.state, initial, run);
  if (checkpoint.step > totalSteps) {
    throw new UserError(
      `Cannot resume ${run} to step ${totalSteps}: it has ${checkpoint.step} steps already; ` +
        "give more with --steps or --epochs",
    );
  }
  if (checkpoint.engine !== engine.name) {
    warn(
      `the checkpoint was made by the engine ${checkpoint.engine}, and this one is ${engine.name}: ` +
        "training continues, with slightly different rounding",
    );
  }
}

/** What another length does to learning rates that decay over the whole run. @returns undefined: nothing */
export function scheduleChange(
  { learningRateSchedule: spec }: Pick<RunConfig, "learningRateSchedule">,
  { step, totalSteps, planned }: { step: number; totalSteps: number; planned: number },
): string | undefined {
  const isFixed = !spec || spec.shape === "constant" || spec.steps !== undefined;
  if (isFixed || totalSteps === planned) return undefined;
  const [was, is] = [planned, totalSteps].map((length) =>
    `${(100 * learningRateScale(spec, { step, totalSteps: length })).toFixed(0)}%`
  );
  return `learning rates decay over the whole run (${spec.shape}): with ${
    formatInteger(totalSteps)
  } steps in place of ${
    formatInteger(planned)
  } they continue at ${is} of their initial value, and were at ` +
    `${was}; --set learningRateSchedule.steps=${planned} keeps the schedule`;
}
