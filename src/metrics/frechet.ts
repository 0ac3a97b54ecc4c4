/**
 * The Frechet distance between Gaussians fitted to two sets of features: FID, when the features are those
 * of the Inception network (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017). All sums
 * are in float64. A distance means nothing without the extractor, the resizer and N beside it.
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { SampleMatrix } from "./sample_matrix.ts";

/** Mean and covariance of a set of features. */
export interface FeatureMoments {
  /** Samples seen. */
  count: number;
  /** Features of a sample. */
  dimensions: number;
  /** `[dimensions]` */
  mean: Float64Array;
  /** `[dimensions, dimensions]`, unbiased (divided by count - 1), symmetric. */
  covariance: Float64Array;
}

/** More features than this would take hours, and gigabytes for the covariance. */
export const MAX_FEATURES = 4096;

/**
 * Gathers mean and covariance batch by batch, so that the features need not be kept. Each batch is centered
 * on its own mean and merged with what came before (Chan, Golub and LeVeque 1979), which does not lose
 * digits as sums of squares do.
 */
export class MomentAccumulator {
  readonly #dimensions: number;
  readonly #mean: Float64Array;
  /** Sum of products of deviations; the lower triangle. */
  readonly #scatter: Float64Array;
  #count = 0;

  /**
   * Starts with no samples.
   * @param dimensions features of a sample
   * @throws {RangeError} if that is no positive integer, or above {@linkcode MAX_FEATURES}
   */
  constructor(dimensions: number) {
    if (!Number.isInteger(dimensions) || dimensions < 1) {
      throw new RangeError(`Cannot take moments of ${dimensions} features`);
    }
    if (dimensions > MAX_FEATURES) {
      throw new RangeError(
        `Cannot take moments of ${dimensions} features: it takes at most ${MAX_FEATURES}; the kernel ` +
          "distance takes any number",
      );
    }
    this.#dimensions = dimensions;
    this.#mean = new Float64Array(dimensions);
    this.#scatter = new Float64Array(dimensions * dimensions);
  }

  /**
   * Takes a batch in.
   * @throws {RangeError} if its rows have another length
   */
  add(batch: SampleMatrix): void {
    const d = this.#dimensions;
    if (batch.dimensions !== d) {
      throw new RangeError(
        `Cannot add features of ${batch.dimensions} dimensions to moments of ${d}`,
      );
    }
    if (batch.count === 0) return;
    const batchMean = new Float64Array(d);
    for (let i = 0; i < batch.data.length; i++) batchMean[i % d] += batch.data[i];
    for (let k = 0; k < d; k++) batchMean[k] /= batch.count;
    const deviations = new Float64Array(batch.data.length);
    for (let i = 0; i < deviations.length; i++) deviations[i] = batch.data[i] - batchMean[i % d];

    const total = this.#count + batch.count;
    const gap = batchMean.map((value, k) => value - this.#mean[k]);
    this.#addScatter(deviations, batch.count);
    const weight = this.#count * batch.count / total;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) this.#scatter[i * d + j] += weight * gap[i] * gap[j];
      this.#mean[i] += gap[i] * batch.count / total;
    }
    this.#count = total;
  }

  /** Adds the products of the rows' columns, four rows at a time to save passes over the triangle. */
  #addScatter(rows: Float64Array, count: number): void {
    const d = this.#dimensions;
    const scatter = this.#scatter;
    let row = 0;
    for (; row + 4 <= count; row += 4) {
      const r0 = row * d, r1 = r0 + d, r2 = r1 + d, r3 = r2 + d;
      for (let i = 0; i < d; i++) {
        const x0 = rows[r0 + i], x1 = rows[r1 + i], x2 = rows[r2 + i], x3 = rows[r3 + i];
        for (let j = 0; j <= i; j++) {
          scatter[i * d + j] += x0 * rows[r0 + j] + x1 * rows[r1 + j] + x2 * rows[r2 + j] +
            x3 * rows[r3 + j];
        }
      }
    }
    for (; row < count; row++) {
      for (let i = 0; i < d; i++) {
        const x = rows[row * d + i];
        for (let j = 0; j <= i; j++) scatter[i * d + j] += x * rows[row * d + j];
      }
    }
  }

  /**
   * The moments of all samples so far.
   * @throws {RangeError} if there were fewer than 2 samples
   */
  moments(): FeatureMoments {
    const d = this.#dimensions;
    const count = this.#count;
    if (count < 2) throw new RangeError(`A covariance needs 2 samples or more: there are ${count}`);
    const covariance = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        covariance[i * d + j] = covariance[j * d + i] = this.#scatter[i * d + j] / (count - 1);
      }
    }
    return { count, dimensions: d, mean: this.#mean.slice(), covariance };
  }
}

/** Mean and covariance of features that are all at hand. */
export function featureMoments(features: SampleMatrix): FeatureMoments {
  const accumulator = new MomentAccumulator(features.dimensions);
  accumulator.add(features);
  return accumulator.moments();
}

/**
 * `|m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2))`.
 *
 * The eigenvalues of C1 C2 are those of the symmetric `S C2 S`, `S = C1^(1/2)`, so two symmetric
 * eigenvalue problems give the trace without the complex square root of a matrix that is not symmetric,
 * and a singular covariance (fewer samples than features) does no harm. On one core 512 features take
 * about a second, Inception's 2048 one to two minutes.
 *
 * The estimate is biased upwards for small N (Chong and Forsyth 2020): compare only equal N.
 * @returns at least 0
 * @throws {RangeError} if the dimensions differ, or a moment is not finite
 */
export function frechetDistance(
  a: Pick<FeatureMoments, "mean" | "covariance">,
  b: Pick<FeatureMoments, "mean" | "covariance">,
): number {
  const d = a.mean.length;
  if (d === 0) throw new RangeError("Cannot compare moments of no features");
  for (const { mean, covariance } of [a, b]) {
    if (mean.length !== d || covariance.length !== d * d) {
      throw new RangeError(
        `Cannot compare moments of ${d} features with a mean of ${mean.length} and a covariance of ` +
          `${covariance.length} values`,
      );
    }
    if (!mean.every(Number.isFinite) || !covariance.every(Number.isFinite)) {
      throw new RangeError("Cannot compare moments that are not finite");
    }
  }
  let distance = 0;
  for (let k = 0; k < d; k++) {
    distance += (a.mean[k] - b.mean[k]) ** 2 + a.covariance[k * d + k] + b.covariance[k * d + k];
  }
  const root = symmetricRoot(asMatrix(a.covariance, d));
  const product = root.mmul(asMatrix(b.covariance, d)).mmul(root);
  const eigenvalues = new EigenvalueDecomposition(symmetrized(product), { assumeSymmetric: true })
    .realEigenvalues;
  for (const eigenvalue of eigenvalues) distance -= 2 * Math.sqrt(Math.max(0, eigenvalue));
  return Math.max(0, distance); // rounding may leave -1e-12 between equal moments
}

function asMatrix(values: Float64Array, d: number): Matrix {
  return Matrix.from1DArray(d, d, values);
}

/** The symmetric positive semidefinite square root. */
function symmetricRoot(matrix: Matrix): Matrix {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  const scaled = eigenvectorMatrix.clone().mulRowVector(
    realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))),
  );
  return scaled.mmul(eigenvectorMatrix.transpose());
}

/** Rounding leaves a product that is symmetric in theory a little off. */
function symmetrized(matrix: Matrix): Matrix {
  return matrix.add(matrix.transpose()).mul(0.5);
}
