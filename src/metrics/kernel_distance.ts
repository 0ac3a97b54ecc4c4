/**
 * The kernel distance between two sets of features: KID, when the features are Inception's (Binkowski et
 * al., "Demystifying MMD GANs", 2018). Unlike the Frechet distance its estimate has no bias.
 */
import { permutation, STREAMS } from "../random/counter_random.ts";
import {
  requireSameDimensions,
  rowProducts,
  type SampleMatrix,
  selectRows,
} from "./sample_matrix.ts";

/** How {@linkcode kernelDistance} draws its subsets. */
export interface KernelDistanceOptions {
  /** Subsets. Default 100. */
  subsets?: number;
  /** Samples of each set in a subset, at most the smaller set. Default 1000, or the smaller set. */
  subsetSize?: number;
  /** The subsets' seed. Default 0. */
  seed?: number;
}

/** Mean and deviation over the subsets. */
export interface KernelDistance {
  /** The estimate; near 0, and possibly below, for equal distributions. */
  mean: number;
  /** Standard deviation over the subsets (divided by their number); 0 for one subset. */
  deviation: number;
  /** Subsets drawn. */
  subsets: number;
  /** Samples of each set in a subset. */
  subsetSize: number;
}

/**
 * The squared maximum mean discrepancy under the kernel `k(x, y) = (x . y / d + 1)^3`, without bias, as
 * the mean over random subsets drawn without replacement.
 * @throws {RangeError} if the dimensions differ, or a subset would have fewer than 2 samples or more
 * than there are
 */
export function kernelDistance(
  a: SampleMatrix,
  b: SampleMatrix,
  options: KernelDistanceOptions = {},
): KernelDistance {
  requireSameDimensions(a, b);
  const smaller = Math.min(a.count, b.count);
  const { subsets = 100, subsetSize = Math.min(1000, smaller), seed = 0 } = options;
  if (!Number.isInteger(subsets) || subsets < 1) {
    throw new RangeError(`Cannot draw ${subsets} subsets: it takes a positive integer`);
  }
  if (!Number.isInteger(subsetSize) || subsetSize < 2 || subsetSize > smaller) {
    throw new RangeError(
      `Cannot draw subsets of ${subsetSize} from ${a.count} and ${b.count} samples: it takes ` +
        `2 to ${smaller}`,
    );
  }
  const subset = (matrix: SampleMatrix, step: number): SampleMatrix =>
    selectRows(
      matrix,
      permutation(matrix.count, { seed, stream: STREAMS.evaluation, step })
        .subarray(0, subsetSize),
    );
  const estimates = Array.from(
    { length: subsets },
    (_, i) => squaredDiscrepancy(subset(a, 2 * i), subset(b, 2 * i + 1)),
  );
  const mean = estimates.reduce((sum, value) => sum + value, 0) / subsets;
  const variance = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / subsets;
  return { mean, deviation: Math.sqrt(variance), subsets, subsetSize };
}

/** The unbiased estimate from all pairs; a sample's kernel with itself stays out. */
function squaredDiscrepancy(a: SampleMatrix, b: SampleMatrix): number {
  const within = (m: SampleMatrix): number => kernelSum(m, m, true) / (m.count * (m.count - 1));
  return within(a) + within(b) - 2 * kernelSum(a, b, false) / (a.count * b.count);
}

function kernelSum(a: SampleMatrix, b: SampleMatrix, skipDiagonal: boolean): number {
  const products = new Float64Array(a.count * b.count);
  rowProducts(a, b, products);
  let sum = 0;
  for (let i = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++) {
      if (skipDiagonal && i === j) continue;
      const base = products[i * b.count + j] / a.dimensions + 1;
      sum += base * base * base;
    }
  }
  return sum;
}
