/** The measures over features, once for the generator and once for the data against themselves. */
import {
  featureMoments,
  frechetDistance,
  inceptionScore,
  type KernelDistance,
  kernelDistance,
  manifoldMetrics,
  MAX_FEATURES,
  type SampleMatrix,
  selectRows,
} from "../metrics/mod.ts";
import type { FeatureEvaluation, FeatureFigures, Pair, ScoreFigures } from "./evaluation.ts";
import type { FeatureSet } from "./features.ts";

/** What {@linkcode measureFeatures} compares. */
export interface FeatureComparison {
  /** Names and describes the features. */
  extractor: { name: string; description: string };
  /** Features of the data. */
  real: FeatureSet;
  /** Features of the samples. */
  generated: FeatureSet;
  /** The neighbor that sets the radius of a ball. */
  k: number;
  /** Decides the subsets of the kernel distance. */
  seed: number;
}

/** Beyond this many dimensions, the data are not measured against themselves: each measure takes minutes. */
const REFERENCE_DIMENSIONS = 512;
/** KID's subsets (Binkowski et al. 2018). */
const SUBSET_SIZE = 1000;
/** Fewer where products would pass this number: a second or two on a core of 2025. */
const KERNEL_PRODUCTS = 2e9;
/** Samples of a split of the score, at least. */
const SPLIT_SIZE = 100;

/** The smallest number of samples on either side: each half of the data needs k + 1. */
export function fewestSamples(k: number): number {
  return 2 * (k + 1);
}

/** Measures generated features against real ones, and one half of the real ones against the other. */
export function measureFeatures(comparison: FeatureComparison): FeatureEvaluation {
  const { extractor, real, generated } = comparison;
  const { dimensions, count } = real.features;
  const [first, second] = splitInTwo(real.features);
  const result: FeatureEvaluation = {
    extractor: extractor.name,
    description: extractor.description,
    dimensions,
    counts: { real: count, generated: generated.features.count, half: first.count },
    figures: {
      generated: figuresOf(real.features, generated.features, comparison),
      data: dimensions <= REFERENCE_DIMENSIONS ? figuresOf(first, second, comparison) : null,
    },
  };
  const score = scoreOf(real, generated);
  if (score) result.score = score;
  return result;
}

/** Rows of even and of odd number; the rows are in random order. */
export function splitInTwo(matrix: SampleMatrix): [SampleMatrix, SampleMatrix] {
  const length = Math.floor(matrix.count / 2);
  return [
    selectRows(matrix, Uint32Array.from({ length }, (_, i) => 2 * i)),
    selectRows(matrix, Uint32Array.from({ length }, (_, i) => 2 * i + 1)),
  ];
}

/** Distances between two sets of features. @param options the neighbor, and the seed of subsets */
export function figuresOf(
  real: SampleMatrix,
  generated: SampleMatrix,
  { k, seed }: Pick<FeatureComparison, "k" | "seed">,
): FeatureFigures {
  return {
    frechet: real.dimensions > MAX_FEATURES
      ? NaN
      : frechetDistance(featureMoments(real), featureMoments(generated)),
    kernel: affordableKernelDistance(real, generated, seed),
    manifold: manifoldMetrics(real, generated, k),
  };
}

/** The kernel distance over as many subsets as take a second or two. @param seed the subsets' */
export function affordableKernelDistance(
  real: SampleMatrix,
  generated: SampleMatrix,
  seed: number,
): KernelDistance {
  const smaller = Math.min(real.count, generated.count);
  const subsetSize = Math.min(SUBSET_SIZE, smaller);
  const affordable = KERNEL_PRODUCTS / (3 * subsetSize ** 2 * real.dimensions);
  // A subset that is the whole set need not be drawn twice.
  const subsets = smaller <= SUBSET_SIZE ? 1 : Math.round(Math.min(100, Math.max(10, affordable)));
  return kernelDistance(real, generated, { subsets, subsetSize, seed });
}

function scoreOf(real: FeatureSet, generated: FeatureSet): Pair<ScoreFigures> | undefined {
  if (!real.probabilities || !generated.probabilities) return undefined;
  const score = (probabilities: SampleMatrix): ScoreFigures =>
    inceptionScore(probabilities, {
      splits: Math.max(1, Math.min(10, Math.floor(probabilities.count / SPLIT_SIZE))),
    });
  return { generated: score(generated.probabilities), data: score(real.probabilities) };
}

/** What to mind when so few samples meet so many features. @returns a warning, if there is need of one */
export function sampleSizeWarning(evaluation: FeatureEvaluation): string | undefined {
  const { extractor, dimensions, counts: { real, generated } } = evaluation;
  const smaller = Math.min(real, generated);
  if (dimensions > MAX_FEATURES) {
    return `there is no Frechet distance over ${extractor}: it would take hours for ${dimensions} ` +
      `features, more than ${MAX_FEATURES}; read the kernel distance`;
  }
  if (smaller > 4 * dimensions) return undefined;
  const problem = smaller <= dimensions
    ? "the covariance cannot have full rank"
    : "its bias is as large as what it is to show";
  return `the Frechet distance over ${extractor} is taken from ${smaller} samples of ${dimensions} ` +
    `features, and ${problem}; take more than ${
      4 * dimensions
    } samples with --count, or read the ` +
    "kernel distance, which has no bias";
}
