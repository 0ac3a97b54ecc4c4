/**
 * Conditions for a generator of rows: "this column has this category", as a one-hot vector over the
 * categories of all columns of names. Training by sampling (Xu et al. 2019, section 4.3) picks the column
 * evenly and the category by the logarithm of its frequency, then a row that has it, so that rare
 * categories are learned too; sampling uses the frequencies of the data.
 */
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import { type ColumnEncoding, isNumericColumn, isNumericEncoding, type Table } from "./columns.ts";

/** A column that conditions may name. */
export interface ConditionColumn {
  /** Its place in the table. */
  column: number;
  /** The column's name. */
  name: string;
  /** Where its categories start in a condition. */
  offset: number;
  /** The rows that have each category, missing last where that occurs. */
  frequencies: number[];
}

/** Conditions of a batch. */
export interface ConditionBatch {
  /** `[batch, width]` one-hot. */
  vectors: Float32Array;
  /** `[batch]` places in the list of condition columns. */
  columns: Int32Array;
  /** `[batch]` the category that each names, within its column. */
  categories: Int32Array;
  /** `[batch]` a row of the table that has that category. */
  rows: Uint32Array;
}

/** Draws conditions for training. */
export interface ConditionSampler {
  /** The columns of names. */
  columns: ConditionColumn[];
  /** How many values a condition has; 0 without columns of names. */
  width: number;
  /** The conditions of a step's batch, by their addresses alone. */
  draw(batch: number, address: { seed: number; step: number }): ConditionBatch;
}

/** The columns of names, with how often each category occurs. */
function conditionColumns(
  table: Table,
  encodings: readonly ColumnEncoding[],
): ConditionColumn[] {
  const columns: ConditionColumn[] = [];
  let offset = 0;
  for (const [index, column] of table.columns.entries()) {
    const encoding = encodings[index];
    if (isNumericColumn(column) || isNumericEncoding(encoding)) continue;
    const entries = encoding.categories.length;
    const frequencies = new Array<number>(entries + (encoding.hasMissing ? 1 : 0)).fill(0);
    for (const code of column.codes) frequencies[code < 0 ? entries : code]++;
    columns.push({ column: index, name: column.name, offset, frequencies });
    offset += frequencies.length;
  }
  return columns;
}

/** Makes the sampler of a table's training conditions. */
export function conditionSampler(
  table: Table,
  encodings: readonly ColumnEncoding[],
): ConditionSampler {
  const columns = conditionColumns(table, encodings);
  const width = columns.reduce((total, { frequencies }) => total + frequencies.length, 0);
  const cumulative = columns.map(({ frequencies }) => cumulativeShares(frequencies));
  const rowsByCategory = columns.map(({ column, frequencies }) => {
    const { codes } = table.columns[column] as { codes: Int32Array };
    return groupRows(codes, frequencies);
  });
  function draw(batch: number, { seed, step }: { seed: number; step: number }): ConditionBatch {
    const draws = fillUniform(new Float32Array(3 * batch), {
      seed,
      stream: STREAMS.tableConditions,
      step,
    });
    const vectors = new Float32Array(batch * width);
    const chosen = new Int32Array(batch);
    const categories = new Int32Array(batch);
    const rows = new Uint32Array(batch);
    for (let i = 0; i < batch; i++) {
      if (width === 0) {
        rows[i] = Math.floor(draws[3 * i] * table.rowCount);
        continue;
      }
      const place = Math.floor(draws[3 * i] * columns.length);
      const shares = cumulative[place];
      const category = shares.findIndex((share) => draws[3 * i + 1] < share);
      const candidates = rowsByCategory[place][category];
      chosen[i] = place;
      categories[i] = category;
      rows[i] = candidates[Math.floor(draws[3 * i + 2] * candidates.length)];
      vectors[i * width + columns[place].offset + category] = 1;
    }
    return { vectors, columns: chosen, categories, rows };
  }
  return { columns, width, draw };
}

/**
 * Conditions to sample rows by: the column evenly, the category as often as the data have it.
 * @returns `[count, width]` one-hot
 */
export function drawDataConditions(
  columns: readonly Pick<ConditionColumn, "offset" | "frequencies">[],
  count: number,
  { seed }: { seed: number },
): Float32Array {
  const width = columns.reduce((total, { frequencies }) => total + frequencies.length, 0);
  const vectors = new Float32Array(count * width);
  if (width === 0) return vectors;
  const stream = STREAMS.tableConditions + 1;
  const draws = fillUniform(new Float32Array(2 * count), { seed, stream, step: 0 });
  const cumulative = columns.map(({ frequencies }) => {
    let reached = 0;
    return frequencies.map((frequency) => reached += frequency);
  });
  for (let row = 0; row < count; row++) {
    const place = Math.floor(draws[2 * row] * columns.length);
    const ends = cumulative[place];
    const wanted = draws[2 * row + 1] * ends[ends.length - 1];
    const category = ends.findIndex((end) => wanted < end);
    vectors[row * width + columns[place].offset + category] = 1;
  }
  return vectors;
}

/** Cumulative probabilities by log(1 + frequency); the last one is 1. */
function cumulativeShares(frequencies: readonly number[]): number[] {
  const weights = frequencies.map((count) => Math.log1p(count));
  const total = weights.reduce((all, weight) => all + weight, 0);
  let reached = 0;
  const shares = weights.map((weight) => {
    reached += weight / total;
    return reached;
  });
  const last = frequencies.findLastIndex((count) => count > 0);
  return shares.map((share, category) => category >= last ? 1 : share);
}

/** The rows of each category, missing last. */
function groupRows(codes: Int32Array, frequencies: readonly number[]): Uint32Array[] {
  const groups = frequencies.map((count) => new Uint32Array(count));
  const filled = new Uint32Array(frequencies.length);
  for (const [row, code] of codes.entries()) {
    const category = code < 0 ? frequencies.length - 1 : code;
    groups[category][filled[category]] = row;
    filled[category]++;
  }
  return groups;
}
