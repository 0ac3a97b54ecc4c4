/** A whole training run: data, engine, run folder, loop, pictures. What `deno task train` calls. */
import type { RunConfig } from "../config/run_config.ts";
import { openDataSource } from "../data/open.ts";
import type { DataSource } from "../data/source.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import type { Network } from "../nn/mod.ts";
import { UserError } from "../errors.ts";
import {
  checkFits,
  type Checkpoint,
  readLatestCheckpoint,
  removeLaterCheckpoints,
} from "../training/checkpoint.ts";
import { readDataRecord, writeDataRecord } from "../training/data_record.ts";
import {
  createRunFolder,
  openRunFolder,
  type RunFolder,
  writeConfig,
} from "../training/run_folder.ts";
import { planRun } from "../training/schedule.ts";
import { buildTrainingStep, type TrainingStep } from "../training/step.ts";
import { train, type TrainingProgress, type TrainingResult } from "../training/train.ts";
import { CollapseWatch } from "./collapse.ts";
import { dropLaterPictures, openSnapshots, type SnapshotWriter } from "./snapshots.ts";

/** How to train. */
export interface TrainRunOptions {
  /** The folder of all runs. Default `runs`. */
  runsFolder?: string;
  /** A run's folder to go on in, instead of a new one. */
  resume?: string;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  /** Told of everything that happens. */
  observer?: TrainRunObserver;
}

/** Who watches a run. Every method is optional. */
export interface TrainRunObserver {
  /** Pictures are being decoded. */
  onLoading?(progress: { done: number; total: number }): void;
  /** The data are open. */
  onData?(data: DataSource): void;
  /** The engine is open: what it runs on, and why it was taken. */
  onEngine?(description: string, reason: string): void;
  /** The first step is about to be compiled. */
  onStart?(start: RunStart): void;
  /** After each stretch of steps. */
  onProgress?(progress: TrainingProgress): void;
  /** A picture was written. */
  onPicture?(path: string): void;
  /** Something is wrong that the run survives. */
  onWarning?(message: string): void;
}

/** A run that is about to start or go on. */
export interface RunStart {
  /** Where it keeps its things. */
  folder: RunFolder;
  /** Steps done in earlier sessions. */
  step: number;
  /** Steps when it is done. */
  totalSteps: number;
  /** Numbers in the generator's weights and buffers. */
  generatorParameters: number;
  /** Numbers in the discriminator's weights and buffers. */
  discriminatorParameters: number;
}

/** A run that has ended, with all that an export, a report or an evaluation needs. */
export interface FinishedRun extends AsyncDisposable {
  /** What was trained. */
  config: RunConfig;
  /** What it was trained on. */
  data: DataSource;
  /** Where it keeps its things. */
  folder: RunFolder;
  /** How far it went, and the state that it reached. */
  result: TrainingResult;
  /** @internal */
  engine: Engine;
  /** @internal */
  trainingStep: TrainingStep;
  /** @internal */
  snapshots: SnapshotWriter;
  /** `samples.gif`, if there were pictures. */
  gif: string | undefined;
}

/**
 * Trains a config from its beginning, or from the latest checkpoint of a run.
 * @throws {UserError} when the config does not fit the data, a file is damaged, or the disc is full
 * @throws {TrainingDivergedError} when numbers blow up as often as the config lets them
 */
export async function trainRun(
  config: RunConfig,
  options: TrainRunOptions = {},
): Promise<FinishedRun> {
  const { observer = {}, signal } = options;
  const data = await openDataSource(config.data, {
    signal,
    onProgress: observer.onLoading?.bind(observer),
  });
  observer.onData?.(data);
  const trainingStep = buildTrainingStep(config, {
    shape: [...data.shape],
    classCount: data.classNames?.length,
  });
  const { totalSteps } = planRun(config, data.count, trainingStep.samplesPerStep);

  await using cleanup = new AsyncDisposableStack();
  const { engine, reason } = await openEngine(config.device);
  cleanup.defer(() => engine.dispose());
  observer.onEngine?.(engine.description, reason);

  const { folder, checkpoint } = await openFolder(
    { config, data, engine, trainingStep, totalSteps },
    options,
  );
  cleanup.use(folder);
  const watch = new CollapseWatch(data, config.objective.name);
  let scalars: Record<string, number> = {};
  const snapshots = await openSnapshots({
    config,
    data,
    engine,
    folder,
    generator: trainingStep.generator,
    onSamples(samples, step) {
      for (const warning of watch.look({ step, totalSteps, samples, scalars })) {
        observer.onWarning?.(warning);
      }
    },
  });
  cleanup.defer(() => snapshots.dispose());

  observer.onStart?.({
    folder,
    step: checkpoint?.step ?? 0,
    totalSteps,
    generatorParameters: countNumbers(trainingStep.generator),
    discriminatorParameters: countNumbers(trainingStep.discriminator),
  });
  const result = await train(
    { config, data, engine, folder, trainingStep, resume: checkpoint },
    {
      signal,
      onProgress(progress) {
        scalars = progress.scalars;
        observer.onProgress?.(progress);
      },
      onRollback: ({ to }) => dropLaterPictures(folder, to),
      onWarning: observer.onWarning?.bind(observer),
      async onSnapshot(snapshot) {
        const path = await snapshots.write(snapshot);
        if (path !== undefined) observer.onPicture?.(path);
      },
    },
  );
  const gif = await snapshots.writeGif();
  const resources = cleanup.move();
  return {
    config,
    data,
    engine,
    folder,
    trainingStep,
    result,
    snapshots,
    gif,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function countNumbers(network: Network): number {
  return network.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** What a run's folder is opened for. */
interface Opening {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  trainingStep: TrainingStep;
  totalSteps: number;
}

async function openFolder(
  opening: Opening,
  { runsFolder = "runs", resume, observer }: TrainRunOptions,
): Promise<{ folder: RunFolder; checkpoint?: Checkpoint }> {
  const { config, data } = opening;
  if (resume === undefined) {
    const folder = await createRunFolder(runsFolder, config, data.name);
    await writeDataRecord(folder.path, data);
    return { folder };
  }
  const folder = await openRunFolder(resume);
  try {
    const warn = (message: string) => observer?.onWarning?.(message);
    const checkpoint = await readLatestCheckpoint(folder.checkpoints, warn);
    await checkResume(opening, folder, checkpoint, warn);
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

/**
 * Checks that a run can go on from a checkpoint.
 * @throws {UserError} when the weights do not fit, or the run is already longer than it is to be
 */
async function checkResume(
  { config, data, engine, trainingStep, totalSteps }: Opening,
  folder: RunFolder,
  checkpoint: Checkpoint,
  warn: (message: string) => void,
): Promise<void> {
  checkFits(checkpoint.state, trainingStep.initialState(config.seed), folder.path);
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
}
