/** Measures a model of a preset on what was held back: what `deno task evaluate` calls for such a run. */
import { DEFAULTS } from "../../config/defaults.ts";
import type { DataProgress } from "../../data/progress.ts";
import type { ModelData } from "../../data/model_data.ts";
import { openEngine } from "../../engine/open.ts";
import type { ModelEvaluation } from "../../evaluation/models/model_evaluation.ts";
import { readBest, readChosenCheckpoint } from "../../run/best_checkpoint.ts";
import { readModelRecord } from "../../run/model_record.ts";
import { readModelConfig } from "../../run/run_folder.ts";
import type { HostTensors } from "../../tensor/types.ts";
import { openModelRunner } from "../model_runner.ts";
import { cacheOptions } from "../open_data.ts";
import { measuredInputs } from "./image_helpers.ts";
import { closeData, type CompletedModelTraining, modelAt } from "./model_training.ts";
import { openModelRun } from "./open_model_run.ts";
import type { EvaluateModelOptions } from "./preset.ts";

type Measurable = Pick<
  CompletedModelTraining,
  "config" | "data" | "engine" | "runner" | "preset"
>;

/** Measures a state. */
export async function evaluateModelAt(
  run: Measurable & { folder: { path: string } },
  { state, step, ...options }: EvaluateModelOptions & { state: HostTensors; step: number },
): Promise<ModelEvaluation> {
  const started = performance.now();
  const { config, data, engine, preset, folder } = run;
  const measures = await preset.evaluate(modelAt(run, state), options);
  const isHeldBack = data.heldBack !== undefined || data.table?.heldBack !== undefined ||
    data.captions?.heldBack !== undefined;
  return {
    formatVersion: 1,
    model: {
      path: folder.path,
      preset: config.recipe.preset,
      step,
      device: engine.description,
    },
    data: {
      name: data.name,
      description: isHeldBack ? `held back of ${data.description}` : data.description,
      count: Math.min(measuredCount(data), options.count ?? Infinity),
      fingerprint: data.fingerprint,
    },
    measures,
    warnings: isHeldBack
      ? []
      : ["nothing is held back: the figures are of what was trained on (data.heldBack)"],
    seconds: Math.round((performance.now() - started) / 10) / 100,
  };
}

/** Samples that are not trained on; where there are none, those that are. */
function measuredCount(data: ModelData): number {
  const { table, captions } = data;
  if (table) return (table.heldBack ?? table.trained).rowCount;
  if (captions) return (captions.heldBack ?? captions.trained).texts.length;
  return Object.values(measuredInputs(data))[0].count;
}

/** How a run of a model is measured. */
export interface EvaluateModelRunOptions extends EvaluateModelOptions {
  /** The folder of all runs, beside which the cache is. */
  runsFolder: string;
  cacheFolder?: string | null;
  signal?: AbortSignal;
  onLoading?: (progress: DataProgress) => void;
  onData?: (data: ModelData) => void;
  onWarning?: (message: string) => void;
}

/**
 * Measures the checkpoint of a run that it exports.
 * @param path the run's folder
 * @throws {UserError} when the run, its data or its checkpoints cannot be used
 */
export async function evaluateModelRun(
  path: string,
  options: EvaluateModelRunOptions,
): Promise<ModelEvaluation> {
  const draft = await readModelConfig(path);
  const { cacheFolder, runsFolder, signal, onLoading, onData, onWarning } = options;
  const opened = await openModelRun(draft, {
    signal,
    onProgress: onLoading,
    onData,
    ...cacheOptions(cacheFolder, runsFolder),
  });
  const { config, data, step } = opened;
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => closeData(data));
  const folder = `${path}/checkpoints`;
  const isBest = config.evaluation?.export === "best" && await readBest(folder) !== undefined;
  const stored = await readChosenCheckpoint(folder, isBest ? "best" : "last", { onWarning });
  const { engine } = await openEngine(config.device ?? DEFAULTS.model.device);
  cleanup.defer(() => engine.dispose());
  const runner = openModelRunner({ spec: config.model, step, engine });
  cleanup.defer(() => runner.dispose());
  const { count, seed, onStage } = options;
  const found = await evaluateModelAt({ ...opened, engine, runner, folder: { path } }, {
    ...stored,
    count,
    seed,
    onStage,
  });
  const record = await readModelRecord(path);
  if (record.fingerprint !== data.fingerprint) {
    found.warnings.unshift(
      `the data are not those that the run was trained on (${record.description})`,
    );
  }
  return found;
}
