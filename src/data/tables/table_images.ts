/**
 * Images as rows of a table, as MNIST and its kin are passed around: a label, then 784 bytes. Rows go
 * straight to pixels.
 */
import { UserError } from "../../errors.ts";
import { MAX_DATA_BYTES } from "../byte_reader.ts";
import { classNamesOf } from "../natural_order.ts";
import type { PixelSet } from "../pixel_set.ts";
import { counted } from "../source.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { parseNumber } from "./cells.ts";
import { readHeader } from "./header.ts";
import { type Dialect, readRecords, type TableRecord } from "./records.ts";
import { takeRecords } from "./table.ts";
import { LABEL_NAME } from "./table_points.ts";

/** Where the pixels of a row are. */
export interface RowImages {
  /** Pixels of a side. */
  side: number;
  /** The first column of pixels. */
  first: number;
  /** The column of the label, if there is one. */
  labelColumn?: number;
  /** Whether the first line names the columns. */
  hasHeader: boolean;
}

const PIXEL_NAME = /^(?:pixel|px|p)?_?[0-9]+$|^[0-9]+x[0-9]+$/i;

/**
 * Whether a table holds images: a square number of columns called as pixels, or 784 columns of bytes,
 * and at most a label besides.
 */
export async function findRowImages(
  file: StoredFile,
  dialect: Dialect,
): Promise<RowImages | undefined> {
  const records = readRecords(file, dialect);
  const sample = await takeRecords(records, 10);
  await records.return(undefined);
  const width = sample[0]?.fields.length ?? 0;
  if (width < 64 || sample.some(({ fields }) => fields.length !== width)) return undefined;
  const { names, hasHeader } = readHeader(sample.map(({ fields }) => fields), {
    wanted: [],
    decimalComma: false,
  });
  const body = sample.slice(hasHeader ? 1 : 0);
  if (!body[0]?.fields.every(isByte)) return undefined; // a later one that is not is named
  for (const labelColumn of [0, width - 1, undefined]) {
    const side = Math.sqrt(width - (labelColumn === undefined ? 0 : 1));
    if (!Number.isInteger(side)) continue;
    const first = labelColumn === 0 ? 1 : 0;
    const pixels = names.slice(first, first + side * side);
    const isLabeled = labelColumn === undefined || !hasHeader ||
      LABEL_NAME.test(names[labelColumn]) ||
      /^(?:class|target|y)$/i.test(names[labelColumn]);
    const isNamed = hasHeader && pixels.every((name) => PIXEL_NAME.test(name));
    if (!isLabeled || !isNamed && side !== 28) continue;
    return { side, first, hasHeader, ...(labelColumn === undefined ? {} : { labelColumn }) };
  }
  return undefined;
}

function isByte(cell: string): boolean {
  return /^[0-9]{1,3}(?:\.0)?$/.test(cell) && Number(cell) <= 255;
}

/**
 * Reads images from rows.
 * @param options.name the name of the data set
 * @throws {UserError} where a row has another length, or a value is no byte
 */
export async function readRowImages(
  file: StoredFile,
  dialect: Dialect,
  { side, first, labelColumn, hasHeader, name }: RowImages & { name: string },
): Promise<PixelSet> {
  const { origin } = file;
  const size = side * side;
  const width = size + (labelColumn === undefined ? 0 : 1);
  let pixels = new Uint8Array(1024 * size);
  let count = 0;
  const labels: string[] = [];
  const take = ({ line, fields }: TableRecord) => {
    if (fields.length !== width) {
      throw new UserError(
        `Cannot read ${origin}: line ${line} has ${fields.length} columns, and the first line has ${width}`,
      );
    }
    if ((count + 1) * size > MAX_DATA_BYTES) {
      throw new UserError(
        `Cannot read ${origin}: its images take more than ${MAX_DATA_BYTES} bytes, which is the limit for ` +
          `tables (line ${line}); save them as uint8 in a .npy file, which is read as it is needed`,
      );
    }
    if ((count + 1) * size > pixels.length) {
      const wider = new Uint8Array(Math.min(2 * pixels.length, MAX_DATA_BYTES));
      wider.set(pixels);
      pixels = wider;
    }
    for (let i = 0; i < size; i++) {
      const cell = fields[first + i];
      if (!isByte(cell)) {
        throw new UserError(
          `Cannot read ${origin}: line ${line}, column ${first + i + 1} has ${
            JSON.stringify(cell)
          }, and ` +
            `the pixels of images are whole numbers from 0 to 255`,
        );
      }
      pixels[count * size + i] = Number(cell);
    }
    if (labelColumn !== undefined) labels.push(className(fields[labelColumn]));
    count++;
  };
  let isHeader = hasHeader;
  for await (const record of readRecords(file, dialect)) {
    if (!isHeader) take(record);
    isHeader = false;
  }
  const set: PixelSet = {
    name,
    origin: `${counted(count)} images of ${origin}`,
    shape: [side, side, 1],
    pixels: pixels.slice(0, count * size),
    notes: [`rows of ${size} bytes were taken as images of ${side} x ${side} pixels`],
  };
  if (labelColumn === undefined) return set;
  const classNames = classNamesOf(labels);
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  return { ...set, labels: Int32Array.from(labels, (name) => numbers.get(name)!), classNames };
}

/** A number as it would be printed, so that 5.0 is the class 5; a text as it is. */
function className(cell: string): string {
  const number = parseNumber(cell);
  return number === undefined ? cell : String(number);
}
