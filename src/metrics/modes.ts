/**
 * Mode coverage of a generator of 2-D (or any-dimensional) points whose modes are known: how many it
 * found, how many of its samples belong to one, and how evenly it shares them.
 */
import { klDivergence, normalize } from "./divergence.ts";
import type { SampleMatrix } from "./sample_matrix.ts";

/** The modes of a mixture of equal, round Gaussians. */
export interface ModeSet {
  /** A centre for each mode. */
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
  /** High-quality samples of each mode. */
  counts: number[];
}

/**
 * Measures mode coverage as PacGAN does (Lin et al. 2018, section 4.1, and its published code): a sample
 * belongs to its nearest mode, has high quality if it is nearer than 3 sigma (Euclidean), and the mode
 * histogram for the reverse KL counts the high-quality samples. The published tables use 2,500 samples.
 * Samples with a NaN have no mode and low quality.
 * @throws {RangeError} if there are no modes or their dimension is not that of the samples
 */
export function modeCoverage(samples: SampleMatrix, modes: ModeSet): ModeCoverage {
  const { centers, sigma } = modes;
  const { data, count, dimensions } = samples;
  if (centers.length === 0 || centers.some((center) => center.length !== dimensions)) {
    throw new RangeError(
      `Cannot measure mode coverage of ${dimensions}-dimensional samples: each of the ` +
        `${centers.length} modes needs a centre of ${dimensions} numbers`,
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
  const reverseKl = (counts: Float64Array): number =>
    counts.some((number) => number > 0) ? klDivergence(normalize(counts), uniform) : NaN;
  return {
    covered: close.filter((number) => number > 0).length,
    total: centers.length,
    highQuality: total / count,
    reverseKl: reverseKl(close),
    nearestReverseKl: reverseKl(nearest),
    counts: [...close],
  };
}
