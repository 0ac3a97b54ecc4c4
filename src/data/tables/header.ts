/** Whether a table's first record names its columns, and which columns only number its rows. */
import { isMissing, parseNumber } from "./cells.ts";

/** What the first records of a table say. */
export interface TableHeader {
  /** The names of the columns; numbers from 1 where there are none. */
  names: string[];
  /** Whether the first record holds names. */
  hasHeader: boolean;
  /** What was guessed, one line each. */
  notes: string[];
}

/**
 * Reads names from the first record, if it has any: texts above numbers, or 0, 1, 2, ... above numbers
 * that are not whole.
 * @param records the first records
 * @param wanted columns that the user named
 */
export function readHeader(
  records: readonly (readonly string[])[],
  { wanted, decimalComma }: { wanted: readonly string[]; decimalComma: boolean },
): TableHeader {
  const [first, ...below] = records;
  const numbers = first.map((_, i) => String(i + 1));
  const isNumber = (cell: string) => parseNumber(cell, decimalComma) !== undefined;
  const isName = (cell: string) => !isMissing(cell) && !isNumber(cell);
  const isTexts = first.some(isName) && first.every((cell) => cell === "" || isName(cell));
  const isWanted = wanted.length > 0 && wanted.some((name) => first.includes(name));
  if (isWanted || isTexts && (below.length > 0 || new Set(first).size === first.length)) {
    return {
      names: unique(first.map((cell, i) => cell || `column ${i + 1}`)),
      hasHeader: true,
      notes: [],
    };
  }
  const named = first[0] === "" ? first.slice(1) : first;
  const isCount = named.length > 1 && named.every((cell, i) => cell === String(i));
  const isFraction = (cell: string) => isNumber(cell) && !/^[+-]?[0-9]+$/.test(cell);
  if (isCount && below.length > 0 && below.every((row) => row.some(isFraction))) {
    const notes = [
      `the first line (${named.slice(0, 4).join(", ")}${
        named.length > 4 ? ", ..." : ""
      }) was taken as the columns' names`,
    ];
    return {
      names: unique(first.map((cell, i) => cell || `column ${i + 1}`)),
      hasHeader: true,
      notes,
    };
  }
  return { names: numbers, hasHeader: false, notes: [] };
}

/** Gives a second column of the same name a number. */
function unique(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let i = 2; seen.has(free); i++) free = `${name} (${i})`;
    seen.add(free);
    return free;
  });
}

const INDEX_NAME = /^(?:|id|index|idx|row|rownames|unnamed: ?[0-9]+)$/i;

/**
 * Whether a column only numbers the rows: it is called so, or has no name, and holds 0, 1, 2, ... or
 * 1, 2, 3, ...
 * @param name the cell of the header; "" for none
 */
export function isRowNumbers(name: string, values: Float64Array): boolean {
  if (!INDEX_NAME.test(name) || values.length < 2) return false;
  return (values[0] === 0 || values[0] === 1) &&
    values.every((value, row) => value === row + values[0]);
}
