/** From rows of numbers, as a generator gives them, back to the values of a table. */
import { type ColumnEncoding, isNumericEncoding, rowLayout } from "./columns.ts";
import { formatDate, ISO_DATE } from "./dates.ts";

/** A value of a decoded row; null where it is missing. Dates are strings, written as the data had them. */
export type CellValue = number | string | boolean | null;

/** A decoded row, by the names of its columns. */
export type TableRow = Record<string, CellValue>;

/** The same unit as in encode.ts; a manifest's reader must not depend on the fit. */
const STDS_PER_UNIT = 4;

/**
 * Decodes rows: of each choice the largest entry counts, numbers are clipped to the range of the data
 * and rounded to its decimals.
 * @param rows `[n, width]` flat
 * @throws {RangeError} when the length is no multiple of the width, or a value is NaN
 */
export function decodeRows(
  rows: Float32Array,
  encodings: readonly ColumnEncoding[],
): TableRow[] {
  const { width, places } = rowLayout(encodings);
  if (width === 0 || rows.length % width !== 0) {
    throw new RangeError(
      `Cannot decode ${rows.length} values: a row of these ${encodings.length} columns has ${width}`,
    );
  }
  const fault = rows.findIndex((value) => Number.isNaN(value));
  if (fault >= 0) {
    throw new RangeError(`Cannot decode row ${Math.floor(fault / width)}: it holds NaN`);
  }
  return Array.from({ length: rows.length / width }, (_, row) => {
    const values = rows.subarray(row * width, (row + 1) * width);
    const cells = encodings.map((encoding, column): [string, CellValue] => {
      const { scalar, choice, size } = places[column];
      const chosen = largestOf(values, choice, size);
      const isMissing = encoding.hasMissing && chosen === size - 1;
      const value = isMissing
        ? null
        : cellOf(encoding, chosen, scalar === undefined ? 0 : values[scalar]);
      return [encoding.name, value];
    });
    return Object.fromEntries(cells);
  });
}

/** The text of a cell, as the data had it; "" where it is missing. */
export function cellText(value: CellValue, encoding: ColumnEncoding): string {
  if (value === null) return "";
  if (typeof value === "boolean" && !isNumericEncoding(encoding)) {
    return encoding.categories.find((category) => isTrue(category) === value) ?? String(value);
  }
  if (typeof value !== "number" || !isNumericEncoding(encoding)) return String(value);
  return value.toFixed(encoding.decimals);
}

function cellOf(encoding: ColumnEncoding, choice: number, scalar: number): CellValue {
  if (!isNumericEncoding(encoding)) {
    const category = encoding.categories[choice];
    return encoding.kind === "boolean" ? isTrue(category) : category;
  }
  const { mean, std } = encoding.modes[choice];
  const [low, high] = encoding.range;
  const raw = Math.max(-1, Math.min(1, scalar)) * STDS_PER_UNIT * std + mean;
  const clipped = Math.max(low, Math.min(high, raw));
  if (encoding.kind === "date") return formatDate(clipped, encoding.datePattern ?? ISO_DATE);
  const scale = 10 ** encoding.decimals;
  return Math.round(clipped * scale) / scale;
}

/** Whether a category of a boolean column means true. */
export function isTrue(category: string): boolean {
  return /^(true|t|yes|y|1)$/i.test(category);
}

function largestOf(values: Float32Array, offset: number, size: number): number {
  let best = 0;
  for (let entry = 1; entry < size; entry++) {
    if (values[offset + entry] > values[offset + best]) best = entry;
  }
  return best;
}
