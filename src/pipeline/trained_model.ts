/** A model of several networks that was trained: compute with it, or export it. */
import type { ModelRunConfig } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensor } from "../tensor/types.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import type { TrainingResult } from "../training/train.ts";
import {
  type ExportedModelFile,
  type ExportModelFileOptions,
  exportTrainedModel,
} from "./export_trained_model.ts";
import type { ModelFileData } from "./model_file_plan.ts";
import { type ComputeOptions, type GivenTensor, openModelRunner } from "./model_runner.ts";

/** A trained model. Dispose of it to give its memory back. */
export interface TrainedModel extends AsyncDisposable {
  /** What was trained. */
  readonly config: ModelRunConfig;
  /** The run's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  /** How far training went, and the state that it reached. */
  readonly result: TrainingResult;
  /**
   * Computes values from inputs, with EMA weights where the run has them.
   * @param inputs those that the values need, `[n, ...shape]` each: images are `[n, height, width,
   * channels]` in [-1, 1]
   * @throws {UserError} when an input is missing or has another shape
   */
  compute(
    inputs: Record<string, GivenTensor>,
    options?: ComputeOptions,
  ): Promise<Record<string, HostTensor>>;
  /**
   * Writes the model's output as a function of its inputs, after comparing the file with the trainer at two
   * batch sizes, and at two sizes of images where these are open. `Sampler` loads the file: what it takes and
   * gives is in its manifest (docs/sampling.md).
   * @throws {UserError} when a layer cannot be exported, or the values differ; nothing is written then
   */
  export(options: ExportModelFileOptions): Promise<ExportedModelFile>;
}

/** What {@linkcode trainedModel} needs. */
export interface TrainedModelParts {
  config: ModelRunConfig;
  step: ModelStep;
  data: ModelFileData;
  engine: Engine;
  result: TrainingResult;
  folder: string | undefined;
  dispose(): Promise<void>;
}

/** What {@linkcode TrainedModel} does. */
export function trainedModel(parts: TrainedModelParts): TrainedModel {
  const { config, step, engine, result, folder } = parts;
  const runner = openModelRunner({ spec: config.model, step, engine });
  return {
    config,
    folder,
    result,
    compute: (given, options) => runner.compute(result.state, given, options),
    export: (options) => exportTrainedModel(parts, options),
    async [Symbol.asyncDispose]() {
      await runner.dispose();
      await parts.dispose();
    },
  };
}
