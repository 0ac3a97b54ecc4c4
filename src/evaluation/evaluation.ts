/**
 * What an evaluation says, as one serializable value: `evaluation.json`. docs/measures.md explains each
 * number. Figures come in pairs: the generator's, and the data's own, which is what a perfect generator
 * would get. What is not a finite number is null in the file.
 */
import type { KernelDistance, LineTheory, ManifoldMetrics, ModeCoverage } from "../metrics/mod.ts";

/** A figure of the generator beside that of the data themselves. */
export interface Pair<T> {
  /** The generator's. */
  generated: T;
  /** The data against themselves: two random parts, or fresh samples of the density; null where it is not taken. */
  data: T | null;
}

/** What is measured on data of a known density in 1-D; in nats, and in units of x. */
export type LineFigures = Pick<
  LineTheory,
  "kl" | "reverseKl" | "jsd" | "jsdFloor" | "wasserstein" | "outside"
>;

/** Distances between two sets of features. */
export interface FeatureFigures {
  /** FID where the features are Inception's. */
  frechet: number;
  /** KID where the features are Inception's; squared, not multiplied by 1000. */
  kernel: KernelDistance;
  /** Precision, recall, density, coverage. */
  manifold: ManifoldMetrics;
}

/** `exp E KL(p(y | x) || p(y))`: the inception score where the classifier is Inception. */
export interface ScoreFigures {
  /** From 1 to the number of classes. */
  mean: number;
  /** Standard deviation over the splits. */
  deviation: number;
  /** Parts that were scored. */
  splits: number;
}

/** All that one extractor's features tell. */
export interface FeatureEvaluation {
  /** The extractor's name; every figure below is to be quoted with it. */
  extractor: string;
  /** What it is and how images went in: their size, the resizer, the range. */
  description: string;
  /** D */
  dimensions: number;
  /** Real samples, generated samples, and samples of each half in the `data` figures. */
  counts: { real: number; generated: number; half: number };
  /** The measures. */
  figures: Pair<FeatureFigures>;
  /** From an extractor that classifies. */
  score?: Pair<ScoreFigures>;
}

/** What the classifier of the project's own sees in the samples. */
export interface ClassEvaluation {
  /** Who sees the classes. */
  classifier: string;
  /** The data's. */
  classNames: readonly string[];
  /** Classes that were predicted at least once, of the generated samples. */
  covered: number;
  /** All classes. */
  total: number;
  /** KL(generated || data) over the classes, nats; null: infinite. */
  kl: number | null;
  /** Samples of each class. */
  counts: number[];
  /** Share of the held-out images that the classifier gets right. */
  accuracy: number;
  /** Images that it was not trained on. */
  heldOutCount: number;
  /** For a conditional generator: the share of samples that are seen as the class that was asked for. */
  asAsked: number | null;
}

/** Distance by random projections. */
export interface SlicedEvaluation {
  /** What was projected: points, or pixels. */
  of: string;
  /** Random directions. */
  projections: number;
  /** In the units of what was projected. */
  figures: Pair<number>;
}

/** Whether samples are copies of training data. */
export interface MemorizationEvaluation {
  /** What distances are taken between. */
  of: string;
  /** Samples that were looked up. */
  samples: number;
  /** Training samples that they were looked up in. */
  training: number;
  /** Median distance of a sample to its nearest training sample. */
  medianDistance: number;
  /** The same for training samples among one another. */
  medianTrainingDistance: number;
  /** Near 1 for new samples, toward 0 for copies. */
  ratio: number;
  /** Share of samples nearer to a training sample than 99% of those are to one another. */
  copies: number;
  /** The samples nearest to the training data, nearest first. */
  closest: { seed: number; trainingIndex: number; distance: number }[];
}

/** A whole evaluation. */
export interface Evaluation {
  /** The version of this format. */
  formatVersion: 1;
  /** What was measured. */
  model: {
    /** The file. */
    path: string;
    /** Training steps, and preset, where the file says. */
    step: number | null;
    preset: string | null;
    /** What the sampler ran on. */
    device: string;
  };
  /** What it was measured against. */
  data: { name: string; description: string; count: number; fingerprint: string };
  /** What was drawn. */
  samples: {
    /** How many. */
    count: number;
    /** They have the seeds `firstSeed`, `firstSeed + 1`, ... */
    firstSeed: number;
    /** Where labels come from, for a conditional generator. */
    labels: "none" | "the data's" | "the one asked for" | "seed modulo classes";
    /** Different ones, as they are measured. */
    distinct: number;
  };
  /** For a density in 1-D. */
  line?: Pair<LineFigures>;
  /** For a density in 2-D. */
  modes?: Pair<ModeCoverage> & { sigma: number };
  /** One entry for each extractor; none for data of a known density. */
  features: FeatureEvaluation[];
  /** For images with labels, by a classifier of the project's own. */
  classes?: ClassEvaluation;
  /** Everywhere but in 1-D. */
  sliced?: SlicedEvaluation;
  /** For data that are no density. */
  memorization?: MemorizationEvaluation;
  /** What to mind when reading the figures. */
  warnings: string[];
  /** Spent on all of it. */
  seconds: number;
}
