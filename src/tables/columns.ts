/**
 * A table in memory, and how each of its columns is written as numbers for a network. The second part is
 * what an exported generator's manifest holds, so nothing here needs more than plain objects.
 */

/** A column of numbers, integers or dates. */
export interface NumericColumn {
  /** The column's name. */
  name: string;
  /** What its values are. */
  kind: "number" | "integer" | "date";
  /** `[rows]`; NaN where the value is missing. Dates are days since 1970-01-01. */
  values: Float64Array;
  /** Digits after the decimal point that the column was written with, 0 to 15. */
  decimals: number;
  /** How its dates are written, as in `dates.ts`. Default `YYYY-MM-DD`. */
  datePattern?: string;
}

/** A column of names. */
export interface ChoiceColumn {
  /** The column's name. */
  name: string;
  /** What its values are. */
  kind: "category" | "boolean";
  /** `[rows]` places in `categories`; -1 where the value is missing. */
  codes: Int32Array;
  /** The names that its values have. */
  categories: string[];
}

/** A column of either kind. */
export type TableColumn = NumericColumn | ChoiceColumn;

/** A table: columns of equal length. */
export interface Table {
  /** From left to right. */
  columns: TableColumn[];
  /** Values of each column. */
  rowCount: number;
}

/**
 * How a column of numbers is encoded: one scalar, the distance from a mode's mean in units of four
 * standard deviations, and the one-hot choice of the mode (Xu et al. 2019, section 4.2). Where values are
 * missing, the choice has one more entry for that, and the scalar is 0.
 */
export interface NumericEncoding {
  /** The column's name. */
  name: string;
  /** What its values are. */
  kind: NumericColumn["kind"];
  /** Means and standard deviations, by ascending mean; a standard deviation of 0 means one exact value. */
  modes: { mean: number; std: number }[];
  /** Smallest and largest value of the data: what is decoded is clipped to it. */
  range: [number, number];
  /** Digits after the decimal point. */
  decimals: number;
  /** How its dates are written, where they are not `YYYY-MM-DD`. */
  datePattern?: string;
  /** Whether values may be missing. */
  hasMissing: boolean;
}

/** How a column of names is encoded: a one-hot choice; the last entry means missing where that occurs. */
export interface ChoiceEncoding {
  /** The column's name. */
  name: string;
  /** What its values are. */
  kind: ChoiceColumn["kind"];
  /** In the order of the choice. */
  categories: string[];
  /** Whether values may be missing. */
  hasMissing: boolean;
}

/** How a column is encoded. */
export type ColumnEncoding = NumericEncoding | ChoiceEncoding;

/** Whether a column holds numbers. */
export function isNumericColumn(column: TableColumn): column is NumericColumn {
  return "values" in column;
}

/** The rows of a table with these numbers, in this order. */
export function takeTableRows(table: Table, rows: Uint32Array): Table {
  const columns = table.columns.map((column): TableColumn =>
    isNumericColumn(column)
      ? { ...column, values: Float64Array.from(rows, (row) => column.values[row]) }
      : { ...column, codes: Int32Array.from(rows, (row) => column.codes[row]) }
  );
  return { columns, rowCount: rows.length };
}

/** Where a column stands in an encoded row: all scalars come first, then all choices. */
export interface ColumnPlace {
  /** Of its scalar, where it has one. */
  scalar: number | undefined;
  /** Where its choice starts. */
  choice: number;
  /** How many entries the choice has. */
  size: number;
}

/** How encoded rows are laid out. */
export interface RowLayout {
  /** Values of a row. */
  width: number;
  /** How many scalars there are. */
  scalars: number;
  /** Of each column. */
  places: ColumnPlace[];
}

/** Lays out the rows of a table. */
export function rowLayout(encodings: readonly ColumnEncoding[]): RowLayout {
  const scalars = encodings.filter(isNumericEncoding).length;
  let scalar = 0;
  let choice = scalars;
  const places = encodings.map((encoding): ColumnPlace => {
    const size = choiceSize(encoding);
    const place = { scalar: isNumericEncoding(encoding) ? scalar : undefined, choice, size };
    if (isNumericEncoding(encoding)) scalar++;
    choice += size;
    return place;
  });
  return { width: choice, scalars, places };
}

/** Whether an encoding is of a column of numbers. */
export function isNumericEncoding(encoding: ColumnEncoding): encoding is NumericEncoding {
  return "modes" in encoding;
}

function choiceSize(encoding: ColumnEncoding): number {
  const entries = isNumericEncoding(encoding) ? encoding.modes.length : encoding.categories.length;
  return entries + (encoding.hasMissing ? 1 : 0);
}
