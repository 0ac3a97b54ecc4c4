/** What the export of a trained model, and the comparison with its trainer, have to know. */
import type { ModelRunConfig, ModelSpec } from "../config/types.ts";
import type { ModelData } from "../data/model_data.ts";
import type { Engine } from "../engine/types.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import type { TrainingResult } from "../training/train.ts";

/** What is exported. */
export interface TrainedModelState {
  config: ModelRunConfig;
  step: ModelStep;
  data: Pick<ModelData, "table" | "captions">;
  engine: Engine;
  result: TrainingResult;
}

/** What a model's file is, and how the model is applied for it. */
export interface ModelFilePlan {
  /** The model, images that it makes smaller itself being inputs. */
  spec: ModelSpec;
  /** The value that is written. */
  value: string;
  /** The inputs that it needs, by the model's names. */
  inputs: string[];
  /** Values that layers draw, in their order. */
  noise: number[];
  kind: "translator" | "captions" | "rows" | "generator" | "function";
  /** What divides open sides of images; null where they have one size. */
  multiple: number | null;
}

/** Places of the input `tokens`; two at least, as a single number would be a label. */
export function tokenCount({ captions }: Pick<ModelData, "captions">): number {
  return Math.max(2, captions!.vocabulary.maxLength);
}
