/** What a cell of a table says: a number, nothing, or text. */

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const COMMA_NUMBER = /^[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)?,?[0-9]*(?:[eE][+-]?[0-9]+)?$/;

/** How programs write infinite numbers; a table of points must not hold them, and says where they are. */
const INFINITY = /^([+-]?)(?:inf(?:inity)?|∞)$/i;

const MISSING: ReadonlySet<string> = new Set([
  "",
  "-",
  ".",
  "?",
  "na",
  "n/a",
  "#n/a",
  "nan",
  "-nan",
  "null",
  "nil",
  "none",
  "missing",
]);

/** What stands for a missing value in a column of numbers, for messages. */
export const MISSING_WORDS = "empty, NA, NaN, null, ?";

/** Whether a cell of a column of numbers says that there is none. */
export function isMissing(cell: string): boolean {
  return MISSING.has(cell.toLowerCase());
}

/** A cell's number; undefined where it is none. The result may be infinite. */
export function parseNumber(cell: string, decimalComma = false): number | undefined {
  const infinite = INFINITY.exec(cell);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  if (!decimalComma) return NUMBER.test(cell) ? Number(cell) : undefined;
  if (!COMMA_NUMBER.test(cell) || !/[0-9]/.test(cell)) return undefined;
  return Number(cell.replaceAll(".", "").replace(",", "."));
}

/** Whether a cell is a number with a decimal comma. */
export function hasDecimalComma(cell: string): boolean {
  return cell.includes(",") && parseNumber(cell, true) !== undefined;
}
