/**
 * Measuring a generator while it is trained, as data: how often, by what, on how many samples, and which
 * checkpoint the run ends with. docs/measures.md explains each measure.
 */
import { z } from "zod";

/** What a measure is called, which way is better, and for a person what its numbers are. */
export interface MeasureInfo {
  /** "JSD", say. */
  title: string;
  /** Which way is better. */
  better: "lower" | "higher";
  /** How a figure is written: as it is, as a share of 1, or as a count. */
  kind: "figure" | "share" | "count";
}

/**
 * The name of a measure that can be taken during training.
 *
 * - `jsd`, `kl`, `reverse-kl`, `wasserstein`: on data of a known density on the line, over 100 bins, in
 *   nats and in units of x; `jsd` and `reverse-kl` also for known modes in the plane, over the modes
 * - `modes`, `high-quality`: for known modes in the plane
 * - `sliced`: the sliced Wasserstein distance to the data, of points or of pixels; everywhere but on
 *   the line
 * - `frechet`, `kernel`: of images over an extractor's features, and of points over themselves
 */
export type MeasureName =
  | "jsd"
  | "kl"
  | "reverse-kl"
  | "wasserstein"
  | "modes"
  | "high-quality"
  | "sliced"
  | "frechet"
  | "kernel";

/** What is known of each measure. */
export const MEASURES: Readonly<Record<MeasureName, MeasureInfo>> = {
  "jsd": { title: "JSD", better: "lower", kind: "figure" },
  "kl": { title: "KL", better: "lower", kind: "figure" },
  "reverse-kl": { title: "reverse KL", better: "lower", kind: "figure" },
  "wasserstein": { title: "Wasserstein-1", better: "lower", kind: "figure" },
  "modes": { title: "modes", better: "higher", kind: "count" },
  "high-quality": { title: "high quality", better: "higher", kind: "share" },
  "sliced": { title: "sliced Wasserstein", better: "lower", kind: "figure" },
  "frechet": { title: "Frechet distance", better: "lower", kind: "figure" },
  "kernel": { title: "kernel distance", better: "lower", kind: "figure" },
};

/** Which checkpoint: the one that a measure liked best, or that of the last step. */
export type CheckpointChoice = "best" | "last";

/** When samples are measured during training, and what follows from it. One period at least is given. */
export interface EvaluationSpec {
  /** An evaluation each so many steps. */
  everySteps?: number;
  /** An evaluation at the end of each so many passes over the data. */
  everyEpochs?: number;
  /**
   * What the best checkpoint is best by. Default: `jsd` where the density is known, else `sliced`, the
   * cheapest that any data have.
   */
  measure?: MeasureName;
  /** Samples of an evaluation. Default: 10,000 on the line, 2,500 in the plane, 1,000 elsewhere. */
  samples?: number;
  /**
   * For `frechet` and `kernel` of images, where features come from: `random` (default), an untrained
   * network; `classifier`, one that is first trained on the data's labels; or an ONNX file's path.
   */
  features?: string;
  /** Which checkpoint is exported when the run ends. Default `last`. */
  export?: CheckpointChoice;
}

const count = z.number().int().positive();

/** Checks an {@linkcode EvaluationSpec}. */
export const evaluationSchema: z.ZodType<EvaluationSpec> = z.strictObject({
  everySteps: count.optional(),
  everyEpochs: count.optional(),
  measure: z.enum(Object.keys(MEASURES) as [MeasureName, ...MeasureName[]]).optional(),
  samples: count.min(10).max(1_000_000).optional(),
  features: z.string().min(1).optional(),
  export: z.enum(["best", "last"]).optional(),
}).superRefine((spec, context) => {
  if (spec.everySteps === undefined && spec.everyEpochs === undefined) {
    context.addIssue({
      code: "custom",
      message: "it does not say how often; give everySteps or everyEpochs, or --evaluate-every N",
    });
  }
});

/** A figure as a person reads it, with its measure's name. */
export function measureText(name: MeasureName, value: number | null): string {
  return `${MEASURES[name].title} ${measureFigure(name, value)}`;
}

/** A figure as a person reads it: four digits, a percentage or a count. */
export function measureFigure(name: MeasureName, value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "not known";
  switch (MEASURES[name].kind) {
    case "share":
      return `${(100 * value).toFixed(1)}%`;
    case "count":
      return value.toLocaleString("en");
    case "figure":
      return String(Number(value.toPrecision(4)));
  }
}
