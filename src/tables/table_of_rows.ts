/** A table from decoded rows, to compare with the real one or to write to a file. */
import { type ColumnEncoding, isNumericEncoding, type Table, type TableColumn } from "./columns.ts";
import { ISO_DATE, parseDate } from "./dates.ts";
import { isTrue, type TableRow } from "./decode.ts";

/**
 * The rows as columns.
 * @param encodings the columns, as the rows were decoded by them
 */
export function tableOfRows(
  rows: readonly TableRow[],
  encodings: readonly ColumnEncoding[],
): Table {
  const columns = encodings.map((encoding): TableColumn => {
    const { name } = encoding;
    if (isNumericEncoding(encoding)) {
      const { kind, decimals, datePattern } = encoding;
      const values = Float64Array.from(rows, (row) => numberOf(row[name], datePattern));
      return {
        name,
        kind,
        decimals,
        values,
        ...(datePattern === undefined ? {} : { datePattern }),
      };
    }
    const { kind, categories } = encoding;
    const codes = Int32Array.from(rows, (row) => {
      const value = row[name];
      if (value === null) return -1;
      if (typeof value !== "boolean") return categories.indexOf(String(value));
      return categories.findIndex((category) => isTrue(category) === value);
    });
    return { name, kind, categories, codes };
  });
  return { rowCount: rows.length, columns };
}

/** A number, or a date's days since 1970-01-01; NaN where it is missing. */
function numberOf(value: TableRow[string], datePattern = ISO_DATE): number {
  if (typeof value === "string") return parseDate(value, datePattern) ?? NaN;
  return typeof value === "number" ? value : NaN;
}
