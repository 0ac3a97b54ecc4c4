/** A whole run of a preset of several networks: data, engine, store, loop, images of samples, measures. */
import { DEFAULTS } from "../../config/defaults.ts";
import type { ModelRunDraft } from "../../config/check_model.ts";
import type { SnapshotSpec } from "../../config/types.ts";
import type { ModelData } from "../../data/model_data.ts";
import { openEngine } from "../../engine/open.ts";
import type { Engine } from "../../engine/types.ts";
import { checkWritable } from "../../files.ts";
import { formatInteger } from "../../text.ts";
import { readLatestCheckpoint, removeLaterCheckpoints } from "../../run/checkpoint.ts";
import { folderStore } from "../../run/folder_store.ts";
import { readModelRecord, writeModelRecord } from "../../run/model_record.ts";
import {
  createRunFolder,
  openRunFolder,
  readModelConfig,
  type RunFolder,
  writeConfig,
} from "../../run/run_folder.ts";
import { openTensorboardLog } from "../../run/tensorboard/tensorboard_run.ts";
import type { HostTensors } from "../../tensor/types.ts";
import type { Evaluator } from "../../training/evaluations.ts";
import { modelFeed } from "../../training/model/model_feed.ts";
import { planRemark, planRun } from "../../training/schedule.ts";
import type { Checkpoint, TrainingStore } from "../../training/store.ts";
import { train, type TrainingResult } from "../../training/train.ts";
import { type ModelRunner, openModelRunner } from "../model_runner.ts";
import { cacheOptions } from "../open_data.ts";
import { checkContinues, scheduleChange } from "../open_store.ts";
import type { RunCallbacks } from "../run_options.ts";
import { dropLaterImages, writeImage, writeSamplesGif } from "../snapshots.ts";
import { type OpenedModelRun, openModelRun } from "./open_model_run.ts";
import type { ModelAtStep } from "./preset.ts";

/** What to train, where, and the callbacks. */
export interface ModelTrainingSetup {
  draft: ModelRunDraft;
  /** `--set` options of the networks. */
  assignments?: readonly string[];
  /** The folder of all runs. */
  runsFolder: string;
  /** The folder of decoded data, or null to decode each time. */
  cacheFolder?: string | null;
  /** A run's folder to continue in, instead of a new one. */
  resume?: string;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  callbacks: ModelRunCallbacks;
}

/** A run's callbacks. */
export interface ModelRunCallbacks extends Omit<RunCallbacks, "onData" | "onStart"> {
  /** The data are open. */
  onData?: (data: ModelData) => void;
  /** The first step is about to be compiled. */
  onStart?: (start: ModelRunStart) => void;
}

/** A run that is about to start or continue. */
export interface ModelRunStart {
  folder: string;
  /** Steps done in earlier sessions. */
  step: number;
  totalSteps: number;
  /** Elements of each network's parameters and buffers. */
  parameters: Record<string, number>;
  /** What the samples of a step are. */
  unit: string;
  /** The updates whose losses are shown. */
  updates: string[];
  remark?: string;
}

/** A run that has ended, with what an export, a report or an evaluation needs. */
export interface CompletedModelTraining extends OpenedModelRun, AsyncDisposable {
  engine: Engine;
  folder: RunFolder;
  store: TrainingStore;
  runner: ModelRunner;
  result: TrainingResult;
  gif: string | undefined;
}

/** Where a config says nothing. */
export const DEFAULT_SNAPSHOTS: SnapshotSpec = { rows: 4, columns: 4 };

/** Samples that are measured during training. */
const QUICK_COUNT = 200;

/**
 * Trains a model of a preset from its beginning, or from the latest checkpoint of a run.
 * @throws {UserError} when the config does not fit the data, or a file is damaged
 * @throws {TrainingDivergedError | DeviceLostError | StorageError} when training cannot go on
 */
export async function runModelTraining(
  setup: ModelTrainingSetup,
): Promise<CompletedModelTraining> {
  const { runsFolder, resume, signal, callbacks } = setup;
  if (resume === undefined) await checkWritable(runsFolder); // before minutes of decoding
  const opened = await openModelRun(setup.draft, {
    assignments: setup.assignments,
    signal,
    onProgress: callbacks.onLoading,
    onData: callbacks.onData,
    ...cacheOptions(setup.cacheFolder, runsFolder),
  });
  const { config, data, step, preset } = opened;
  const { seed = DEFAULTS.model.seed, device = DEFAULTS.model.device, divergence } = config;
  const { checkpoints = DEFAULTS.model.checkpoints, duration, evaluation } = config;
  const { snapshots = DEFAULT_SNAPSHOTS } = config;
  const loop = { seed, divergence, checkpoints, duration, snapshots, evaluation };
  const plan = planRun(loop, {
    sampleCount: data.count,
    samplesPerStep: step.samplesPerStep,
  });

  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => closeData(data));
  const { engine, reason, hint } = await openEngine(device);
  cleanup.defer(() => engine.dispose());
  callbacks.onEngine?.({ description: engine.description, reason, hint });
  const runner = openModelRunner({ spec: config.model, step, engine });
  cleanup.defer(() => runner.dispose());
  const { folder, checkpoint } = await openFolder(opened, {
    runsFolder,
    resume,
    engine,
    totalSteps: plan.totalSteps,
    warn: callbacks.onWarning ?? (() => {}),
  });
  cleanup.use(folder);
  const files = folderStore(folder);
  const log = config.tensorboard
    ? await openTensorboardLog({ folder, store: files, config }, {
      step: checkpoint?.step ?? 0,
      measure: evaluation && preset.measure,
    })
    : undefined;
  if (log) cleanup.use(log);
  const store = log?.store ?? files;
  const run = { ...opened, engine, runner };

  callbacks.onStart?.({
    folder: folder.path,
    step: checkpoint?.step ?? 0,
    totalSteps: plan.totalSteps,
    parameters: parameterCounts(opened),
    unit: preset.unit,
    updates: config.model.updates.map(({ name }) => name),
    remark: planRemark(loop, plan),
  });
  const result = await train(
    {
      config: loop,
      data,
      engine,
      store,
      trainingStep: step,
      feed: modelFeed({ seed, data, step }),
      evaluator: evaluation && evaluatorOf(run),
      resume: checkpoint,
    },
    {
      signal,
      onProgress: callbacks.onProgress,
      onEvaluation: callbacks.onEvaluation,
      onWarning: callbacks.onWarning,
      onRollback: ({ to }) => dropLaterImages(folder, to),
      async onSnapshot({ step: at, state }) {
        const image = await preset.draw(modelAt(run, state), {
          grid: snapshots,
          title: `${config.recipe.preset}: samples`,
          subtitle: `step ${formatInteger(at)}`,
        });
        if (!image) return;
        const path = await writeImage(`${folder.samples}/${String(at).padStart(8, "0")}`, image);
        callbacks.onImage?.(path);
        await log?.addImage(at, path);
      },
    },
  );
  if (!result.interrupted) await log?.complete();
  const gif = await writeSamplesGif(folder);
  const resources = cleanup.move();
  return {
    ...run,
    folder,
    store,
    result,
    gif,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A model with the weights of a state, to draw or to measure. */
export function modelAt(
  run: Pick<CompletedModelTraining, "config" | "data" | "engine" | "runner">,
  state: HostTensors,
): ModelAtStep {
  const { config, data, engine, runner } = run;
  return {
    recipe: config.recipe,
    model: config.model,
    data,
    engine,
    compute: (inputs, options) => runner.compute(state, inputs, options),
  };
}

/** Closes files that data are read from. */
export function closeData(data: ModelData): void {
  for (const source of Object.values(data.inputs)) source.close?.();
}

function evaluatorOf(
  run: Pick<CompletedModelTraining, "config" | "data" | "engine" | "runner" | "preset">,
): Evaluator {
  const { preset } = run;
  return {
    measure: preset.measure,
    samples: QUICK_COUNT,
    async evaluate(state) {
      const found = await preset.evaluate(modelAt(run, state), {
        count: QUICK_COUNT,
        isQuick: true,
      });
      return {
        samples: QUICK_COUNT,
        measures: Object.fromEntries(found.map(({ name, value }) => [name, value])),
      };
    },
  };
}

/** A new run's folder, or that of a run that continues, once all is known to fit. */
async function openFolder(
  { config, data, step }: OpenedModelRun,
  { runsFolder, resume, engine, totalSteps, warn }: {
    runsFolder: string;
    resume: string | undefined;
    engine: Engine;
    totalSteps: number;
    warn(message: string): void;
  },
): Promise<{ folder: RunFolder; checkpoint?: Checkpoint }> {
  if (resume === undefined) {
    const folder = await createRunFolder(runsFolder, config, data.name);
    await writeModelRecord(folder.path, data);
    return { folder };
  }
  const folder = await openRunFolder(resume);
  try {
    const checkpoint = await readLatestCheckpoint(folder.checkpoints, warn);
    checkContinues(checkpoint, {
      initial: step.initialState(config.seed ?? DEFAULTS.model.seed),
      run: folder.path,
      totalSteps,
      engine,
      warn,
    });
    const before = await readModelRecord(folder.path).catch(() => undefined);
    if (before && before.fingerprint !== data.fingerprint) {
      warn(`the run was trained on other data (${before.description}) so far`);
    }
    const { duration, batchSize } = await readModelConfig(folder.path);
    const planned = "steps" in duration
      ? duration.steps
      : duration.epochs * Math.floor(data.count / batchSize);
    const change = scheduleChange(config, { step: checkpoint.step, totalSteps, planned });
    if (change !== undefined) warn(change);
    // Nothing is written before all of that is known to fit.
    await removeLaterCheckpoints(folder.checkpoints, checkpoint.step);
    await dropLaterImages(folder, checkpoint.step);
    await writeConfig(folder, config);
    await writeModelRecord(folder.path, data);
    return { folder, checkpoint };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** Elements of each network. */
function parameterCounts({ step }: Pick<OpenedModelRun, "step">): Record<string, number> {
  return Object.fromEntries(
    Object.entries(step.networks).map(([name, { parameters }]) => [
      name,
      parameters.reduce(
        (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
        0,
      ),
    ]),
  );
}
