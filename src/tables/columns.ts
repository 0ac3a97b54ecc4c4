/**
 * A table in memory, and how each of its columns is written as numbers for a network. The second part is
 * what an exported generator's manifest holds, so nothing here needs more than plain objects.
 */

/** A column of numbers, integers or dates. */
export interface NumericColumn {
  name: string;
  kind: "number" | "integer" | "date";
  /** `[rows]`; NaN where the value is missing. Dates are days since 1970-01-01. */
  values: Float64Array;
  /** Digits after the decimal point that the column was written with, 0 to 15. */
  decimals: number;
}

/** A column of names. */
export interface ChoiceColumn {
  name: string;
  kind: "category" | "boolean";
  /** `[rows]` places in `categories`; -1 where the value is missing. */
  codes: Int32Array;
  categories: string[];
}

/** A column of either kind. */
export type TableColumn = NumericColumn | ChoiceColumn;

/** A table: columns of equal length. */
export interface Table {
  columns: TableColumn[];
  rowCount: number;
}

/**
 * How a column of numbers is encoded: one scalar, the distance from a mode's mean in units of four
 * standard deviations, and the one-hot choice of the mode (Xu et al. 2019, section 4.2). Where values are
 * missing, the choice has one more entry for that, and the scalar is 0.
 */
export interface NumericEncoding {
  name: string;
  kind: NumericColumn["kind"];
  modes: { mean: number; std: number }[];
  /** Smallest and largest value of the data: what is decoded is clipped to it. */
  range: [number, number];
  decimals: number;
  hasMissing: boolean;
}

/** How a column of names is encoded: a one-hot choice; the last entry means missing where that occurs. */
export interface ChoiceEncoding {
  name: string;
  kind: ChoiceColumn["kind"];
  categories: string[];
  hasMissing: boolean;
}

/** How a column is encoded. */
export type ColumnEncoding = NumericEncoding | ChoiceEncoding;

/** A group of neighboring values of an encoded row. */
export interface EncodedSpan {
  /** The column's place in the table. */
  column: number;
  /** One value in [-1, 1], or a one-hot choice. */
  kind: "scalar" | "choice";
  /** Where the group starts in the row. */
  offset: number;
  /** How many values it has. */
  size: number;
}

/** Whether a column holds numbers. */
export function isNumericColumn(column: TableColumn): column is NumericColumn {
  return "values" in column;
}

/** The groups of an encoded row, in order. */
export function encodedSpans(encodings: readonly ColumnEncoding[]): EncodedSpan[] {
  const spans: EncodedSpan[] = [];
  let offset = 0;
  for (const [column, encoding] of encodings.entries()) {
    if (isNumericEncoding(encoding)) {
      spans.push({ column, kind: "scalar", offset, size: 1 });
      offset += 1;
    }
    const size = choiceSize(encoding);
    spans.push({ column, kind: "choice", offset, size });
    offset += size;
  }
  return spans;
}

/** How many values an encoded row has. */
export function encodedWidth(encodings: readonly ColumnEncoding[]): number {
  return encodings.reduce(
    (width, encoding) => width + choiceSize(encoding) + (isNumericEncoding(encoding) ? 1 : 0),
    0,
  );
}

/** Whether an encoding is of a column of numbers. */
export function isNumericEncoding(encoding: ColumnEncoding): encoding is NumericEncoding {
  return "modes" in encoding;
}

function choiceSize(encoding: ColumnEncoding): number {
  const entries = isNumericEncoding(encoding) ? encoding.modes.length : encoding.categories.length;
  return entries + (encoding.hasMissing ? 1 : 0);
}
