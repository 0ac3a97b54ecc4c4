/** A whole training run: data, engine, store, loop, images of samples. */
import { elementCount } from "../bytes.ts";
import { logitKind } from "../config/objective.ts";
import type { RunConfig } from "../config/types.ts";
import type { DataSource } from "../data/source.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { freeHostBytes, memoryText } from "../engine/host_memory.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { CollapseWatch } from "../evaluation/collapse.ts";
import { planEvaluation } from "../evaluation/evaluation_plan.ts";
import { openEvaluator } from "../evaluation/evaluator.ts";
import type { Network } from "../nn/mod.ts";
import type { RunFolder } from "../run/run_folder.ts";
import { openTensorboardLog } from "../run/tensorboard/tensorboard_run.ts";
import type { GanNetworks } from "../training/gan_state.ts";
import { planRemark, planRun } from "../training/schedule.ts";
import { buildTrainingStep, type TrainingStep } from "../training/step.ts";
import { watchStopRequests } from "../run/stop_request.ts";
import { createFollowerStore } from "../training/follower_store.ts";
import type { TrainingStore } from "../training/store.ts";
import { train, type TrainingResult } from "../training/train.ts";
import { type OpenedStore, openRunStore } from "./open_store.ts";
import {
  broadcastCheckpoint,
  checkRanksAgree,
  distributedNotes,
  rankThreads,
  shareOf,
} from "./ranks.ts";
import type { RunCallbacks } from "./run_options.ts";
import { startFrom } from "./start_from.ts";
import { dropLaterImages, openSnapshots, type SnapshotWriter } from "./snapshots.ts";

/** What to train, where, and the callbacks. */
export interface TrainingRunSetup {
  config: RunConfig;
  data: DataSource;
  /** Closes the data, once the run is done with. */
  close?: () => void;
  /** The folder of all runs; without it, and without `resume`, the run stays in memory. */
  runsFolder?: string;
  /** A run's folder to continue in, instead of a new one. */
  resume?: string;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  /** The processes that train together; default this one alone. Only rank 0's callbacks are called. */
  ranks?: Communicator;
  /** Threads on the CPU. Default: the machine's cores, shared out among its ranks. */
  threads?: number;
  callbacks: RunCallbacks;
}

/** A run that has ended, with everything that an export, a report or an evaluation needs. */
export interface CompletedTraining extends AsyncDisposable {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  /** Undefined for a run in memory. */
  folder: RunFolder | undefined;
  store: TrainingStore;
  trainingStep: TrainingStep;
  /** How far it went, and the state that it reached. */
  result: TrainingResult;
  snapshots: SnapshotWriter;
  /** `samples.gif`, where there are images of samples. */
  gif: string | undefined;
}

/** A training that has ended, in a run folder. */
export type CompletedFolderTraining = CompletedTraining & { folder: RunFolder };

/**
 * Trains a config from its beginning, or from the latest checkpoint of a run.
 * @throws {UserError} when the config does not fit the data or the memory, or a file is damaged
 * @throws {TrainingDivergedError | DeviceLostError | StorageError} when training cannot go on
 */
export async function runTraining(setup: TrainingRunSetup): Promise<CompletedTraining> {
  const { config, data, signal, resume } = setup;
  const ranks = setup.ranks && setup.ranks.size > 1 ? setup.ranks : undefined;
  const isWriter = !ranks || ranks.rank === 0;
  const callbacks: RunCallbacks = isWriter ? setup.callbacks : {};
  const share = shareOf(ranks, config.distributed);
  const built = buildTrainingStep(config, {
    shape: [...data.shape],
    classCount: data.classNames?.length,
  }, { share });
  if (ranks) built.program.collective = ranks;
  checkWeightsFit(built, freeHostBytes());
  const started = config.from === undefined || resume !== undefined
    ? undefined
    : await startFrom(config.from, {
      initial: built.initialState(config.seed),
      networks: built.networks,
      runsFolder: setup.runsFolder ?? "runs",
    });
  const trainingStep = started ? { ...built, initialState: () => started.state } : built;
  const plan = planRun(config, {
    sampleCount: data.count,
    samplesPerStep: trainingStep.samplesPerStep,
  });
  const { totalSteps } = plan;
  const evaluation = config.evaluation && isWriter
    ? planEvaluation(config.evaluation, data)
    : undefined;

  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => setup.close?.());
  const { engine, reason, hint } = await openEngine(config.device, {
    threads: setup.threads ?? rankThreads(ranks),
  });
  cleanup.defer(() => engine.dispose());
  callbacks.onEngine?.({ description: engine.description, reason, hint });

  const initial = ranks && trainingStep.initialState(config.seed);
  if (ranks && initial) await checkRanksAgree(ranks, { config, data, engine, initial });

  const { generator, discriminator } = trainingStep;
  const evaluator = evaluation && await openEvaluator({
    plan: evaluation,
    data,
    engine,
    generator,
    latent: config.latent,
    folder: resume,
    onStage: callbacks.onStage,
  });
  if (evaluator) cleanup.defer(() => evaluator.dispose());
  const opened: OpenedStore = isWriter
    ? await openRunStore(
      { config, data, engine, trainingStep, totalSteps },
      { runsFolder: setup.runsFolder, resume, onWarning: callbacks.onWarning },
    )
    : { store: createFollowerStore() };
  const { folder } = opened;
  const checkpoint = initial
    ? await broadcastCheckpoint(ranks, opened.checkpoint, initial)
    : opened.checkpoint;
  if (folder) {
    cleanup.use(folder);
    await evaluator?.keep(folder.path);
  }
  const log = folder && config.tensorboard
    ? await openTensorboardLog({ folder, store: opened.store, config }, {
      step: checkpoint?.step ?? 0,
      measure: config.evaluation?.measure,
    })
    : undefined;
  if (log) cleanup.use(log);
  const store = log?.store ?? opened.store;
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
        callbacks.onWarning?.(message);
        await store.events.append([{ event: "warning", step, message }]);
      }
    },
  });
  cleanup.defer(() => snapshots.dispose());

  callbacks.onStart?.({
    folder: folder?.path,
    step: checkpoint?.step ?? 0,
    totalSteps,
    generatorParameters: valueCount(generator),
    discriminatorParameters: valueCount(discriminator),
    logitKind: logitKind(config.objective.name),
    evaluation,
    remark: planRemark(config, plan),
    from: started?.lines,
    ranks: ranks?.description,
    notes: distributedNotes(config, share),
  });
  const requests = folder && watchStopRequests(folder.path, () => {
    callbacks.onWarning?.("asked to stop from outside: saving a checkpoint");
  });
  const training = train(
    {
      config,
      data,
      engine,
      store,
      trainingStep,
      evaluator,
      resume: checkpoint,
      ranks,
      averageEvery: config.distributed?.every,
    },
    {
      signal: anySignal(signal, requests?.signal),
      onProgress(progress) {
        scalars = progress.scalars;
        callbacks.onProgress?.(progress);
      },
      onEvaluation: callbacks.onEvaluation,
      async onRollback({ to }) {
        if (folder) await dropLaterImages(folder, to);
      },
      onWarning: callbacks.onWarning,
      onSnapshot: !isWriter ? undefined : async (snapshot) => {
        const path = await snapshots.write(snapshot);
        if (path === undefined) return;
        callbacks.onImage?.(path);
        await log?.addImage(snapshot.step, path);
      },
    },
  );
  const result = await training.finally(() => requests?.[Symbol.dispose]());
  if (!result.interrupted) await log?.complete();
  const gif = await snapshots.writeGif();
  const resources = cleanup.move();
  return {
    config,
    data,
    engine,
    folder,
    store,
    trainingStep,
    result,
    snapshots,
    gif,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Aborted as soon as one of them is. */
function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/**
 * Checks that weights can be made at all: the engine checks the rest, once it knows the step.
 * @throws {UserError} when the host's copy and the engine's are more than the machine has
 */
export function checkWeightsFit(
  { generator, discriminator }: GanNetworks,
  freeBytes: number | undefined,
): void {
  const bytes = 2 * 4 * (valueCount(generator) + valueCount(discriminator));
  if (freeBytes === undefined || bytes <= freeBytes) return;
  throw new UserError(
    `Cannot train these networks: two copies of their weights alone need ${
      memoryText(bytes)
    }, and ` +
      `${memoryText(freeBytes)} are available; use smaller networks`,
  );
}

function valueCount(network: Network): number {
  return network.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
