/** What an evaluation of a model of several networks gives: figures, each beside others that give it a scale. */
import type { MeasureName } from "../../config/types.ts";

/** One figure. */
export interface ModelMeasurement {
  name: MeasureName;
  /** Null where it is not finite, such as the PSNR of equal images. */
  value: number | null;
  /** The same figure of something else, by what that is: "Lanczos", "data against itself". */
  beside: Record<string, number | null>;
}

/** An evaluation of a model, as `evaluation.json` has it. */
export interface ModelEvaluation {
  formatVersion: 1;
  /** What was measured. */
  model: { path: string; preset: string; step: number; device: string };
  /** What it was measured on. */
  data: { name: string; description: string; count: number; fingerprint: string };
  measures: ModelMeasurement[];
  /** What is to be known of the figures. */
  warnings: string[];
  seconds: number;
}
