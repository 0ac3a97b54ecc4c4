/** Which columns of a table are used, and as what: `--columns` and `data.columns`. */
import { didYouMean } from "../../config/nearest.ts";
import { UserError } from "../../errors.ts";
import type { ColumnKind } from "./column.ts";

/** What the user may call a column; `skip` leaves it out. */
const COLUMN_KINDS = ["number", "integer", "category", "boolean", "date", "skip"] as const;

/** What the user says of columns. */
export interface ColumnChoice {
  /** Column names in the order that the user gave; undefined for all, as they are in the table. */
  names?: string[];
  /** What the user says that a column is. */
  kinds: ReadonlyMap<string, ColumnKind | "skip">;
}

/**
 * Reads entries such as `age`, `zip=category` and `*`, which stands for all other columns.
 * @param entries undefined for all columns
 * @param columns the table's
 * @throws {UserError} when a column is not there, is named twice, or cannot be what it is called
 */
export function chooseColumns(
  entries: readonly string[] | undefined,
  { columns, origin }: { columns: readonly string[]; origin: string },
): ColumnChoice {
  const kinds = new Map<string, ColumnKind | "skip">();
  if (entries === undefined) return { kinds };
  const names = new Set<string>();
  for (const entry of entries) {
    if (entry === "*" && !columns.includes("*")) continue;
    const { name, kind } = splitEntry(entry, { columns, origin });
    if (names.has(name)) {
      throw new UserError(`Cannot use ${origin}: --columns names ${JSON.stringify(name)} twice`);
    }
    names.add(name);
    if (kind !== undefined) kinds.set(name, kind);
  }
  if (entries.includes("*")) {
    // Where an entry says only what a column is, the table keeps its order.
    return { kinds };
  }
  return { names: [...names], kinds };
}

function splitEntry(
  entry: string,
  { columns, origin }: { columns: readonly string[]; origin: string },
): { name: string; kind?: ColumnKind | "skip" } {
  const whole = findName(entry, columns);
  if (whole !== undefined) return { name: whole };
  const equals = entry.lastIndexOf("=");
  const name = equals < 0 ? undefined : findName(entry.slice(0, equals).trim(), columns);
  if (name === undefined) {
    const wanted = equals < 0 ? entry : entry.slice(0, equals);
    const shown = columns.slice(0, 20).join(", ");
    const more = columns.length > 20 ? ` and ${columns.length - 20} more` : "";
    throw new UserError(
      `Cannot find the column ${JSON.stringify(wanted)} in ${origin}${
        didYouMean(wanted, columns)
      }: it has ${shown}${more}`,
    );
  }
  const kind = entry.slice(equals + 1).trim();
  const known = COLUMN_KINDS.find((each) => each === kind);
  if (known === undefined) {
    throw new UserError(
      `Cannot use ${origin}: --columns says ${JSON.stringify(entry)}, and a column is one of ` +
        `${COLUMN_KINDS.join(", ")}${didYouMean(kind, COLUMN_KINDS)}`,
    );
  }
  return { name, kind: known };
}

function findName(name: string, columns: readonly string[]): string | undefined {
  return columns.find((column) => column === name) ??
    columns.find((column) => column.toLowerCase() === name.toLowerCase());
}
