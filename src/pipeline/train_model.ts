/** Training models of several networks, as a program calls it. Everything from outside is checked here. */
import { checkModelConfig } from "../config/check_model.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { ModelRunConfig } from "../config/types.ts";
import type { ModelData } from "../data/model_data.ts";
import { openEngine } from "../engine/open.ts";
import { UserError } from "../errors.ts";
import { readLatestCheckpoint, removeLaterCheckpoints } from "../run/checkpoint.ts";
import { folderStore } from "../run/folder_store.ts";
import {
  createRunFolder,
  findRun,
  openRunFolder,
  readModelConfig,
  type RunFolder,
  writeConfig,
} from "../run/run_folder.ts";
import { checkStateFits } from "../training/check_state.ts";
import { createMemoryStore } from "../training/memory_store.ts";
import { inputShapesOf, modelFeed } from "../training/model/model_feed.ts";
import { buildModelStep, type ModelStep } from "../training/model/model_step.ts";
import type { Checkpoint, TrainingStore } from "../training/store.ts";
import { train, type TrainingProgress } from "../training/train.ts";
import type { ChosenEngine } from "./run_options.ts";
import { type TrainedModel, trainedModel } from "./trained_model.ts";

/** How a model is trained. */
export interface TrainModelOptions {
  /** What to train on, from `modelData()`. */
  data: ModelData;
  /** The folder of all runs, in which this run makes its own. Default: the run stays in memory. */
  runsFolder?: string;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  /** The engine is open. */
  onEngine?: (engine: ChosenEngine) => void;
  /** After each chunk of steps, about every 0.4 seconds. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Something is wrong that the run survives. */
  onWarning?: (message: string) => void;
}

/** How a model's run is resumed. */
export interface ResumeModelOptions extends TrainModelOptions {
  /** A changed config, such as one with more steps. Default: the run's own. */
  config?: ModelRunConfig;
}

/**
 * Trains a model of any number of networks from the beginning: what a step computes and which optimizer
 * changes which networks by which losses are part of the config.
 *
 * @example
 * ```ts
 * import { modelData, tensorData, trainModel } from "@ganforge/ganforge";
 *
 * const x = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
 * const data = modelData({
 *   x: tensorData(x, { shape: [1] }),
 *   y: tensorData(x.map((value) => 0.5 * value), { shape: [1] }),
 * });
 * await using run = await trainModel({
 *   model: {
 *     networks: {
 *       half: { inputShape: [1], init: "torch", layers: [{ type: "dense", units: 1 }] },
 *     },
 *     values: { guess: { op: "network", network: "half", input: "x" } },
 *     updates: [{
 *       name: "fit",
 *       networks: ["half"],
 *       optimizer: { type: "sgd", learningRate: 0.5 },
 *       terms: [{ name: "error", loss: "l2", of: "guess", to: "y" }],
 *     }],
 *     output: "guess",
 *   },
 *   batchSize: 16,
 *   duration: { steps: 50 },
 *   device: "cpu",
 * }, { data });
 * const { guess } = await run.compute({ x: { shape: [1, 1], data: Float32Array.of(0.8) } });
 * console.log(guess.data[0].toFixed(2)); // 0.40
 * ```
 *
 * @throws {UserError} when the config, an option or the data is wrong
 * @throws {TrainingDivergedError} when training diverged as often as the config allows
 * @throws {DeviceLostError} when the GPU was lost
 * @throws {StorageError} when the disk is full
 */
export async function trainModel(
  config: ModelRunConfig,
  options: TrainModelOptions,
): Promise<TrainedModel> {
  const checked = checkModelConfig(config, "the config");
  checkData(options?.data, "train the model");
  const step = buildStep(checked, options.data);
  const { runsFolder } = options;
  if (runsFolder === undefined) {
    return await runModel({ config: checked, step, store: createMemoryStore(), options });
  }
  const folder = await createRunFolder(runsFolder, checked, options.data.name);
  return await runModel({ config: checked, step, store: folderStore(folder), folder, options });
}

/**
 * Continues a model's run from its latest checkpoint, in its folder, to the bits of an uninterrupted one.
 * @param run a run's folder, its name or number in `runsFolder`, or "latest"
 * @throws {UserError} when there is no such run, or the config or the data does not fit it
 * @throws {TrainingDivergedError | DeviceLostError | StorageError} as {@linkcode trainModel}
 */
export async function resumeModel(run: string, options: ResumeModelOptions): Promise<TrainedModel> {
  checkData(options?.data, `resume ${run}`);
  const path = await findRun(run, options.runsFolder ?? "runs");
  const config = options.config
    ? checkModelConfig(options.config, "the config")
    : await readModelConfig(path);
  const step = buildStep(config, options.data);
  const folder = await openRunFolder(path);
  try {
    const resume = await readLatestCheckpoint(folder.checkpoints, options.onWarning);
    checkStateFits(resume.state, step.initialState(config.seed ?? DEFAULTS.model.seed), path);
    await removeLaterCheckpoints(folder.checkpoints, resume.step);
    await writeConfig(folder, config);
    return await runModel({ config, step, store: folderStore(folder), folder, resume, options });
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

interface ModelRun {
  config: ModelRunConfig;
  step: ModelStep;
  store: TrainingStore;
  folder?: RunFolder;
  resume?: Checkpoint;
  options: TrainModelOptions;
}

async function runModel(run: ModelRun): Promise<TrainedModel> {
  const { config, step, store, folder, resume, options } = run;
  const { seed = DEFAULTS.model.seed, device = DEFAULTS.model.device, divergence } = config;
  const { checkpoints = DEFAULTS.model.checkpoints, duration } = config;
  await using cleanup = new AsyncDisposableStack();
  if (folder) cleanup.use(folder);
  const { engine, reason, hint } = await openEngine(device);
  cleanup.defer(() => engine.dispose());
  options.onEngine?.({ description: engine.description, reason, hint });
  const result = await train({
    config: { seed, divergence, checkpoints, duration, snapshots: { rows: 1, columns: 1 } },
    data: options.data,
    engine,
    store,
    trainingStep: step,
    feed: modelFeed({ seed, data: options.data, step }),
    resume,
  }, {
    signal: options.signal,
    onProgress: options.onProgress,
    onWarning: options.onWarning,
  });
  const resources = cleanup.move();
  return trainedModel({
    config,
    step,
    data: options.data,
    engine,
    result,
    folder: folder?.path,
    dispose: () => resources.disposeAsync(),
  });
}

function buildStep(config: ModelRunConfig, data: ModelData): ModelStep {
  return buildModelStep(config, inputShapesOf(data));
}

function checkData(data: unknown, doing: string): void {
  const { inputs, pairing } = (data ?? {}) as Partial<ModelData>;
  if (typeof inputs === "object" && typeof pairing === "string") return;
  throw new UserError(`Cannot ${doing}: data is missing; make it with modelData()`);
}
