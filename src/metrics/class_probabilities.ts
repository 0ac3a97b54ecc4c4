/**
 * Measures over a classifier's predictions for generated samples: the inception score, when the classifier
 * is Inception, and the histogram of modes by a classifier of one's own.
 */
import { klDivergence, normalize } from "./divergence.ts";
import type { SampleMatrix } from "./sample_matrix.ts";

/** Mean and deviation over the splits. */
export interface InceptionScore {
  /** From 1 (all predictions alike) to the number of classes. */
  mean: number;
  /** Standard deviation over the splits (divided by their number); 0 for one split. */
  deviation: number;
  /** Parts that were scored. */
  splits: number;
}

/**
 * `exp(E KL(p(y | x) || p(y)))`, with p(y) the mean over the split (Salimans et al., "Improved Techniques
 * for Training GANs", 2016).
 * @param probabilities a row of class probabilities for each sample, in the order in which they were drawn
 * @param options.splits consecutive parts that are scored by themselves; the paper's 10 by default
 * @throws {RangeError} if there are fewer samples than splits, or a row is no distribution
 */
export function inceptionScore(
  probabilities: SampleMatrix,
  options: { splits?: number } = {},
): InceptionScore {
  const { data, count, dimensions: classes } = probabilities;
  const splits = options.splits ?? 10;
  if (!Number.isInteger(splits) || splits < 1 || splits > count) {
    throw new RangeError(`Cannot score ${count} samples in ${splits} splits`);
  }
  requireDistributions(probabilities);
  const scores = Array.from({ length: splits }, (_, split) => {
    const first = Math.floor(split * count / splits);
    const last = Math.floor((split + 1) * count / splits);
    const marginal = new Float64Array(classes);
    for (let i = first; i < last; i++) {
      for (let c = 0; c < classes; c++) marginal[c] += data[i * classes + c] / (last - first);
    }
    let sum = 0;
    for (let i = first; i < last; i++) {
      sum += klDivergence(data.subarray(i * classes, (i + 1) * classes), marginal);
    }
    return Math.exp(sum / (last - first));
  });
  const mean = scores.reduce((sum, score) => sum + score, 0) / splits;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / splits;
  return { mean, deviation: Math.sqrt(variance), splits };
}

function requireDistributions({ data, count, dimensions }: SampleMatrix): void {
  for (let i = 0; i < count; i++) {
    let sum = 0;
    let smallest = Infinity;
    for (let c = 0; c < dimensions; c++) {
      sum += data[i * dimensions + c];
      smallest = Math.min(smallest, data[i * dimensions + c]);
    }
    if (!(Math.abs(sum - 1) < 1e-3 && smallest >= 0)) {
      throw new RangeError(
        `Row ${i} is no distribution over classes: its sum is ${sum}, its smallest value ${smallest}`,
      );
    }
  }
}

/** The modes that a classifier sees; see {@linkcode classModes}. */
export interface ClassModes {
  /** Modes that were predicted at least once. */
  covered: number;
  /** All modes. */
  total: number;
  /** KL(generated || data) over the modes, nats. */
  kl: number;
  /** Samples of each mode. */
  counts: number[];
}

/**
 * Counts the modes that a classifier predicts for generated samples, with the KL divergence from the
 * generated histogram to the data's (Metz et al., "Unrolled GANs", 2017): the 1,000 modes of stacked MNIST
 * from three digits are `100 a + 10 b + c`, with 25,600 samples.
 * @param predictions a mode number, 0 to `total - 1`, for each sample
 * @param options.total number of modes
 * @param options.dataShares each mode's share of the data; equal shares by default
 * @throws {RangeError} if there are no samples or a prediction is out of range
 */
export function classModes(
  predictions: ArrayLike<number>,
  options: { total: number; dataShares?: ArrayLike<number> },
): ClassModes {
  const { total } = options;
  if (!Number.isInteger(total) || total < 1) {
    throw new RangeError(`Cannot count ${total} modes: it takes a positive integer`);
  }
  const { dataShares = new Float64Array(total).fill(1 / total) } = options;
  if (predictions.length === 0) throw new RangeError("Cannot count the modes of no predictions");
  const counts = new Float64Array(total);
  for (let i = 0; i < predictions.length; i++) {
    const mode = predictions[i];
    if (!Number.isInteger(mode) || mode < 0 || mode >= total) {
      throw new RangeError(`Prediction ${i} is ${mode}: it must be one of 0 to ${total - 1}`);
    }
    counts[mode]++;
  }
  return {
    covered: counts.filter((number) => number > 0).length,
    total,
    kl: klDivergence(normalize(counts), normalize(dataShares)),
    counts: [...counts],
  };
}
