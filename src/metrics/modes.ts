/**
 * Mode coverage of a generator of 2-D (or any-dimensional) points whose modes are known: how many it
 * found, how many of its samples belong to one, and how evenly it shares them.
 */
import { jensenShannon, klDivergence, normalize } from "./divergence.ts";
import type { SampleMatrix } from "./sample_matrix.ts";

/** The modes of a mixture of equal, round Gaussians. */
export interface ModeSet {
  /** A center for each mode. */
  centers: ReadonlyArray<ArrayLike<number>>;
  /** The standard deviation of each coordinate, the same for all modes. */
  sigma: number;
}

/** What {@linkcode modeCoverage} finds. */
export interface ModeCoverage {
  /** Modes with at least one high-quality sample. */
  covered: number;
  /** All modes. */
  total: number;
  /** Share of samples that lie within 3 sigma of the nearest mode; 0.9889 for a perfect 2-D generator. */
  highQuality: number;
  /** KL(generated || uniform) over modes of the high-quality samples, nats; NaN if there are none. */
  reverseKl: number;
  /** The same over all samples, each counted for its nearest mode. */
  nearestReverseKl: number;
  /**
   * JSD of the samples' shares from the mixture's own, nats: those of each mode within 3 sigma, and of
   * what is near none. The one figure that a lost mode, an uneven share and a stray all raise.
   */
  jsd: number;
  /** High-quality samples of each mode. */
  counts: number[];
}

/**
 * Measures mode coverage as PacGAN does (Lin et al. 2018, section 4.1, and its published code): a sample
 * belongs to its nearest mode, has high quality if it is nearer than 3 sigma (Euclidean), and the mode
 * histogram for the reverse KL counts the high-quality samples. The published tables use 2,500 samples.
 * Samples with a NaN have no mode and low quality.
 * @throws {RangeError} if there are no modes, their dimension is not that of the samples, or a center or
 * sigma is no number
 */
export function modeCoverage(samples: SampleMatrix, modes: ModeSet): ModeCoverage {
  const { centers, sigma } = modes;
  const { data, count, dimensions } = samples;
  if (centers.length === 0 || centers.some((center) => center.length !== dimensions)) {
    throw new RangeError(
      `Cannot measure mode coverage of ${dimensions}-dimensional samples: each of the ` +
        `${centers.length} modes needs a center of ${dimensions} values`,
    );
  }
  const isFinite = centers.every((center) => Array.from(center).every(Number.isFinite));
  if (!isFinite || !(sigma > 0 && sigma < Infinity)) {
    throw new RangeError(
      `Cannot measure mode coverage with sigma ${sigma}: centers have to be finite, sigma above 0`,
    );
  }
  const nearest = new Float64Array(centers.length);
  const close = new Float64Array(centers.length);
  for (let i = 0; i < count; i++) {
    let best = -1;
    let bestSquare = Infinity;
    for (let m = 0; m < centers.length; m++) {
      let square = 0;
      for (let k = 0; k < dimensions; k++) {
        square += (data[i * dimensions + k] - centers[m][k]) ** 2;
      }
      if (square < bestSquare) {
        bestSquare = square;
        best = m;
      }
    }
    if (best < 0) continue;
    nearest[best]++;
    if (Math.sqrt(bestSquare) < 3 * sigma) close[best]++;
  }
  const uniform = new Float64Array(centers.length).fill(1 / centers.length);
  const total = close.reduce((sum, number) => sum + number, 0);
  const within = withinSigmas(3, dimensions);
  const shares = (inModes: Float64Array, strays: number): Float64Array =>
    Float64Array.from([...inModes, strays]);
  const reverseKl = (counts: Float64Array): number =>
    counts.some((number) => number > 0) ? klDivergence(normalize(counts), uniform) : NaN;
  return {
    covered: close.filter((number) => number > 0).length,
    total: centers.length,
    highQuality: total / count,
    reverseKl: reverseKl(close),
    nearestReverseKl: reverseKl(nearest),
    jsd: jensenShannon(
      shares(close.map((number) => number / count), 1 - total / count),
      shares(uniform.map((share) => share * within), 1 - within),
    ),
    counts: [...close],
  };
}

/**
 * The share of a round Gaussian within a number of deviations of its center: the distribution function of
 * chi-square, by its recursion over the dimensions.
 */
function withinSigmas(sigmas: number, dimensions: number): number {
  const half = sigmas ** 2 / 2;
  // Q(d + 2) = Q(d) + half^(d/2) e^-half / Gamma(d/2 + 1), from Q(2) = e^-half and Q(1) = erfc(sqrt(half)).
  const isEven = dimensions % 2 === 0;
  let outside = isEven ? Math.exp(-half) : outsideOnLine(sigmas);
  let term = isEven ? Math.exp(-half) * half : Math.exp(-half) * 2 * Math.sqrt(half / Math.PI);
  for (let d = isEven ? 2 : 1; d < dimensions; d += 2) {
    outside += term;
    term *= half / (d / 2 + 1);
  }
  return 1 - outside;
}

/** The normal distribution's mass beyond a number of deviations on either side, by Simpson's rule. */
function outsideOnLine(sigmas: number): number {
  const steps = 200;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 ? 4 : 2;
    sum += weight * Math.exp(-((sigmas * i / steps) ** 2) / 2);
  }
  return 1 - 2 * sum * sigmas / steps / 3 / Math.sqrt(2 * Math.PI);
}
