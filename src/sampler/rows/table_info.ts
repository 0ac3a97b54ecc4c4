/** What is known about a generator of rows: its columns, and which of them conditions may name. */
import type { TableManifest } from "../../model_manifest.ts";
import { isNumericEncoding } from "../../tables/columns.ts";

/** A column of a generator of rows. */
export interface ColumnInfo {
  /** Its name. */
  name: string;
  /** What its values are. */
  kind: "number" | "integer" | "date" | "category" | "boolean";
  /** The names that its values have; null for numbers and dates. */
  categories: string[] | null;
  /** Digits after the decimal point; null for names and dates. */
  decimals: number | null;
  /** Smallest and largest value; of dates, days since 1970-01-01. Null for names. */
  range: [number, number] | null;
  /** How its dates are written, such as `YYYY-MM-DD`; null where it has none. */
  datePattern: string | null;
  /** Whether values may be missing. */
  hasMissing: boolean;
  /** Whether `conditions` may name it. */
  isConditional: boolean;
}

/** The columns of a generator of rows. */
export interface TableInfo {
  /** From left to right. */
  columns: ColumnInfo[];
}

/** Describes the columns of a table. */
export function tableInfo({ columns, conditions }: TableManifest): TableInfo {
  const named = new Set(conditions.map(({ column }) => column));
  return {
    columns: columns.map((encoding, index): ColumnInfo => {
      const { name, kind, hasMissing } = encoding;
      const shared = { name, kind, hasMissing, isConditional: named.has(index) };
      if (!isNumericEncoding(encoding)) {
        const { categories } = encoding;
        return { ...shared, categories, decimals: null, range: null, datePattern: null };
      }
      const isDate = encoding.kind === "date";
      return {
        ...shared,
        categories: null,
        decimals: isDate ? null : encoding.decimals,
        range: encoding.range,
        datePattern: isDate ? encoding.datePattern ?? "YYYY-MM-DD" : null,
      };
    }),
  };
}
