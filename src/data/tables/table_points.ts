/** From a table to points: which columns are their coordinates, and which their classes. */
import { UserError } from "../../errors.ts";
import { didYouMean } from "../../config/nearest.ts";
import { classNamesOf } from "../natural_order.ts";
import { MISSING_WORDS } from "./cells.ts";
import type { ParsedColumn } from "./column.ts";
import type { ParsedTable } from "./table.ts";

/** Points with their classes, where there is a column for them. */
export interface PointTable {
  /** How many numbers a point has. */
  dimension: number;
  /** `[N, dimension]` flat */
  values: Float64Array;
  /** The names of the columns, where the table has them. */
  names?: string[];
  /** `[N]` class numbers. */
  labels?: Int32Array;
  /** The distinct labels, in the sequence of their names. */
  classNames?: string[];
  /** What was guessed or dropped, one line each. */
  notes: string[];
}

/** What is wanted of a table. */
export interface PointTableOptions {
  /** Names the table in messages. */
  origin: string;
  /** The column of classes. Default: the one called "label", if there is one. */
  label?: string;
  /** The columns that are the points' coordinates, in this sequence. Default: all others. */
  columns?: readonly string[];
  /** Whether rows with missing values are left out instead of refused. */
  missing?: "refuse" | "drop";
}

/** The columns of classes that need not be named. */
export const LABEL_NAME = /^labels?$/i;

/**
 * Takes points from a table.
 * @throws {UserError} when a column is not there or holds texts, or values are missing
 */
export function tablePoints(table: ParsedTable, options: PointTableOptions): PointTable {
  const { origin } = options;
  const label = options.label === undefined
    ? table.columns.find(({ name }) => LABEL_NAME.test(name) && table.hasHeader)
    : findColumn(table, options.label, origin);
  const coordinates = options.columns
    ? options.columns.map((name) => findColumn(table, name, origin))
    : table.columns.filter((column) => column !== label);
  if (coordinates.length === 0) {
    throw new UserError(`Cannot use ${origin}: it has no columns of numbers besides its classes`);
  }
  checkNumbers(coordinates, { ...options, table });
  const rows = presentRows(coordinates, label, { ...options, table });
  const dimension = coordinates.length;
  const values = new Float64Array(rows.length * dimension);
  for (const [axis, column] of coordinates.entries()) {
    for (const [i, row] of rows.entries()) values[i * dimension + axis] = column.values[row];
  }
  const tooLarge = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (tooLarge >= 0) {
    const line = table.lines[rows[Math.floor(tooLarge / dimension)]];
    throw new UserError(
      `Cannot read ${origin}: line ${line}, column ${coordinates[tooLarge % dimension].name} has ${
        values[tooLarge]
      }, which is no finite float32 number; correct that line, or choose other columns by --columns`,
    );
  }
  const notes = [...table.notes];
  if (rows.length < table.rowCount) {
    notes.push(
      `left out ${
        table.rowCount - rows.length
      } of ${table.rowCount} rows, in which values are missing`,
    );
  }
  const unused = table.columns.filter((c) => c !== label && !coordinates.includes(c));
  if (unused.length > 0) notes.push(`left out the columns ${listed(unused)}`);
  return {
    dimension,
    values,
    ...(table.hasHeader ? { names: coordinates.map(({ name }) => name) } : {}),
    ...(label ? classesOf(label, rows) : {}),
    notes,
  };
}

function findColumn(table: ParsedTable, name: string, origin: string): ParsedColumn {
  const { columns } = table;
  const found = columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const names = columns.map((column) => column.name);
  throw new UserError(
    `Cannot find the column "${name}" in ${origin}${didYouMean(name, names)}: it has ${
      listed(columns)
    }`,
  );
}

function listed(columns: readonly ParsedColumn[]): string {
  const shown = columns.slice(0, 20).map(({ name }) => name).join(", ");
  return columns.length > 20 ? `${shown} and ${columns.length - 20} more` : shown;
}

/** Refuses columns that are no numbers, with what can be done about them. */
function checkNumbers(
  coordinates: readonly ParsedColumn[],
  { origin, table, label }: PointTableOptions & { table: ParsedTable },
): void {
  const texts = coordinates.filter(({ kind }) => kind !== "number" && kind !== "integer");
  if (texts.length === 0) return;
  const [first] = texts;
  const few = first.categories?.slice(0, 3).map((text) => JSON.stringify(text)).join(", ");
  const what = first.kind === "date"
    ? "dates"
    : first.kind === "boolean"
    ? `booleans (${few})`
    : `texts (${few}${first.categories!.length > 3 ? ", ..." : ""})`;
  const others = texts.length > 1 ? `, and so do ${texts.length - 1} others` : "";
  const numeric = table.columns.filter(({ kind }) => kind === "number" || kind === "integer");
  const fixes = [
    ...(label === undefined && first.kind === "category"
      ? [`take it as classes by --label ${quoted(first.name)}`]
      : []),
    ...(numeric.length > 0
      ? [
        `choose columns of numbers by --columns ${
          quoted(numeric.slice(0, 8).map(({ name }) => name).join(","))
        }`,
      ]
      : []),
  ];
  throw new UserError(
    `Cannot read ${origin}: line ${first.firstTextLine}, column ${first.name} holds ${what}${others}; ` +
      `points are numbers${fixes.length ? `: ${fixes.join(", or ")}` : ""}`,
  );
}

function quoted(text: string): string {
  return /^[\w,.-]+$/.test(text) ? text : `"${text}"`;
}

/** The rows that have all values; refused unless the user lets rows be left out. */
function presentRows(
  coordinates: readonly ParsedColumn[],
  label: ParsedColumn | undefined,
  { origin, missing, table }: PointTableOptions & { table: ParsedTable },
): Int32Array {
  const used = label ? [...coordinates, label] : coordinates;
  const isWhole = (row: number) => used.every(({ values }) => !Number.isNaN(values[row]));
  const rows = Int32Array.from({ length: table.rowCount }, (_, row) => row).filter(isWhole);
  const lost = table.rowCount - rows.length;
  if (lost === 0) return rows;
  const holed = used.filter(({ missingCount }) => missingCount > 0);
  const counts = holed.slice(0, 5).map(({ name, missingCount }) => `${name}: ${missingCount}`);
  const more = holed.length > 5 ? `, and ${holed.length - 5} more columns` : "";
  const what = `values are missing (${MISSING_WORDS}) in ${lost} of ${table.rowCount} rows ` +
    `(${counts.join(", ")}${more})`;
  if (rows.length === 0) {
    throw new UserError(`Cannot use ${origin}: ${what}; choose other columns by --columns`);
  }
  if (missing === "drop") return rows;
  const line = Math.min(...holed.map(({ firstMissingLine }) => firstMissingLine!));
  throw new UserError(
    `Cannot use ${origin}: ${what}, first on line ${line}; --missing drop leaves these rows out`,
  );
}

/** Class numbers in the sequence of the classes' names. */
function classesOf(
  { values, categories }: ParsedColumn,
  rows: Int32Array,
): Pick<PointTable, "labels" | "classNames"> {
  const nameOf = (row: number) => categories ? categories[values[row]] : String(values[row]);
  const names = Array.from(rows, nameOf);
  const classNames = classNamesOf(names);
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  return { labels: Int32Array.from(names, (name) => numbers.get(name)!), classNames };
}
