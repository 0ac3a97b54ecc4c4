/** What the export of a trained model, and the comparison with its trainer, have to know. */
import type { ModelRunConfig, ModelSpec } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import type { TrainingResult } from "../training/train.ts";
import type { ColumnEncoding } from "../tables/columns.ts";
import type { ConditionColumn } from "../tables/conditions.ts";
import type { Vocabulary } from "../vocabulary.ts";

/** What a file says about the data that its model was trained on: `ModelData` has it, and a run's data.json. */
export interface ModelFileData {
  /** How rows of a table are read, and which columns conditions name. */
  table?: { encodings: ColumnEncoding[]; conditions: { columns: ConditionColumn[] } };
  /** Which words captions have. */
  captions?: { vocabulary: Vocabulary };
}

/** What is exported. */
export interface TrainedModelState {
  config: ModelRunConfig;
  step: ModelStep;
  data: ModelFileData;
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
export function tokenCount({ captions }: Pick<ModelFileData, "captions">): number {
  return Math.max(2, captions!.vocabulary.maxLength);
}
