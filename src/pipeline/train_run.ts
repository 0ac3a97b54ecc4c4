/** A whole training run: data, engine, run folder, loop, pictures. What `deno task train` calls. */
import { elementCount } from "../bytes.ts";
import { type LogitKind, logitKind } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import { openDataSource } from "../data/open.ts";
import type { LoadProgress } from "../data/images/load_images.ts";
import type { DataSource } from "../data/source.ts";
import { freeHostBytes, megabytes } from "../engine/host_memory.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import type { Network } from "../nn/mod.ts";
import { folderStore } from "../run/folder_store.ts";
import type { RunFolder } from "../run/run_folder.ts";
import { planRun } from "../training/schedule.ts";
import { buildTrainingStep, type TrainingStep } from "../training/step.ts";
import {
  type EvaluationProgress,
  train,
  type TrainingProgress,
  type TrainingResult,
} from "../training/train.ts";
import { CollapseWatch } from "../evaluation/collapse.ts";
import { type EvaluationPlan, planEvaluation } from "../evaluation/evaluation_plan.ts";
import { openEvaluator } from "../evaluation/evaluator.ts";
import { openFolder } from "./open_folder.ts";
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
  /** Images are being looked at, and then decoded. */
  onLoading?(progress: LoadProgress): void;
  /** The data are open. */
  onData?(data: DataSource): void;
  /** Something is made ready that takes seconds. */
  onStage?(what: string): void;
  /** The engine is open: what it runs on, and why it was taken. */
  onEngine?(description: string, reason: string): void;
  /** The first step is about to be compiled. */
  onStart?(start: RunStart): void;
  /** After each stretch of steps. */
  onProgress?(progress: TrainingProgress): void;
  /** Samples were measured. */
  onEvaluation?(evaluation: EvaluationProgress): void;
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
  /** What D's verdicts are. */
  verdicts: LogitKind;
  /** What is measured during training, where something is. */
  evaluation: EvaluationPlan | undefined;
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
 * @throws {UserError} when the config does not fit the data or the memory, a file is damaged, or the
 * disc is full
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
  checkWeights(trainingStep, freeHostBytes());
  const { totalSteps } = planRun(config, {
    sampleCount: data.count,
    samplesPerStep: trainingStep.samplesPerStep,
  });
  const evaluation = config.evaluation && planEvaluation(config.evaluation, data);

  await using cleanup = new AsyncDisposableStack();
  const { engine, reason } = await openEngine(config.device);
  cleanup.defer(() => engine.dispose());
  observer.onEngine?.(engine.description, reason);

  const { generator } = trainingStep;
  const evaluator = evaluation && await openEvaluator({
    plan: evaluation,
    data,
    engine,
    generator,
    latent: config.latent,
    folder: options.resume,
    onStage: observer.onStage?.bind(observer),
  });
  if (evaluator) cleanup.defer(() => evaluator.dispose());
  const { folder, checkpoint } = await openFolder(
    { config, data, engine, trainingStep, totalSteps },
    { ...options, warn: (message) => observer.onWarning?.(message) },
  );
  cleanup.use(folder);
  const store = folderStore(folder);
  await evaluator?.keep(folder.path);
  const watch = new CollapseWatch(data, config.objective.name);
  let scalars: Record<string, number> = {};
  const snapshots = await openSnapshots({
    config,
    data,
    engine,
    folder,
    generator,
    async onSamples(samples, step) {
      for (const message of watch.look({ step, totalSteps, samples, scalars })) {
        observer.onWarning?.(message);
        await store.events.append([{ event: "warning", step, message }]);
      }
    },
  });
  cleanup.defer(() => snapshots.dispose());

  observer.onStart?.({
    folder,
    step: checkpoint?.step ?? 0,
    totalSteps,
    generatorParameters: countNumbers(generator),
    discriminatorParameters: countNumbers(trainingStep.discriminator),
    verdicts: logitKind(config.objective.name),
    evaluation,
  });
  const result = await train(
    { config, data, engine, store, trainingStep, evaluator, resume: checkpoint },
    {
      signal,
      onProgress(progress) {
        scalars = progress.scalars;
        observer.onProgress?.(progress);
      },
      onEvaluation: observer.onEvaluation?.bind(observer),
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

/**
 * Checks that weights can be made at all: the engine checks the rest, once it knows the step.
 * @throws {UserError} when the host's copy and the engine's are more than the machine has
 */
export function checkWeights(
  { generator, discriminator }: Pick<TrainingStep, "generator" | "discriminator">,
  freeBytes: number | undefined,
): void {
  const bytes = 2 * 4 * (countNumbers(generator) + countNumbers(discriminator));
  if (freeBytes === undefined || bytes <= freeBytes) return;
  throw new UserError(
    `Cannot train these networks: two copies of their weights alone need ${
      megabytes(bytes)
    }, and ` +
      `${megabytes(freeBytes)} are available; use smaller networks`,
  );
}

function countNumbers(network: Network): number {
  return network.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
