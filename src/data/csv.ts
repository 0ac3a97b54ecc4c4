/**
 * Points as text, one a line: numbers with commas, semicolons, tabs or blanks between them. A first
 * line without a number names the columns; the column "label" holds classes. Lines that are empty or
 * start with # are passed over.
 */
import { UserError } from "../errors.ts";
import { readSmallFile } from "./byte_reader.ts";

/** Points with their classes, where there is a column for them. */
export interface PointTable {
  /** How many numbers a point has. */
  dimension: number;
  /** `[N, dimension]` flat */
  values: Float32Array;
  /** `[N]` class numbers. */
  labels?: Int32Array;
  /** The distinct labels, in the sequence of their names. */
  classNames?: string[];
}

/** The most bytes of a file: half a gigabyte. */
const MAX_CSV_BYTES = 2 ** 29;

/** Reads a file of points; see {@linkcode parseCsv}. */
export async function readCsvFile(path: string): Promise<PointTable> {
  const bytes = await readSmallFile(path, { maxBytes: MAX_CSV_BYTES });
  return parseCsv(new TextDecoder().decode(bytes), path);
}

/**
 * Reads points.
 * @param origin names the text in messages
 * @throws {UserError} naming the line that does not have as many finite numbers as the first
 */
export function parseCsv(text: string, origin: string): PointTable {
  const rows = text.split(/\r\n|\r|\n/).map((line, i) => ({ number: i + 1, line: line.trim() }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"));
  if (rows.length === 0) throw new UserError(`Cannot read ${origin}: it has no lines of numbers`);
  const separator = [",", ";", "\t"].find((mark) => rows[0].line.includes(mark)) ?? /\s+/;
  const split = (line: string) => line.split(separator).map((field) => field.trim());
  const first = split(rows[0].line);
  const hasHeader = first.every((field) => toNumber(field) === undefined);
  const header = hasHeader ? first.map((field) => field.replaceAll('"', "").toLowerCase()) : [];
  const labelColumn = header.indexOf("label");
  const dimension = first.length - (labelColumn >= 0 ? 1 : 0);
  const body = hasHeader ? rows.slice(1) : rows;
  if (body.length === 0 || dimension === 0) {
    throw new UserError(
      `Cannot read ${origin}: it has ${body.length} lines of ${dimension} numbers below its header`,
    );
  }
  const values = new Float32Array(body.length * dimension);
  const classes: string[] = [];
  let at = 0;
  for (const { number, line } of body) {
    const fields = split(line);
    if (fields.length !== first.length) {
      throw new UserError(
        `Cannot read ${origin}: line ${number} has ${fields.length} columns, and the first line has ` +
          `${first.length}`,
      );
    }
    for (const [column, field] of fields.entries()) {
      if (column === labelColumn) {
        classes.push(field);
        continue;
      }
      const value = toNumber(field);
      if (value === undefined || !Number.isFinite(Math.fround(value))) {
        throw new UserError(
          `Cannot read ${origin}: line ${number}, column ${column + 1} has ${
            JSON.stringify(field)
          }, which is no finite float32 number`,
        );
      }
      values[at++] = value;
    }
  }
  if (labelColumn < 0) return { dimension, values };
  const classNames = sortedNames(classes);
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  const labels = Int32Array.from(classes, (name) => numbers.get(name)!);
  return { dimension, values, labels, classNames };
}

function toNumber(field: string): number | undefined {
  const value = field === "" ? NaN : Number(field);
  return Number.isNaN(value) ? undefined : value;
}

/** Distinct labels: by value where all are numbers, else by name. */
function sortedNames(labels: readonly string[]): string[] {
  const names = [...new Set(labels)].sort();
  const isNumeric = names.every((name) => toNumber(name) !== undefined);
  return isNumeric ? names.sort((a, b) => Number(a) - Number(b)) : names;
}
