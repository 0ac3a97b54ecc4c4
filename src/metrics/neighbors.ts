/**
 * Euclidean nearest neighbors by exact search, in blocks that fit a cache, and what they tell about
 * memorization. Distances come from products, `|x|^2 + |y|^2 - 2 x . y`, summed in float64.
 */
import { permutation, STREAMS } from "../random/counter_random.ts";
import {
  requireSameDimensions,
  rowProducts,
  rowRange,
  type SampleMatrix,
  selectRows,
} from "./sample_matrix.ts";

/** Rows of a block: 256 rows of 1000 features are 1 MB. */
const BLOCK = 256;

/** A block of squared distances. */
export interface DistanceBlock {
  /** The row of `a` that the block starts at. */
  firstRow: number;
  /** Rows of `a` in the block. */
  rows: number;
  /** The row of `b` that the block starts at. */
  firstColumn: number;
  /** Rows of `b` in the block. */
  columns: number;
  /** `[rows, columns]` squared distances, valid until the next block. */
  squares: Float64Array;
}

function squaredNorms({ data, count, dimensions }: SampleMatrix): Float64Array {
  const norms = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += data[i * dimensions + k] ** 2;
    norms[i] = sum;
  }
  return norms;
}

/**
 * Yields the squared distances of all rows of `a` to all rows of `b`, block by block.
 * @param options.upperOnly for `a` being `b`: only blocks on or above the diagonal
 * @throws {RangeError} if the dimensions differ
 */
export function* distanceBlocks(
  a: SampleMatrix,
  b: SampleMatrix,
  options: { upperOnly?: boolean } = {},
): Generator<DistanceBlock> {
  requireSameDimensions(a, b);
  const normsA = squaredNorms(a);
  const normsB = a === b ? normsA : squaredNorms(b);
  const squares = new Float64Array(BLOCK * BLOCK);
  for (let firstRow = 0; firstRow < a.count; firstRow += BLOCK) {
    const rows = Math.min(BLOCK, a.count - firstRow);
    const start = options.upperOnly ? firstRow : 0;
    for (let firstColumn = start; firstColumn < b.count; firstColumn += BLOCK) {
      const columns = Math.min(BLOCK, b.count - firstColumn);
      rowProducts(rowRange(a, firstRow, rows), rowRange(b, firstColumn, columns), squares);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const at = i * columns + j;
          const square = normsA[firstRow + i] + normsB[firstColumn + j] - 2 * squares[at];
          squares[at] = Math.max(0, square); // equal rows may round below 0
        }
      }
      yield { firstRow, rows, firstColumn, columns, squares };
    }
  }
}

/** The nearest rows of each query. */
export interface Neighbors {
  /** Neighbors of a query. */
  k: number;
  /** `[queries, k]` row numbers of the references, nearest first. */
  indices: Uint32Array;
  /** `[queries, k]` distances, ascending. */
  distances: Float64Array;
}

/** Keeps the k nearest of each query, sorted by insertion: k is small. */
class NearestTable {
  readonly #k: number;
  readonly #indices: Uint32Array;
  readonly #squares: Float64Array;

  constructor(queries: number, k: number) {
    this.#k = k;
    this.#indices = new Uint32Array(queries * k);
    this.#squares = new Float64Array(queries * k).fill(Infinity);
  }

  offer(query: number, index: number, square: number): void {
    const squares = this.#squares;
    const first = query * this.#k;
    let at = first + this.#k - 1;
    if (!(square < squares[at])) return;
    for (; at > first && squares[at - 1] > square; at--) {
      squares[at] = squares[at - 1];
      this.#indices[at] = this.#indices[at - 1];
    }
    squares[at] = square;
    this.#indices[at] = index;
  }

  result(): Neighbors {
    return { k: this.#k, indices: this.#indices, distances: this.#squares.map(Math.sqrt) };
  }
}

/**
 * Finds the `k` nearest references of each query: the training images nearest to a generator's samples,
 * say.
 * @throws {RangeError} if there are fewer than `k` references or the dimensions differ
 */
export function nearestNeighbors(
  queries: SampleMatrix,
  references: SampleMatrix,
  k = 1,
): Neighbors {
  requireEnough(references.count, k);
  const table = new NearestTable(queries.count, k);
  for (const block of distanceBlocks(queries, references)) {
    const { firstRow, rows, firstColumn, columns, squares } = block;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        table.offer(firstRow + i, firstColumn + j, squares[i * columns + j]);
      }
    }
  }
  return table.result();
}

/**
 * Finds the `k` nearest other rows of each row; half the work of asking for neighbors in two sets.
 * @throws {RangeError} if there are fewer than `k` other rows
 */
export function nearestOthers(matrix: SampleMatrix, k = 1): Neighbors {
  requireEnough(matrix.count - 1, k);
  const table = new NearestTable(matrix.count, k);
  for (const block of distanceBlocks(matrix, matrix, { upperOnly: true })) {
    const { firstRow, rows, firstColumn, columns, squares } = block;
    for (let i = 0; i < rows; i++) {
      const row = firstRow + i;
      for (let j = Math.max(0, row + 1 - firstColumn); j < columns; j++) {
        const column = firstColumn + j;
        table.offer(row, column, squares[i * columns + j]);
        table.offer(column, row, squares[i * columns + j]);
      }
    }
  }
  return table.result();
}

function requireEnough(available: number, k: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= available) return;
  throw new RangeError(`Cannot find ${k} neighbors among ${available} rows`);
}

/** What {@linkcode memorization} finds. */
export interface Memorization {
  /** For each sample, its nearest training row. */
  nearest: Uint32Array;
  /** For each sample, the distance to it. */
  distances: Float64Array;
  /** Median of `distances`. */
  medianDistance: number;
  /** Median distance of training rows to their own nearest other training row. */
  medianTrainingDistance: number;
  /**
   * `medianDistance / medianTrainingDistance`: near 1 for new samples, toward 0 for copies. Not finite
   * where most training rows have a double.
   */
  ratio: number;
  /** Share of samples nearer to a training row than 99% of training rows are to one another. */
  copies: number;
}

/**
 * Looks for memorized training data: each sample's nearest training row, beside what is usual among the
 * training rows themselves, of which as many as there are samples are asked, drawn by `seed`.
 *
 * Training data with duplicates of its own has small distances too: then `copies` stays near 0.
 * @throws {RangeError} if there are fewer than 2 training rows or the dimensions differ
 */
export function memorization(
  samples: SampleMatrix,
  training: SampleMatrix,
  options: { seed?: number } = {},
): Memorization {
  requireEnough(training.count, 2);
  const { indices, distances } = nearestNeighbors(samples, training);
  const asked = permutation(training.count, {
    seed: options.seed ?? 0,
    stream: STREAMS.evaluation,
    step: 0,
  }).subarray(0, samples.count);
  const own = nearestNeighbors(selectRows(training, asked), training, 2);
  const ownDistances = Float64Array.from(
    asked,
    (row, i) => own.indices[2 * i] === row ? own.distances[2 * i + 1] : own.distances[2 * i],
  ).sort();
  const medianDistance = quantile(distances.slice().sort(), 0.5);
  const medianTrainingDistance = quantile(ownDistances, 0.5);
  const threshold = quantile(ownDistances, 0.01);
  return {
    nearest: indices,
    distances,
    medianDistance,
    medianTrainingDistance,
    ratio: medianDistance / medianTrainingDistance,
    copies: distances.filter((distance) => distance < threshold).length / samples.count,
  };
}

/** Linear between the order statistics, as NumPy's default. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
