/**
 * Divergences between distributions over bins, in nats, and their estimates for samples of a generator
 * against the known density of the data.
 */
import { type Binning, countSamples, type DensityFunction, densityMasses } from "./histogram.ts";

/**
 * Kullback-Leibler divergence `KL(p || q) = sum p ln(p / q)`, in nats; 0 ln 0 is 0.
 * @param p probabilities, summing to 1
 * @param q probabilities over the same bins
 * @returns at least 0; infinite if q is 0 where p is not
 * @throws {RangeError} if the lengths differ, or a value is no probability
 */
export function klDivergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  requireSameLength(p, q);
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    if (!(p[i] >= 0 && q[i] >= 0)) {
      throw new RangeError(`Cannot compare distributions: bin ${i} holds ${p[i]} and ${q[i]}`);
    }
    // Also where q is -0, whose quotient would be -Infinity.
    if (p[i] > 0) sum += q[i] === 0 ? Infinity : p[i] * Math.log(p[i] / q[i]);
  }
  return Math.max(0, sum); // rounding may leave -1e-17
}

/**
 * Jensen-Shannon divergence `KL(p || m) / 2 + KL(q || m) / 2`, `m = (p + q) / 2`, in nats (Lin 1991).
 * @returns from 0 (equal) to ln 2 (disjoint)
 * @throws {RangeError} if the lengths differ
 */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>): number {
  requireSameLength(p, q);
  const middle = Float64Array.from(p, (value, i) => (value + q[i]) / 2);
  return (klDivergence(p, middle) + klDivergence(q, middle)) / 2;
}

/**
 * Counts, or any weights, as shares of their sum.
 * @throws {RangeError} if one is negative or not finite, or all are 0
 */
export function normalize(weights: ArrayLike<number>): Float64Array {
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i];
    if (!(weights[i] >= 0)) {
      throw new RangeError(`Cannot take shares: weight ${i} is ${weights[i]}`);
    }
  }
  if (!(total > 0 && total < Infinity)) {
    throw new RangeError(`Cannot take shares of ${weights.length} weights that sum to ${total}`);
  }
  return Float64Array.from(weights, (weight) => weight / total);
}

function requireSameLength(p: ArrayLike<number>, q: ArrayLike<number>): void {
  if (p.length === q.length) return;
  throw new RangeError(
    `Cannot compare a distribution over ${p.length} bins with one over ${q.length}`,
  );
}

/** Estimates of {@linkcode densityDivergences}, in nats. */
export interface DensityDivergences {
  /** KL(p_data || p_g), of the smoothed histogram. */
  kl: number;
  /** KL(p_g || p_data). */
  reverseKl: number;
  /** JSD(p_data || p_g). */
  jsd: number;
  /** What `jsd` is on average for a perfect generator, up to bins / (8 N): read a `jsd` near it as 0. */
  jsdFloor: number;
  /** The generator's samples. */
  count: number;
  /** Share of the samples outside the interval. */
  outside: number;
}

/** The density's masses are not taken below this, so that one stray sample does not make reverse KL infinite. */
const SMALLEST_MASS = 1e-12;

/**
 * Estimates the divergences between data of a known density and a generator that is known by samples.
 *
 * The density's mass is integrated over each bin, samples are counted in the same bins, and all that is
 * outside the interval makes one bin more. JSD takes the shares as they are. KL(p_data || p_g) would be
 * infinite for one empty bin, so each bin gets half a sample more (Krichevsky and Trofimov 1981). Reverse
 * KL takes the density's masses as at least 1e-12: a sample where the data cannot be costs up to 27.6
 * nats times its share.
 *
 * Bias: binning hides what happens inside a bin and lowers all three. Counting noise raises them: for a
 * perfect generator and B + 1 bins by about B / (8 N) (JSD) and B / (2 N) (reverse KL), N samples; with
 * 100 bins and 10,000 samples 0.00125 and 0.005 nats. The smoothed KL has about B / (2 N) as well.
 *
 * @param samples the generator's samples, at least one
 * @param density the data's density
 * @throws {RangeError} if there are no samples or the interval makes no sense
 */
export function densityDivergences(
  samples: ArrayLike<number>,
  density: DensityFunction,
  binning: Binning,
): DensityDivergences {
  const count = samples.length;
  if (count === 0) throw new RangeError("Cannot estimate divergences from no samples");
  const counts = countSamples(samples, binning);
  const data = densityMasses(density, binning);
  const generated = normalize(counts);
  const smoothed = normalize(counts.map((number) => number + 0.5));
  const floored = normalize(data.map((mass) => Math.max(mass, SMALLEST_MASS)));
  return {
    kl: klDivergence(data, smoothed),
    reverseKl: klDivergence(generated, floored),
    jsd: jensenShannon(data, generated),
    jsdFloor: binning.bins / (8 * count),
    count,
    outside: generated[binning.bins],
  };
}
