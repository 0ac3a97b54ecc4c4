/**
 * The records of a text table, by csv-parse (RFC 4180: quotes, separators and line ends within quotes).
 * Which character separates cells, and whether decimals have a comma, shows in the first records.
 */
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { UserError } from "../../errors.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { hasDecimalComma, isMissing, parseNumber } from "./cells.ts";
import { detectEncoding, readText, type TextEncoding } from "./text_stream.ts";

/** How a table is written. */
export interface Dialect {
  encoding: TextEncoding;
  /** What separates cells; "blank" for any run of blanks and tabs. */
  separator: "," | ";" | "\t" | "|" | "blank";
  /** Whether 1,5 is one and a half. */
  decimalComma: boolean;
  /** How many lines at the file's beginning are comments. */
  comments: number;
}

/** One record of a table. */
export interface TableRecord {
  /** The line that it ends on, from 1. */
  line: number;
  /** Its cells, without quotes and the blanks around them. */
  fields: string[];
}

/** The most characters of a record: one that has more lacks a quote at its end. */
const MAX_RECORD = 2 ** 24;

const SAMPLE_CHARACTERS = 2 ** 16;
const SAMPLE_RECORDS = 200;

/** How a file's table is written. @throws {UserError} when it is empty */
export async function detectDialect(file: StoredFile): Promise<Dialect> {
  const encoding = await detectEncoding(file);
  let sample = "";
  let isWhole = true;
  for await (const text of readText(file, encoding)) {
    sample += text;
    if (sample.length < SAMPLE_CHARACTERS) continue;
    isWhole = false;
    break;
  }
  if (sample.includes("\0")) {
    throw new UserError(`Cannot read ${file.origin}: it holds bytes that are no text`);
  }
  const comments = /^(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*/.exec(sample)![0];
  const end = isWhole ? sample.length : Math.max(sample.lastIndexOf("\n"), comments.length);
  const body = sample.slice(comments.length, end);
  const commentLines = comments.split(/\r\n|\r|\n/).length - 1;
  const found = ([",", ";", "\t", "|"] as const)
    .map((separator) => ({ separator, ...rateSeparator(body, separator, file.path) }))
    .sort((a, b) => b.score - a.score)[0];
  if (found.score > 0) {
    const { separator, decimalComma } = found;
    return { encoding, separator, decimalComma, comments: commentLines };
  }
  const words = body.split(/\s+/).slice(0, 10 * SAMPLE_RECORDS);
  const decimalComma = words.some(hasDecimalComma) &&
    !words.some((word) => /[0-9]\.[0-9]/.test(word));
  return { encoding, separator: "blank", decimalComma, comments: commentLines };
}

/** How well a separator explains a sample: 0 where most records do not have the same number of cells. */
function rateSeparator(
  sample: string,
  separator: "," | ";" | "\t" | "|",
  path: string,
): { score: number; decimalComma: boolean } {
  const none = { score: 0, decimalComma: false };
  if (!sample.includes(separator)) return none;
  let records: string[][];
  try {
    records = parseSync(sample, { ...parserOptions(separator), to: SAMPLE_RECORDS });
  } catch { // a quote may be open where the sample ends
    records = parseSync(sample, {
      ...parserOptions(separator),
      quote: false,
      to: SAMPLE_RECORDS,
    });
  }
  const widths = new Map<number, number>();
  for (const { length } of records) widths.set(length, (widths.get(length) ?? 0) + 1);
  const [width, count] = [...widths].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
  if (width < 2 || count < 0.5 * records.length) return none;
  const cells = records.flat();
  const decimalComma = separator !== "," && cells.some(hasDecimalComma) &&
    !cells.some((cell) => /^[+-]?[0-9]*\.[0-9]+$/.test(cell) && !/\.[0-9]{3}$/.test(cell));
  const known =
    cells.filter((cell) => isMissing(cell) || parseNumber(cell, decimalComma) !== undefined).length;
  const isNamed = separator === "\t" && /\.(?:tsv|tab)(?:\.gz)?$/i.test(path);
  return {
    score: 1 + known / cells.length + (isNamed ? 1 : 0) + count / records.length / 8,
    decimalComma,
  };
}

function parserOptions(separator: string) {
  return {
    delimiter: separator,
    relax_column_count: true,
    relax_quotes: true, // a quote within an unquoted cell is a character
    skip_empty_lines: true,
    trim: true,
    max_record_size: MAX_RECORD,
  };
}

/**
 * The records of a table, one after another; blank lines are passed over.
 * @param dialect how it is written; detected by default
 * @throws {UserError} when it is no text table
 */
export async function* readRecords(
  file: StoredFile,
  dialect?: Dialect,
): AsyncGenerator<TableRecord> {
  const { encoding, separator, comments } = dialect ?? await detectDialect(file);
  const text = withoutLines(readText(file, encoding), comments);
  if (separator === "blank") {
    yield* splitAtBlanks(text, comments);
    return;
  }
  const parser = parse({ ...parserOptions(separator), info: true });
  const source = Readable.from(text);
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const { record, info } of source.pipe(parser)) {
      yield { line: info.lines + comments, fields: record };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(`Cannot read ${file.origin}: ${error.message.split("\n")[0]}`, {
      cause: error,
    });
  } finally {
    source.destroy();
  }
}

/** The text after the first lines. */
async function* withoutLines(
  text: AsyncIterable<string>,
  count: number,
): AsyncGenerator<string> {
  let left = count;
  let start = "";
  for await (const part of text) {
    if (left === 0) {
      if (part !== "") yield part;
      continue;
    }
    start += part;
    for (let end = lineEnd(start); left > 0 && end > 0; end = lineEnd(start)) {
      start = start.slice(end);
      left--;
    }
    if (left === 0 && start !== "") yield start;
  }
}

/** Where the first line's successor starts; 0 where that is not to be seen yet. */
function lineEnd(text: string): number {
  const match = /\r\n|\n|\r(?=[^\n])/.exec(text);
  return match ? match.index + match[0].length : 0;
}

async function* splitAtBlanks(
  text: AsyncIterable<string>,
  linesBefore: number,
): AsyncGenerator<TableRecord> {
  let line = linesBefore;
  let rest = "";
  function* records(whole: string): Generator<TableRecord> {
    for (const row of whole.split(/\r\n|\r|\n/)) {
      line++;
      const fields = row.trim().split(/\s+/);
      if (fields[0] !== "") yield { line, fields };
    }
  }
  for await (const part of text) {
    rest += part;
    const end = rest.lastIndexOf("\n");
    if (end < 0) continue;
    yield* records(rest.slice(0, end).replace(/\r$/, ""));
    rest = rest.slice(end + 1);
  }
  yield* records(rest);
}
