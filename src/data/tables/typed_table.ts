/**
 * A table of a file as a generator of rows learns it: typed columns, with one line for each that says what
 * it was taken for, and how to have it otherwise.
 */
import { UserError } from "../../errors.ts";
import { formatDate } from "../../tables/dates.ts";
import type { NumericColumn, Table, TableColumn } from "../../tables/columns.ts";
import { formatInteger, formatPercent } from "../../text.ts";
import { randomSubset } from "../order.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { chooseColumns, type ColumnChoice } from "./column_choice.ts";
import type { ParsedColumn } from "./column.ts";
import { type ParsedTable, readTable } from "./table.ts";
import { convertColumn, type Converted } from "./typed_column.ts";

/** How a table is read. */
export interface TypedTableOptions {
  /** Entries of `--columns`. Default: all columns, as they look. */
  columns?: readonly string[];
  /** Rows to pick at random. Default: all. */
  count?: number;
  /** The seed of the pick. Default 0. */
  seed?: number;
}

/** A table, and what was found in its file. */
export interface TypedTable {
  table: Table;
  /** One line each: what is odd, what was guessed, then one for each column. */
  notes: string[];
}

/** A guessed category has at most this many different values. */
const MAX_GUESSED_CATEGORIES = 500;

/** So has one that the user asked for. */
const MAX_CATEGORIES = 5000;

/** A guessed category has at most this share of the rows as different values, unless it has few. */
const MAX_GUESSED_SHARE = 0.5;
const FEW_CATEGORIES = 50;

/**
 * Reads a table.
 * @throws {UserError} when the file is no table, a column that is asked for is not there or is not what it
 * is called, or no column is left
 */
export async function readTypedTable(
  file: StoredFile,
  { columns, count, seed = 0 }: TypedTableOptions = {},
): Promise<TypedTable> {
  const { origin } = file;
  const wanted = columns?.flatMap((entry) => [entry, entry.replace(/=[^=]*$/, "").trim()]) ?? [];
  const guessed = await readTable(file, { wanted });
  const names = guessed.columns.map(({ name }) => name);
  const choice = chooseColumns(columns, { columns: names, origin });
  const textColumns = textsOf(guessed, choice);
  const parsed = textColumns.length === 0
    ? guessed
    : await readTable(file, { wanted, textColumns });
  const chosen = choice.names ?? names;
  const rows = pickRows(parsed, { count, seed, origin });
  const lineNumbers = Int32Array.from(rows, (row) => parsed.lines[row]);
  const kept: TableColumn[] = [];
  const lines: string[] = [];
  for (const name of chosen) {
    const column = parsed.columns.find((each) => each.name === name)!;
    const kind = choice.kinds.get(name);
    if (kind === "skip") continue;
    const context = { origin, lines: lineNumbers, kind };
    const converted = convertColumn(takeRows(column, rows), context);
    const fault = reasonToLeaveOut(converted, { kind, origin });
    lines.push(`column ${name}: ${fault ?? describeColumn(converted)}`);
    if (fault === undefined) kept.push(converted.column);
  }
  if (kept.length === 0) {
    throw new UserError(
      `Cannot use ${origin}: none of its ${names.length} columns is left; ${lines[0] ?? ""}`.trim(),
    );
  }
  const skipped = names.filter((name) =>
    !chosen.includes(name) || choice.kinds.get(name) === "skip"
  );
  const notes = [...parsed.notes];
  if (skipped.length > 0) notes.push(`left out the columns ${skipped.join(", ")}, as asked`);
  return { table: { columns: kept, rowCount: rows.length }, notes: [...notes, ...lines] };
}

/**
 * The columns whose cells are read as texts: those that are said to be categories, booleans or dates, and
 * guessed categories, in which "None" is a value like any other.
 */
function textsOf({ columns }: ParsedTable, { names, kinds }: ColumnChoice): string[] {
  const asTexts = ["category", "boolean", "date"];
  return columns.filter(({ name, kind, missingCount }) => {
    if (names && !names.includes(name)) return false;
    const said = kinds.get(name);
    return said === undefined ? kind === "category" && missingCount > 0 : asTexts.includes(said);
  }).map(({ name }) => name);
}

function pickRows(
  { rowCount }: ParsedTable,
  { count, seed, origin }: { count: number | undefined; seed: number; origin: string },
): Uint32Array {
  if (count === undefined || count === rowCount) {
    return Uint32Array.from({ length: rowCount }, (_, row) => row);
  }
  if (count > rowCount) {
    throw new UserError(
      `Cannot take ${count} rows from ${origin}: it has ${rowCount}; lower "count"`,
    );
  }
  return randomSubset(rowCount, { wanted: count, seed });
}

function takeRows(column: ParsedColumn, rows: Uint32Array): ParsedColumn {
  if (rows.length === column.values.length) return column;
  return { ...column, values: Float64Array.from(rows, (row) => column.values[row]) };
}

/** Why a column cannot be learned, and how to have it; undefined where it can. */
function reasonToLeaveOut(
  { column }: Converted,
  { kind, origin }: { kind: string | undefined; origin: string },
): string | undefined {
  const { name } = column;
  if ("values" in column) {
    return column.values.every((value) => Number.isNaN(value)) ? "empty, left out" : undefined;
  }
  const count = column.categories.length;
  if (count === 0) return "empty, left out";
  const present = column.codes.reduce((total, code) => total + (code < 0 ? 0 : 1), 0);
  const isMany = count > MAX_GUESSED_CATEGORIES ||
    count > FEW_CATEGORIES && count > MAX_GUESSED_SHARE * present;
  if (count > MAX_CATEGORIES && kind !== undefined) {
    throw new UserError(
      `Cannot use ${origin}: the column ${JSON.stringify(name)} has ${
        formatInteger(count)
      } different values, and a category has at most ${formatInteger(MAX_CATEGORIES)}`,
    );
  }
  if (kind !== undefined || !isMany) return undefined;
  const how = count > MAX_CATEGORIES ? "" : `; --columns "*,${name}=category" keeps it`;
  return `text with ${formatInteger(count)} different values in ${
    formatInteger(present)
  } rows, left out${how}`;
}

/** `integer, 0 to 400, 28.4% missing`, or `category, 3 values: Small 49.1%, Medium 43.5%, Large 7.4%`. */
function describeColumn({ column, remark }: Converted): string {
  const missing = "values" in column
    ? column.values.reduce((total, value) => total + (Number.isNaN(value) ? 1 : 0), 0) /
      column.values.length
    : column.codes.reduce((total, code) => total + (code < 0 ? 1 : 0), 0) / column.codes.length;
  return [
    column.kind,
    "values" in column ? describeRange(column) : describeShares(column),
    ...(missing > 0 ? [`${formatPercent(missing)} missing`] : []),
    ...(remark === undefined ? [] : [remark]),
  ].join(", ");
}

function describeRange({ kind, values, decimals, datePattern }: NumericColumn): string {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const written = (value: number) =>
    kind === "date" ? formatDate(value, datePattern!) : value.toFixed(decimals);
  return `${written(low)} to ${written(high)}`;
}

const SHOWN_CATEGORIES = 3;

function describeShares(
  { codes, categories }: Extract<TableColumn, { codes: Int32Array }>,
): string {
  const counts = new Float64Array(categories.length);
  for (const code of codes) if (code >= 0) counts[code]++;
  const order = [...categories.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  const shown = order.slice(0, SHOWN_CATEGORIES)
    .map((code) => `${categories[code]} ${formatPercent(counts[code] / codes.length)}`);
  const rarest = order[order.length - 1];
  if (order.length > SHOWN_CATEGORIES) {
    shown.push(`... ${categories[rarest]} ${formatInteger(counts[rarest])} rows`);
  }
  return `${formatInteger(categories.length)} values: ${shown.join(", ")}`;
}
