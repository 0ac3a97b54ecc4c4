/** What the evaluations of a run measure: the config's wishes, checked against the data. */
import { DEFAULTS } from "../config/defaults.ts";
import { formatInteger } from "../text.ts";
import {
  type EvaluationSpec,
  type MeasureName,
  MEASURES,
  measureText,
} from "../config/evaluation.ts";
import type { DataSource } from "../data/source.ts";
import { UserError } from "../errors.ts";
import { MAX_FEATURES } from "../metrics/mod.ts";
import type { EvaluationLine } from "../training/store.ts";
import { canClassify } from "./classifier.ts";
import { MODE_SAMPLES } from "./density_measures.ts";

/** What is known of the data decides what can be measured. */
export type EvaluationKind = "1-D" | "2-D" | "n-D" | "image";

/** A checked plan. */
export interface EvaluationPlan {
  /** What is known of the data. */
  kind: EvaluationKind;
  /** What the best checkpoint is best by. */
  measure: MeasureName;
  /** All that is measured; the first is shown first. */
  measures: MeasureName[];
  /** Samples of an evaluation. */
  samples: number;
  /** How often, in words: "500 steps". */
  every: string;
  /** For images whose features are taken: `random`, `classifier` or a file's path. */
  features?: string;
}

/** The measures of each kind of data; the first is the default. */
const BY_KIND: Record<EvaluationKind, readonly MeasureName[]> = {
  "1-D": ["jsd", "kl", "reverse-kl", "wasserstein"],
  "2-D": ["jsd", "modes", "high-quality", "reverse-kl", "sliced"],
  "n-D": ["sliced", "frechet", "kernel"],
  image: ["sliced", "frechet", "kernel"],
};

const DEFAULT_SAMPLES: Record<EvaluationKind, number> = {
  "1-D": DEFAULTS.evaluation.samples.density,
  "2-D": MODE_SAMPLES,
  "n-D": DEFAULTS.evaluation.samples.other,
  image: DEFAULTS.evaluation.samples.other,
};

/** Samples of an evaluation are in memory at once. */
const MAX_BYTES = 2 ** 32;

/** Those that have a cost of their own, and are taken only where they are asked for. */
const OVER_FEATURES: readonly MeasureName[] = ["frechet", "kernel"];

/**
 * Checks what a config wants to be measured.
 * @throws {UserError} when the data have no such measure, features make no sense for them, or so many
 * samples would not fit into memory
 */
export function planEvaluation(spec: EvaluationSpec, data: DataSource): EvaluationPlan {
  const kind = kindOf(data);
  const known = BY_KIND[kind];
  const { measure = known[0], samples = DEFAULT_SAMPLES[kind] } = spec;
  if (!known.includes(measure)) {
    throw new UserError(
      `Cannot evaluate by ${measure}: ${data.name} has no such measure; take ${known.join(", ")} ` +
        "with --set evaluation.measure=...",
    );
  }
  if (spec.features !== undefined && kind !== "image") {
    throw new UserError(
      `Cannot take features by ${spec.features}: ${data.name} is no set of images; leave ` +
        "evaluation.features away",
    );
  }
  if (kind === "n-D" && measure === "frechet" && data.sampleSize > MAX_FEATURES) {
    throw new UserError(
      `Cannot evaluate by frechet: ${data.name} has ${data.sampleSize} values a point, and it takes at ` +
        `most ${MAX_FEATURES}; take sliced or kernel`,
    );
  }
  const maxSamples = Math.floor(MAX_BYTES / (4 * data.sampleSize));
  if (samples > maxSamples) {
    throw new UserError(
      `Cannot evaluate on ${samples} samples of ${data.name}: each has ${data.sampleSize} values, so that ` +
        `${maxSamples} fit into 4 GiB; give fewer with --set evaluation.samples=...`,
    );
  }
  const takesFeatures = OVER_FEATURES.includes(measure) || spec.features !== undefined;
  const plan: EvaluationPlan = {
    kind,
    measure,
    measures: [measure, ...known.filter((name) => name !== measure)]
      .filter((name) => takesFeatures || !OVER_FEATURES.includes(name)),
    samples,
    every: periodText(spec),
  };
  if (kind !== "image" || !takesFeatures) return plan;
  const { features = DEFAULTS.evaluation.features } = spec;
  if (features === "classifier" && !canClassify(data)) {
    throw new UserError(
      `Cannot take features of a classifier: ${data.name} has no labels, or too few images of each ` +
        'class to learn them from; take evaluation.features "random" or an ONNX file',
    );
  }
  if (features !== "random" && features !== "classifier" && !/\.onnx$/i.test(features)) {
    throw new UserError(
      `Cannot take features by ${features}: expected random, classifier, or a file that ends in .onnx`,
    );
  }
  return { ...plan, features };
}

function kindOf(data: DataSource): EvaluationKind {
  if (data.kind === "image") return "image";
  const dimension = data.density?.dimension;
  return dimension === 1 ? "1-D" : dimension === 2 ? "2-D" : "n-D";
}

function periodText({ everySteps, everyEpochs }: EvaluationSpec): string {
  const text = (count: number, unit: string): string =>
    count === 1 ? unit : `${formatInteger(count)} ${unit}s`;
  return [
    ...(everySteps === undefined ? [] : [text(everySteps, "step")]),
    ...(everyEpochs === undefined ? [] : [text(everyEpochs, "epoch")]),
  ].join(" and each ");
}

/** A plan in one line. */
export function planText({ measure, samples, every, features }: EvaluationPlan): string {
  const over = features ? `, features: ${features}` : "";
  return `${formatInteger(samples)} samples each ${every}${over}; the best by ` +
    `${MEASURES[measure].title} is kept`;
}

/** An evaluation in one line: the deciding figure first. */
export function evaluationText(line: EvaluationLine, measure: MeasureName): string {
  const names = Object.keys(line.measures) as MeasureName[];
  const ordered = [measure, ...names.filter((name) => name !== measure)];
  return ordered.map((name) => measureText(name, line.measures[name] ?? null)).join(", ");
}
