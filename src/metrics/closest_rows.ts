/**
 * Whether synthetic rows are copies: the distance of each to the closest row of a table, beside that of real
 * rows which are not in the table.
 */
import { isNumericColumn, type Table } from "../tables/columns.ts";

/** How near rows are to a table's. */
export interface ClosestRows {
  /** Median distance to the closest row, 0 to 1. */
  median: number;
  /** A twentieth of the rows is nearer than this. */
  fifthPercentile: number;
  /** Share of rows that the table has too, value by value. */
  copies: number;
}

/**
 * The distance of two rows is the mean over the columns (Gower 1971): for numbers their difference as a share of
 * the table's range, for names and missing values 0 where they are equal and else 1.
 * @throws {RangeError} when the columns differ
 */
export function closestRows(rows: Table, table: Table): ClosestRows {
  const columns = table.columns.map((column, i) => {
    const own = rows.columns[i];
    if (own?.name !== column.name) {
      throw new RangeError(`Cannot compare rows: there is no column ${column.name} in both tables`);
    }
    if (isNumericColumn(column) && isNumericColumn(own)) {
      const range = rangeOf(column.values);
      return {
        isNumeric: true,
        real: column.values,
        own: own.values,
        scale: range > 0 ? 1 / range : 1,
      };
    }
    if (isNumericColumn(column) || isNumericColumn(own)) {
      throw new RangeError(`Cannot compare rows: ${column.name} holds numbers in one table only`);
    }
    const places = new Map(column.categories.map((name, code) => [name, code]));
    const codes = own.codes.map((code) => code < 0 ? -1 : places.get(own.categories[code]) ?? -2);
    return { isNumeric: false, real: column.codes, own: codes, scale: 1 };
  });
  const distances = Float64Array.from({ length: rows.rowCount }, (_, row) => {
    let nearest = Infinity;
    for (let other = 0; other < table.rowCount; other++) {
      let sum = 0;
      for (const { isNumeric, real, own, scale } of columns) {
        const [a, b] = [own[row], real[other]];
        if (!isNumeric) sum += a === b ? 0 : 1;
        else if (Number.isNaN(a) || Number.isNaN(b)) {
          sum += Number.isNaN(a) && Number.isNaN(b) ? 0 : 1;
        } else sum += Math.min(1, Math.abs(a - b) * scale);
        if (sum >= nearest) break;
      }
      if (sum < nearest) nearest = sum;
    }
    return nearest / columns.length;
  }).sort();
  return {
    median: distances[Math.floor(distances.length / 2)],
    fifthPercentile: distances[Math.floor(distances.length / 20)],
    copies: distances.filter((distance) => distance === 0).length / distances.length,
  };
}

function rangeOf(values: Float64Array): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high - low;
}
