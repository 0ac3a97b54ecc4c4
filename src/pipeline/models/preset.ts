/** What a preset of several networks knows besides its config: its data, networks, images and measures. */
import type { ModelDataSpec, ModelRecipe, ModelSpec, SnapshotSpec } from "../../config/types.ts";
import type { ModelData } from "../../data/model_data.ts";
import type { OpenOptions } from "../../data/open.ts";
import type { Engine } from "../../engine/types.ts";
import type { ModelMeasurement } from "../../evaluation/models/model_evaluation.ts";
import type { HostTensor } from "../../tensor/types.ts";
import type { ComputeOptions, GivenTensor } from "../model_runner.ts";
import type { SampleImage } from "../sample_images.ts";

/** A recipe by the name of its preset. */
export type RecipeOf<Name extends ModelRecipe["preset"]> = Extract<ModelRecipe, { preset: Name }>;

/** A model at some step, to draw or to measure. */
export interface ModelAtStep {
  recipe: ModelRecipe;
  model: ModelSpec;
  data: ModelData;
  /** Trains what measures need, such as a classifier. */
  engine: Engine;
  /** Computes values from inputs, as {@linkcode TrainedModel.compute} does. */
  compute(
    inputs: Record<string, GivenTensor>,
    options?: ComputeOptions,
  ): Promise<Record<string, HostTensor>>;
}

/** How a model is drawn. */
export interface DrawModelOptions {
  /** Rows and columns of samples. */
  grid: Pick<SnapshotSpec, "rows" | "columns">;
  title: string;
  subtitle: string;
}

/** A preset of several networks. */
export interface ModelPreset {
  /** Opens what a config's `data` describes. */
  openData(spec: ModelDataSpec, options: OpenOptions): Promise<ModelData>;
  /** The networks for the data. */
  build(recipe: ModelRecipe, data: ModelData): ModelSpec;
  /** What the samples of a step are, for the progress line. */
  unit: string;
  /** Draws samples; undefined where there is nothing to look at. */
  draw(model: ModelAtStep, options: DrawModelOptions): Promise<SampleImage | undefined>;
  /** The measure that decides which checkpoint is best. */
  measure: ModelMeasurement["name"];
  /** Measures a model on what was held back. */
  evaluate(
    model: ModelAtStep,
    options: EvaluateModelOptions,
  ): Promise<ModelMeasurement[]>;
}

/** How a model is measured. */
export interface EvaluateModelOptions {
  /** Samples at most. Default: all that are held back, 1,000 at most. */
  count?: number;
  /** Decides what layers that stay random draw. Default 0. */
  seed?: number;
  /** Whether what takes long, such as training a classifier, is left out: during training. */
  isQuick?: boolean;
  onStage?: (what: string) => void;
}
