/** From a column as it was read to one that a generator of rows learns: its kind, or the one that the user says. */
import { UserError } from "../../errors.ts";
import { detectDatePattern, parseDate } from "../../tables/dates.ts";
import type { ChoiceColumn, NumericColumn, TableColumn } from "../../tables/columns.ts";
import { BOOLEANS, type ColumnKind, type ParsedColumn } from "./column.ts";

/** A column, and what of its kind was guessed. */
export interface Converted {
  column: TableColumn;
  remark?: string;
}

/** Where a column comes from, and what the user says that it is. */
export interface ColumnContext {
  origin: string;
  /** The line of each row of the file. */
  lines: Int32Array;
  kind: ColumnKind | undefined;
}

/** Texts that mean a missing value in columns of names too; "None" and "-" may be names. */
const MISSING_NAMES = /^(?:NA|N\/A|#N\/A|NaN|null|NULL|\?)$/;

const MAX_DECIMALS = 15;

/**
 * Converts a column.
 * @throws {UserError} when it is not what the user says, or holds an infinite number
 */
export function convertColumn(parsed: ParsedColumn, context: ColumnContext): Converted {
  const { kind = parsed.kind } = context;
  switch (kind) {
    case "number":
    case "integer":
      return { column: numbersOf(parsed, { ...context, kind }) };
    case "category":
      return { column: namesOf(parsed) };
    case "boolean":
      return { column: booleansOf(parsed, context) };
    case "date":
      return datesOf(parsed, context);
  }
}

function refuse(column: ParsedColumn, context: ColumnContext, found: string): UserError {
  return new UserError(
    `Cannot use ${context.origin}: the column ${JSON.stringify(column.name)} is to be ` +
      `${context.kind}, and it ${found}`,
  );
}

function numbersOf(
  column: ParsedColumn,
  context: ColumnContext & { kind: "number" | "integer" },
): NumericColumn {
  const { name, values, categories } = column;
  const { kind, lines, origin } = context;
  if (categories || column.datePattern) {
    const what = categories ? JSON.stringify(categories[0]) : "dates";
    throw refuse(column, context, `holds ${what} on line ${column.firstTextLine}`);
  }
  const infinite = values.findIndex((value) => !Number.isFinite(value) && !Number.isNaN(value));
  if (infinite >= 0) {
    throw new UserError(
      `Cannot use ${origin}: line ${lines[infinite]}, column ${name} has ${values[infinite]}; ` +
        `numbers are finite, and an empty cell means that there is none`,
    );
  }
  const decimals = values.reduce((most, value) => Math.max(most, decimalsOf(value)), 0);
  if (kind === "integer" && decimals > 0) {
    const row = values.findIndex((value) => decimalsOf(value) > 0);
    throw refuse(column, context, `has ${values[row]} on line ${lines[row]}`);
  }
  return { name, kind, values, decimals };
}

/** Digits after the point of the shortest text of a number. */
function decimalsOf(value: number): number {
  if (Number.isNaN(value) || Number.isInteger(value)) return 0;
  const [digits, exponent = "0"] = String(value).split("e");
  const written = (digits.split(".")[1] ?? "").length - Number(exponent);
  return Math.max(0, Math.min(MAX_DECIMALS, written));
}

/** The names of a column, by code; codes of names that mean missing are -1. */
function namesOf({ name, values, categories = [] }: ParsedColumn): ChoiceColumn {
  const used = new Set(values);
  const kept = categories.map((text, code) => used.has(code) && !MISSING_NAMES.test(text));
  let next = 0;
  const codes = kept.map((isKept) => isKept ? next++ : -1);
  return {
    name,
    kind: "category",
    categories: categories.filter((_, code) => kept[code]),
    codes: Int32Array.from(values, (code) => Number.isNaN(code) ? -1 : codes[code]),
  };
}

function booleansOf(column: ParsedColumn, context: ColumnContext): ChoiceColumn {
  if (column.kind === "boolean") {
    const { name, values, categories } = column;
    const codes = Int32Array.from(values, (value) => Number.isNaN(value) ? -1 : value);
    return { name, kind: "boolean", categories: categories!, codes };
  }
  const names = namesOf(column);
  const pairs: readonly (readonly string[])[] = [...BOOLEANS, ["0", "1"]];
  const words = names.categories.map((text) => text.toLowerCase());
  const pair = pairs.find((each) => words.every((word) => each.includes(word)));
  if (pair === undefined || new Set(words).size < words.length) {
    const shown = names.categories.slice(0, 3).map((text) => JSON.stringify(text)).join(", ");
    const more = names.categories.length > 3 ? ", ..." : "";
    throw refuse(
      column,
      context,
      `holds ${shown}${more}; booleans are ${pairs.map((each) => each.join("/")).join(", ")}`,
    );
  }
  const places = words.map((word) => pair.indexOf(word));
  return {
    ...names,
    kind: "boolean",
    categories: pair.map((word) => names.categories[words.indexOf(word)] ?? word),
    codes: names.codes.map((code) => code < 0 ? -1 : places[code]),
  };
}

function datesOf(column: ParsedColumn, context: ColumnContext): Converted {
  const { name, datePattern } = column;
  if (datePattern) {
    const { pattern, other } = datePattern;
    const dates = { name, kind: "date", decimals: 0, values: column.values, datePattern: pattern };
    return { column: dates as NumericColumn, remark: remarkOn(pattern, other) };
  }
  const names = namesOf(column);
  const found = detectDatePattern(names.categories, true);
  if (found === undefined || names.categories.length === 0) {
    const shown = names.categories.slice(0, 3).map((text) => JSON.stringify(text)).join(", ");
    throw refuse(
      column,
      context,
      `holds ${
        shown || "nothing"
      }; dates are such as 2026-11-30, 30.11.2026 or 11/30/2026, all in one form`,
    );
  }
  const days = names.categories.map((text) => parseDate(text, found.pattern)!);
  const values = Float64Array.from(names.codes, (code) => code < 0 ? NaN : days[code]);
  return {
    column: { name, kind: "date", decimals: 0, values, datePattern: found.pattern },
    remark: remarkOn(found.pattern, found.other),
  };
}

function remarkOn(pattern: string, other: string | undefined): string {
  return other === undefined
    ? `written ${pattern}`
    : `read as ${pattern}, though ${other} fits too`;
}
