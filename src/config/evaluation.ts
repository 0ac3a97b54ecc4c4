/**
 * Measuring a generator while it is trained, as data: how often, by what, on how many samples, and which
 * checkpoint the run ends with. docs/measures.md explains each measure.
 */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";
import type { MeasureName } from "./types.ts";

export type { CheckpointChoice, EvaluationSpec, MeasureName } from "./types.ts";

/** What a measure is called, which way is better, and how its value is written. */
export interface MeasureInfo {
  /** "JSD", say. */
  title: string;
  /** Which way is better. */
  better: "lower" | "higher";
  /** How a value is written: as it is, as a share of 1, or as a count. */
  kind: "figure" | "share" | "count";
}

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
  "l1": { title: "L1", better: "lower", kind: "figure" },
  "psnr": { title: "PSNR", better: "higher", kind: "figure" },
  "ssim": { title: "SSIM", better: "higher", kind: "figure" },
  "cycle": { title: "L1 of the cycle", better: "lower", kind: "figure" },
  "accuracy": { title: "right class", better: "higher", kind: "share" },
  "column-shapes": { title: "column shapes", better: "higher", kind: "share" },
  "pair-trends": { title: "pair trends", better: "higher", kind: "share" },
  "learned": { title: "right, learned from rows", better: "higher", kind: "share" },
  "closest": { title: "median distance to the closest row", better: "higher", kind: "figure" },
  "copies": { title: "copied rows", better: "lower", kind: "share" },
  "words": { title: "words read", better: "higher", kind: "share" },
  "captions": { title: "whole captions read", better: "higher", kind: "share" },
  "thickness": { title: "thickness read", better: "higher", kind: "share" },
  "slant": { title: "slant read", better: "higher", kind: "share" },
  "color": { title: "color read", better: "higher", kind: "share" },
  "digit": { title: "digit read", better: "higher", kind: "share" },
};

const count = z.number().int().positive();
const measure = named(
  z.enum(Object.keys(MEASURES) as [MeasureName, ...MeasureName[]]),
  "MeasureName",
  {
    meaning: "The name of a measure that can be taken during training.",
    words: {
      "jsd":
        "Jensen-Shannon divergence, nats: of 1-D densities over 100 bins, of known modes over the modes",
      "kl": "KL divergence of a 1-D density, nats",
      "reverse-kl": "reverse KL divergence, nats: of 1-D densities, and over known modes",
      "wasserstein": "Wasserstein-1 distance to a 1-D density, in units of x",
      "modes": "how many of the known modes have samples",
      "high-quality": "the share of samples near a known mode",
      "sliced": "sliced Wasserstein distance to the data, of n-D points or of pixels",
      "frechet":
        "Frechet distance, of images over a network's features, of n-D points over themselves",
      "kernel":
        "kernel distance, of images over a network's features, of n-D points over themselves",
      "l1": "mean absolute difference to the image that belongs to the input, of values in [-1, 1]",
      "psnr": "peak signal-to-noise ratio to the image that belongs to the input, dB",
      "ssim": "structural similarity to the image that belongs to the input, 1 for the same",
      "cycle": "mean absolute difference between an image and what both generators make of it",
      "accuracy": "the share of generated images that a classifier gives the class of their input",
      "column-shapes":
        "how alike the columns of generated and real rows are distributed, at most 1",
      "pair-trends": "how alike pairs of columns depend on one another, at most 1",
      "learned":
        "the share of held-back rows in which a classifier that saw only generated rows predicts columns rightly",
      "closest": "the median distance of a generated row to the closest one that was trained on",
      "copies": "the share of generated rows that were trained on, value by value",
      "words": "the share of a caption's words that a network reads in its image",
      "captions": "the share of captions of which a network reads all words",
      "thickness":
        "the share of synthetic digits that are read as thick or thin as their caption says",
      "slant":
        "the share of synthetic digits that are read as slanted or upright as their caption says",
      "color": "the share of synthetic digits that are read in their caption's color",
      "digit": "the share of synthetic digits that are read as their caption's",
    },
  },
);
const checkpoint = named(z.enum(["best", "last"]), "CheckpointChoice", {
  meaning: "Which checkpoint: the best by a measure, or that of the last step.",
});
const { samples } = DEFAULTS.evaluation;

/** Checks an {@linkcode EvaluationSpec}. */
export const evaluationSchema = named(
  z.strictObject({
    everySteps: optional(count, "An evaluation every N steps.", { otherwise: "none by steps" }),
    everyEpochs: optional(count, "An evaluation every N passes over the data.", {
      otherwise: "none by epochs",
    }),
    measure: optional(measure, "What decides which checkpoint is best.", {
      otherwise: "`jsd` where the density is known, else `sliced`, which any data have",
    }),
    samples: optional(count.min(10).max(1_000_000), "Samples of an evaluation.", {
      otherwise: `${samples.density} for 1-D densities, ${samples.modes} for known modes, ` +
        `${samples.other} otherwise`,
    }),
    features: optional(
      z.string().min(1),
      "For `frechet` and `kernel` of images, where features come from: `random`, an untrained network; " +
        "`classifier`, one that is first trained on the data's labels; or an ONNX file's path.",
      { default: DEFAULTS.evaluation.features },
    ),
    export: optional(checkpoint, "Which checkpoint is exported when the run ends.", {
      default: DEFAULTS.evaluation.export,
    }),
  }).superRefine((spec, context) => {
    if (spec.everySteps === undefined && spec.everyEpochs === undefined) {
      context.addIssue({
        code: "custom",
        message: "it does not say how often; give everySteps or everyEpochs, or --evaluate-every N",
      });
    }
  }),
  "EvaluationSpec",
  { meaning: "When samples are measured during training. At least one period must be given." },
);

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
