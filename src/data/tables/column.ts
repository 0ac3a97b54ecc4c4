/** A column of a table: its cells by type, as compact as they can be kept. */
import { type DatePattern, detectDatePattern, parseDate } from "../../tables/dates.ts";
import { isMissing, parseNumber } from "./cells.ts";

/** What the cells of a column are. */
export type ColumnKind = "number" | "integer" | "boolean" | "category" | "date";

/** A column with all its cells. */
export interface ParsedColumn {
  /** What the header calls it, or its number from 1. */
  name: string;
  kind: ColumnKind;
  /**
   * `[rows]`: numbers as they are, booleans 0 and 1, dates in days since 1970 (with their time of day as a
   * fraction), categories as places in `categories`; NaN where there is none.
   */
  values: Float64Array;
  /** The distinct texts of a category or boolean, in the sequence in which they first appear. */
  categories?: string[];
  /** How dates are written. */
  datePattern?: DatePattern;
  /** How many cells are missing. */
  missingCount: number;
  /** The line of the first missing cell, from 1. */
  firstMissingLine?: number;
  /** The line of the first cell that is no number, from 1. */
  firstTextLine?: number;
}

/** Room for values that grows. */
class GrowingArray<T extends Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
  length = 0;
  #values: T;
  #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const wider = this.#make(2 * this.length);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.length++] = value;
  }

  take(): T {
    return this.#values.slice(0, this.length) as T;
  }
}

/** Texts that mean no and yes. */
export const BOOLEANS: readonly (readonly [string, string])[] = [
  ["false", "true"],
  ["no", "yes"],
  ["f", "t"],
  ["n", "y"],
];

/** Takes a column's cells one after another. */
export class ColumnBuilder {
  readonly name: string;
  /** Whether a text was met after numbers that are written in another way than they would be printed. */
  needsTexts = false;
  #isText: boolean;
  #decimalComma: boolean;
  #numbers: GrowingArray<Float64Array<ArrayBuffer>> = new GrowingArray((n) => new Float64Array(n));
  #codes: GrowingArray<Int32Array<ArrayBuffer>> | undefined;
  #categories = new Map<string, number>();
  #isCanonical = true;
  #missing = 0;
  #firstMissingLine: number | undefined;
  #firstTextLine: number | undefined;

  /** @param options.isText whether cells are texts whatever they look like, as classes are */
  constructor(name: string, { isText, decimalComma }: { isText: boolean; decimalComma: boolean }) {
    this.name = name;
    this.#isText = isText;
    this.#decimalComma = decimalComma;
  }

  /** Takes the next cell. @param line where it is, from 1 */
  push(cell: string, line: number): void {
    const number = this.#isText ? undefined : parseNumber(cell, this.#decimalComma);
    const code = number !== undefined
      ? -1
      : (this.#isText ? cell === "" : isMissing(cell))
      ? -2
      : this.#code(cell);
    if (number !== undefined && this.#isCanonical) this.#isCanonical = String(number) === cell;
    if (code === -2) {
      this.#missing++;
      this.#firstMissingLine ??= line;
    }
    if (code >= 0) {
      this.#firstTextLine ??= line;
      if (!this.#codes) {
        if (!this.#isCanonical) this.needsTexts = true;
        this.#codes = new GrowingArray((n) => new Int32Array(n));
        for (let row = 0; row < this.#numbers.length; row++) this.#codes.push(-1);
      }
    }
    this.#codes?.push(code);
    this.#numbers.push(number ?? NaN);
  }

  #code(cell: string): number {
    const known = this.#categories.get(cell);
    if (known !== undefined) return known;
    this.#categories.set(cell, this.#categories.size);
    return this.#categories.size - 1;
  }

  /** The column of all cells. */
  finish(): ParsedColumn {
    const { name } = this;
    const numbers = this.#numbers.take();
    const codes = this.#codes?.take();
    const common = {
      name,
      missingCount: this.#missing,
      ...(this.#firstMissingLine ? { firstMissingLine: this.#firstMissingLine } : {}),
      ...(this.#firstTextLine ? { firstTextLine: this.#firstTextLine } : {}),
    };
    if (!codes) {
      const isInteger = numbers.every((value) =>
        Number.isNaN(value) || Number.isSafeInteger(value)
      );
      const isEmpty = this.#missing === numbers.length;
      return { ...common, kind: isInteger && !isEmpty ? "integer" : "number", values: numbers };
    }
    return { ...common, ...this.#finishTexts(numbers, codes) };
  }

  #finishTexts(
    numbers: Float64Array,
    codes: Int32Array,
  ): Pick<ParsedColumn, "kind" | "values" | "categories" | "datePattern"> {
    const texts = [...this.#categories.keys()];
    const hasNumbers = numbers.some((value) => !Number.isNaN(value));
    if (!hasNumbers && !this.#isText) {
      const words = texts.map((text) => text.toLowerCase());
      const pair = BOOLEANS.find((pair) => words.every((word) => pair.includes(word)));
      if (pair && texts.length === new Set(words).size) {
        const values = Float64Array.from(
          codes,
          (code) => code < 0 ? NaN : pair.indexOf(words[code]),
        );
        const categories = pair.map((word) => texts[words.indexOf(word)] ?? word);
        return { kind: "boolean", values, categories };
      }
      const datePattern = detectDatePattern(texts);
      if (datePattern) {
        const dates = texts.map((text) => parseDate(text, datePattern.pattern)!);
        const values = Float64Array.from(codes, (code) => code < 0 ? NaN : dates[code]);
        return { kind: "date", datePattern, values };
      }
    }
    for (let row = 0; row < codes.length; row++) {
      if (codes[row] === -1) codes[row] = this.#code(String(numbers[row]));
    }
    return {
      kind: "category",
      values: Float64Array.from(codes, (code) => code < 0 ? NaN : code),
      categories: [...this.#categories.keys()],
    };
  }
}
