/** A whole training run: data, engine, run folder, loop, pictures. What `deno task train` calls. */
import type { RunConfig } from "../config/run_config.ts";
import { openDataSource } from "../data/open.ts";
import type { DataSource } from "../data/source.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import type { Network } from "../nn/mod.ts";
import { type Checkpoint, readLatestCheckpoint } from "../training/checkpoint.ts";
import { writeDataRecord } from "../training/data_record.ts";
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
  const data = await openDataSource(config.data, { signal });
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

  const { folder, checkpoint } = await openFolder(config, data, engine, options);
  cleanup.use(folder);
  await writeDataRecord(folder.path, data);
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

async function openFolder(
  config: RunConfig,
  data: DataSource,
  engine: Engine,
  { runsFolder = "runs", resume, observer }: TrainRunOptions,
): Promise<{ folder: RunFolder; checkpoint?: Checkpoint }> {
  if (resume === undefined) {
    return { folder: await createRunFolder(runsFolder, config, data.name) };
  }
  const folder = await openRunFolder(resume);
  try {
    const warn = (message: string) => observer?.onWarning?.(message);
    const checkpoint = await readLatestCheckpoint(folder.checkpoints, warn);
    if (checkpoint.engine !== engine.name) {
      warn(
        `the checkpoint was made by the engine ${checkpoint.engine}, and this one is ${engine.name}: ` +
          "training goes on, with slightly different rounding",
      );
    }
    await dropLaterPictures(folder, checkpoint.step);
    await writeConfig(folder, config);
    return { folder, checkpoint };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}
