/** Reads a text table into typed columns: numbers, integers, booleans, categories and dates. */
import { UserError } from "../../errors.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { ColumnBuilder, type ParsedColumn } from "./column.ts";
import { isRowNumbers, readHeader } from "./header.ts";
import { detectDialect, type Dialect, readRecords, type TableRecord } from "./records.ts";

/** A table in memory. */
export interface ParsedTable {
  /** The columns, but for those that only number the rows or have neither name nor cells. */
  columns: ParsedColumn[];
  /** How many rows it has below its header. */
  rowCount: number;
  /** Whether its first line names the columns. */
  hasHeader: boolean;
  /** The line of each row, from 1. */
  lines: Int32Array;
  /** What was guessed or dropped, one line each. */
  notes: string[];
}

/** How a table is read. */
export interface TableOptions {
  /** Columns whose cells are texts, whatever they look like. */
  textColumns?: readonly string[];
  /** Columns that the user named, by which a header is recognized. */
  wanted?: readonly string[];
}

/** How many records are looked at before the header is settled. */
const SAMPLE = 50;

/**
 * Reads a table.
 * @throws {UserError} when it has no rows, or rows of different lengths
 */
export async function readTable(
  file: StoredFile,
  options: TableOptions = {},
): Promise<ParsedTable> {
  const dialect = await detectDialect(file);
  const { table, unclear } = await readOnce(file, dialect, options);
  if (unclear.length === 0) return table;
  const textColumns = [...options.textColumns ?? [], ...unclear];
  return (await readOnce(file, dialect, { ...options, textColumns })).table;
}

/** Reads a table, and says which columns turned out to be texts too late. */
async function readOnce(
  file: StoredFile,
  dialect: Dialect,
  { textColumns = [], wanted = [] }: TableOptions,
): Promise<{ table: ParsedTable; unclear: string[] }> {
  const { origin } = file;
  const { decimalComma } = dialect;
  const records = readRecords(file, dialect);
  const sample = await takeRecords(records, SAMPLE);
  if (sample.length === 0) throw new UserError(`Cannot read ${origin}: it has no lines of numbers`);
  const header = readHeader(sample.map(({ fields }) => fields), { wanted, decimalComma });
  const { names, hasHeader } = header;
  const builders = names.map((name) =>
    new ColumnBuilder(name, { isText: textColumns.includes(name), decimalComma })
  );
  const lines: number[] = [];
  let comments = 0;
  const take = ({ line, fields }: TableRecord) => {
    if (fields.length !== names.length) {
      if (fields[0].startsWith("#")) {
        comments++;
        return;
      }
      throw new UserError(
        `Cannot read ${origin}: line ${line} has ${fields.length} columns, and the first line has ` +
          `${names.length}`,
      );
    }
    for (const [i, builder] of builders.entries()) builder.push(fields[i], line);
    lines.push(line);
  };
  for (const record of hasHeader ? sample.slice(1) : sample) take(record);
  for await (const record of records) take(record);
  if (lines.length === 0) {
    throw new UserError(`Cannot read ${origin}: it has no rows below its header`);
  }
  const notes = [...dialectNotes(dialect), ...header.notes];
  if (comments > 0) notes.push(`passed over ${comments} lines of comments`);
  const columns = usefulColumns(builders.map((builder) => builder.finish()), {
    header: hasHeader ? sample[0].fields : [],
    keep: [...textColumns, ...wanted],
    notes,
  });
  const unclear = builders.filter(({ needsTexts }) => needsTexts).map(({ name }) => name);
  const table = {
    columns,
    rowCount: lines.length,
    hasHeader,
    lines: Int32Array.from(lines),
    notes,
  };
  return { table, unclear };
}

/** The next records, fewer where the table ends; the iterator stays open. */
export async function takeRecords(
  records: AsyncGenerator<TableRecord>,
  count: number,
): Promise<TableRecord[]> {
  const taken: TableRecord[] = [];
  while (taken.length < count) {
    const { value, done } = await records.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** What is unusual about how a table is written. */
function dialectNotes({ encoding, separator, decimalComma }: Dialect): string[] {
  const notes: string[] = [];
  if (encoding !== "utf-8") notes.push(`read as ${encoding.toUpperCase()} text`);
  if (decimalComma) notes.push("numbers have decimal commas");
  if (separator === "|") notes.push("columns are separated by |");
  return notes;
}

/** Leaves out columns without name and cells, and those that only number the rows. */
function usefulColumns(
  columns: readonly ParsedColumn[],
  { header, keep, notes }: { header: readonly string[]; keep: readonly string[]; notes: string[] },
): ParsedColumn[] {
  const useful = columns.filter(({ name, values, missingCount }, i) => {
    if (keep.includes(name)) return true;
    if (missingCount === values.length && (header[i] ?? "") === "" && columns.length > 1) {
      const isLast = i === columns.length - 1;
      notes.push(
        isLast
          ? "lines end with a separator: the empty last column was dropped"
          : `the empty column ${i + 1} was dropped`,
      );
      return false;
    }
    const isIndex = i === 0 && header.length > 1 && isRowNumbers(header[0], values);
    if (isIndex) {
      const called = header[0] === "" ? "without a name" : `"${header[0]}"`;
      notes.push(`the first column, ${called}, numbers the rows and was dropped`);
    }
    return !isIndex;
  });
  return useful.length > 0 ? useful : [...columns];
}
