/** Rows that a generator made, and the texts that they are saved as. */
import type { TableManifest } from "../../model_manifest.ts";
import { cellText, type TableRow } from "../../tables/decode.ts";

/** Rows with the columns that they have, to be saved. */
export class RowList {
  /** The rows, by the names of their columns; null where a value is missing. */
  readonly rows: readonly TableRow[];
  readonly #encodings: TableManifest["columns"];

  /** @internal */
  constructor(rows: readonly TableRow[], encodings: TableManifest["columns"]) {
    this.rows = rows;
    this.#encodings = encodings;
  }

  /** How many there are. */
  get length(): number {
    return this.rows.length;
  }

  /** See `rows`. */
  [Symbol.iterator](): IterableIterator<TableRow> {
    return this.rows[Symbol.iterator]();
  }

  /**
   * The rows as CSV (RFC 4180), lines ending in a line feed: numbers with the decimals of their column, dates
   * and truth values as the data had them, nothing where a value is missing.
   * @param options.header whether the first line names the columns. Default true
   */
  toCsv({ header = true }: { header?: boolean } = {}): string {
    const lines = this.rows.map((row) =>
      this.#encodings.map((encoding) => quoted(cellText(row[encoding.name], encoding))).join(",")
    );
    if (header) lines.unshift(this.#encodings.map(({ name }) => quoted(name)).join(","));
    return lines.map((line) => `${line}\n`).join("");
  }

  /** The rows as a JSON list of objects, a line each. */
  toJson(): string {
    return `[\n${this.rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
  }

  /** The rows as JSON Lines: an object a line. */
  toJsonLines(): string {
    return this.rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  }
}

/** A value of CSV, quoted where it has to be. */
function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
