/**
 * How much a table of synthetic rows is like the real one: the shapes of columns, the trends of pairs of
 * columns, and copies. Scores are those of SDMetrics (Patki et al., "The Synthetic Data Vault", 2016):
 * each lies in [0, 1], and 1 means equal.
 */
import { isNumericColumn, type Table, type TableColumn } from "../tables/columns.ts";

/** The score of one column. */
export interface ColumnShape {
  /** The column's name. */
  name: string;
  /** `ks`: 1 - Kolmogorov-Smirnov statistic, for numbers; `tv`: 1 - total variation, for names. */
  measure: "ks" | "tv";
  /** In [0, 1]. */
  score: number;
}

/** The score of two columns together. */
export interface PairTrend {
  /** The columns' names. */
  names: [string, string];
  /** `correlation` of two columns of numbers, else `contingency` with numbers in ten bins. */
  measure: "correlation" | "contingency";
  /** In [0, 1]. */
  score: number;
}

/** What {@linkcode tableQuality} finds. */
export interface TableQuality {
  /** Of each column. */
  columns: ColumnShape[];
  /** Of each pair of columns. */
  pairs: PairTrend[];
  /** Mean over columns. */
  columnShapes: number;
  /** Mean over pairs; NaN for a table of one column. */
  pairTrends: number;
}

const BINS = 10;

/**
 * Compares the distributions of two tables of the same columns. A missing value counts as a category of
 * its own in columns of names and in contingencies; the Kolmogorov-Smirnov statistic and the correlation
 * leave it out.
 * @throws {RangeError} when the columns differ
 */
export function tableQuality(real: Table, synthetic: Table): TableQuality {
  requireSameColumns(real, synthetic);
  const columns = real.columns.map((column, i) => columnShape(column, synthetic.columns[i]));
  const pairs: PairTrend[] = [];
  for (let a = 0; a < real.columns.length; a++) {
    for (let b = a + 1; b < real.columns.length; b++) {
      pairs.push(pairTrend(
        [real.columns[a], real.columns[b]],
        [synthetic.columns[a], synthetic.columns[b]],
      ));
    }
  }
  return {
    columns,
    pairs,
    columnShapes: meanOf(columns.map(({ score }) => score)),
    pairTrends: meanOf(pairs.map(({ score }) => score)),
  };
}

/** 1 - the largest difference of two empirical distribution functions. Values must be finite. */
export function ksComplement(real: Float64Array, synthetic: Float64Array): number {
  const a = real.toSorted();
  const b = synthetic.toSorted();
  let i = 0;
  let j = 0;
  let largest = 0;
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i], b[j]);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return 1 - largest;
}

/** 1 - half of the sum of the differences of shares. Both arrays hold counts of the same categories. */
export function tvComplement(real: ArrayLike<number>, synthetic: ArrayLike<number>): number {
  const totals = [real, synthetic].map((counts) => {
    return Array.from(counts).reduce((total, count) => total + count, 0);
  });
  let difference = 0;
  for (let category = 0; category < real.length; category++) {
    difference += Math.abs(real[category] / totals[0] - synthetic[category] / totals[1]);
  }
  return 1 - difference / 2;
}

function columnShape(real: TableColumn, synthetic: TableColumn): ColumnShape {
  if (isNumericColumn(real) && isNumericColumn(synthetic)) {
    const score = ksComplement(presentOf(real.values), presentOf(synthetic.values));
    return { name: real.name, measure: "ks", score };
  }
  const [a, b] = discretize(real, synthetic);
  return { name: real.name, measure: "tv", score: tvComplement(countsOf(a), countsOf(b)) };
}

function pairTrend(
  real: [TableColumn, TableColumn],
  synthetic: [TableColumn, TableColumn],
): PairTrend {
  const names: [string, string] = [real[0].name, real[1].name];
  const [first, second] = real;
  const [otherFirst, otherSecond] = synthetic;
  if (
    isNumericColumn(first) && isNumericColumn(second) && isNumericColumn(otherFirst) &&
    isNumericColumn(otherSecond)
  ) {
    const found = pearson(first.values, second.values);
    const other = pearson(otherFirst.values, otherSecond.values);
    return { names, measure: "correlation", score: 1 - Math.abs(found - other) / 2 };
  }
  const [a, otherA] = discretize(first, otherFirst);
  const [b, otherB] = discretize(second, otherSecond);
  const score = tvComplement(contingency(a, b), contingency(otherA, otherB));
  return { names, measure: "contingency", score };
}

/** Bins or categories of the rows of a column; the last one means missing. */
interface Discrete {
  codes: Int32Array;
  size: number;
}

/** The same bins or categories for both: bins of equal width over the real values. */
function discretize(real: TableColumn, synthetic: TableColumn): [Discrete, Discrete] {
  if (isNumericColumn(real) && isNumericColumn(synthetic)) {
    const present = presentOf(real.values);
    const low = present.reduce((a, b) => Math.min(a, b), Infinity);
    const high = present.reduce((a, b) => Math.max(a, b), -Infinity);
    const width = (high - low) / BINS || 1;
    const bin = (value: number) => {
      if (Number.isNaN(value)) return BINS;
      return Math.max(0, Math.min(BINS - 1, Math.floor((value - low) / width)));
    };
    return [
      { codes: Int32Array.from(real.values, bin), size: BINS + 1 },
      { codes: Int32Array.from(synthetic.values, bin), size: BINS + 1 },
    ];
  }
  if (isNumericColumn(real) || isNumericColumn(synthetic)) throw differentKinds(real.name);
  const places = new Map(real.categories.map((category, code) => [category, code]));
  const added = synthetic.categories.filter((category) => !places.has(category));
  for (const [i, category] of added.entries()) places.set(category, real.categories.length + i);
  const missing = places.size;
  const otherCodes = synthetic.categories.map((category) => places.get(category)!);
  return [
    { codes: real.codes.map((code) => code < 0 ? missing : code), size: missing + 1 },
    {
      codes: synthetic.codes.map((code) => code < 0 ? missing : otherCodes[code]),
      size: missing + 1,
    },
  ];
}

function countsOf({ codes, size }: Discrete): Float64Array {
  const counts = new Float64Array(size);
  for (const code of codes) counts[code]++;
  return counts;
}

function contingency(a: Discrete, b: Discrete): Float64Array {
  const counts = new Float64Array(a.size * b.size);
  for (let row = 0; row < a.codes.length; row++) counts[a.codes[row] * b.size + b.codes[row]]++;
  return counts;
}

/** Pearson's correlation of the rows that have both values; 0 where one does not vary. */
export function pearson(a: Float64Array, b: Float64Array): number {
  let count = 0;
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  const origin = [a.find(Number.isFinite) ?? 0, b.find(Number.isFinite) ?? 0];
  for (let row = 0; row < a.length; row++) {
    if (Number.isNaN(a[row]) || Number.isNaN(b[row])) continue;
    const x = a[row] - origin[0];
    const y = b[row] - origin[1];
    count++;
    sumA += x;
    sumB += y;
    squareA += x * x;
    squareB += y * y;
    product += x * y;
  }
  const spread = Math.sqrt((count * squareA - sumA ** 2) * (count * squareB - sumB ** 2));
  return spread > 0 ? (count * product - sumA * sumB) / spread : 0;
}

function presentOf(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function requireSameColumns(real: Table, synthetic: Table): void {
  const names = (table: Table) => table.columns.map(({ name }) => name).join(", ");
  if (names(real) === names(synthetic)) return;
  throw new RangeError(
    `Cannot compare tables: one has the columns ${names(real)}, the other ${names(synthetic)}`,
  );
}

function differentKinds(name: string): RangeError {
  return new RangeError(`Cannot compare the column ${name}: it holds numbers in one table only`);
}
