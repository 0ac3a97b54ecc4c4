/**
 * A data source: samples in memory, with labels where there are any, that fills batches for training.
 * Images stay 8-bit in memory and are brought to [-1, 1] as a batch is filled, so that 60,000 of
 * MNIST take 47 MB.
 */
import { elementCount } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { RowReader } from "./cache/row_reader.ts";
import type { DataSpec } from "../config/data.ts";
import type { Density } from "./densities.ts";

/** Some samples. */
export interface Batch {
  /** `[N, ...shape]` flat: images as NHWC in [-1, 1], points as they are. */
  values: Float32Array;
  /** `[N]` class numbers, where the source has labels. */
  labels?: Int32Array;
}

/** A column of points: its name, and what a standardized value of it means. */
export interface PointColumn {
  /** What its header calls it, or its number from 1. */
  name: string;
  /** The value that 0 stands for. */
  mean: number;
  /** What 1 adds to it. */
  scale: number;
}

/** The names of columns; nothing where they are only numbered. */
export function columnNames(
  columns: readonly PointColumn[] | null | undefined,
): string[] | undefined {
  const names = columns?.map(({ name }) => name);
  return names?.every((name, i) => name === String(i + 1)) ? undefined : names;
}

/** Samples as a source keeps them, for an engine that picks its batches itself. */
export interface StoredSamples {
  /** `[rows, rowSize]`: bytes, or the values themselves; a reader of bytes where they lie in a file. */
  readonly rows: Uint8Array | Float32Array | RowReader;
  /** How many values a row has. */
  readonly rowSize: number;
  /** `[256]` the number that each byte stands for, where rows are bytes. */
  readonly byteValues?: Float32Array;
  /** How many rows make one sample, in which their values alternate. */
  readonly rowsPerSample: number;
  /** The rows of these samples: `[indices.length * rowsPerSample]` */
  rowsOf(indices: Uint32Array): Uint32Array;
}

/** Samples to train on. */
export interface DataSource {
  /** A short name that is fit for a folder's name. */
  readonly name: string;
  /** Whether samples are images or points. */
  readonly kind: "image" | "points";
  /** Shape of one sample: `[height, width, channels]` or `[dimensions]`. */
  readonly shape: readonly number[];
  /** How many values one sample has. */
  readonly sampleSize: number;
  /** How many samples there are. */
  readonly count: number;
  /** `[count]` class numbers from 0, where samples have labels. */
  readonly labels?: Int32Array;
  /** The name of each class, where samples have labels. */
  readonly classNames?: readonly string[];
  /** One line for a person: what the data are and how they were read. */
  readonly description: string;
  /** The smallest and the largest value that a batch can hold. */
  readonly valueRange: readonly [number, number];
  /** SHA-256 of shape, samples and labels: equal data have equal fingerprints. */
  readonly fingerprint: string;
  /** `[count, ...shape]` 8-bit pixels, where the samples are kept that way. */
  readonly pixels?: Uint8Array;
  /** The samples as they are in memory; what {@linkcode DataSource.batch} gives is made of them. */
  readonly stored?: StoredSamples;
  /** The exact density, for toy data. */
  readonly density?: Density;
  /** What decoded and resized the samples, where something did: equal files and this give equal pixels. */
  readonly decoding?: string;
  /** What is odd, left out or changed, in lines for a person. */
  readonly notes?: readonly string[];
  /** The description that it was opened by; absent for a program's own arrays. */
  readonly spec?: DataSpec;
  /** Of points of a file: the name of each column, and what its standardized values mean. */
  readonly columns?: readonly PointColumn[];
  /**
   * The samples with these numbers.
   * @throws {RangeError} where there is no such sample
   */
  batch(indices: Uint32Array): Batch;
  /** Closes the file that the samples are read from, where they are. */
  close?(): void;
  /**
   * As {@linkcode DataSource.batch}, into `out`, which has room for `indices.length * sampleSize`.
   * @throws {RangeError} where there is no such sample, or `out` has another length
   */
  writeBatch(out: Float32Array, indices: Uint32Array): void;
}

/** What every source is made of besides its samples. */
export interface SourceParts {
  /** See {@linkcode DataSource.name}. */
  name: string;
  /** See {@linkcode DataSource.description}. */
  description: string;
  /** Shape of one sample. */
  shape: readonly number[];
  /** `[count]` class numbers from 0. */
  labels?: Int32Array;
  /** Names of the classes; by default their numbers. */
  classNames?: readonly string[];
  /** See {@linkcode DataSource.decoding}. */
  decoding?: string;
  /** See {@linkcode DataSource.notes}. */
  notes?: readonly string[];
  /** See {@linkcode DataSource.fingerprint}, where it is known. */
  fingerprint?: string;
}

/** x / 127.5 - 1 for each of the 256 values of a byte. */
const NORMALIZED = Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1);

/**
 * A source of 8-bit images.
 * @param pixels `[count, height, width, channels]`
 */
export function imageSource(pixels: Uint8Array, parts: SourceParts): DataSource {
  const source = commonParts("image", pixels, parts);
  const { sampleSize } = source;
  const stored = wholeRows(pixels, sampleSize, NORMALIZED);
  const described: Described = { ...source, pixels, stored, valueRange: [-1, 1] };
  return completeSource(described, (out, sample, index) => {
    const end = (index + 1) * sampleSize;
    for (let from = index * sampleSize, to = sample * sampleSize; from < end; from++, to++) {
      out[to] = NORMALIZED[pixels[from]];
    }
  });
}

/**
 * A source of 8-bit images that lie in a file: the same values as {@linkcode imageSource} gives of them
 * in memory.
 */
export function fileSource(
  rows: RowReader,
  parts: SourceParts & { fingerprint: string },
): DataSource {
  const source = describeParts("image", rows.count, parts);
  const { sampleSize } = source;
  const stored: StoredSamples = {
    rows,
    rowSize: sampleSize,
    byteValues: NORMALIZED,
    rowsPerSample: 1,
    rowsOf: (indices) => indices,
  };
  const described: Described = {
    ...source,
    stored,
    valueRange: [-1, 1],
    close: () => rows.close(),
  };
  return completeSource(described, (out, sample, index) => {
    const bytes = rows.read(Uint32Array.of(index));
    const to = sample * sampleSize;
    for (let i = 0; i < sampleSize; i++) out[to + i] = NORMALIZED[bytes[i]];
  });
}

/**
 * A source of float32 samples: points, or images in [-1, 1].
 * @param values `[count, ...shape]`
 */
export function floatSource(
  values: Float32Array,
  parts: SourceParts & {
    kind: "image" | "points";
    density?: Density;
    columns?: readonly PointColumn[];
  },
): DataSource {
  const source = commonParts(parts.kind, values, parts);
  const { sampleSize } = source;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const valueRange = parts.kind === "image" ? [-1, 1] as const : [low, high] as const;
  const density = parts.density ? { density: parts.density } : {};
  const columns = parts.columns ? { columns: parts.columns } : {};
  const stored = wholeRows(values, sampleSize);
  return completeSource(
    { ...source, ...density, ...columns, stored, valueRange },
    (out, sample, index) => {
      out.set(values.subarray(index * sampleSize, (index + 1) * sampleSize), sample * sampleSize);
    },
  );
}

/** Samples of one row each. */
function wholeRows(
  rows: Uint8Array | Float32Array,
  rowSize: number,
  byteValues?: Float32Array,
): StoredSamples {
  return { rows, rowSize, byteValues, rowsPerSample: 1, rowsOf: (indices) => indices };
}

/** A data source without the methods that fill batches. */
export type Described = Omit<DataSource, "batch" | "writeBatch">;

function commonParts(
  kind: "image" | "points",
  values: Uint8Array | Float32Array,
  parts: SourceParts,
): Omit<Described, "valueRange"> {
  const { shape, labels } = parts;
  const fingerprint = parts.fingerprint ?? sha256(
    `${kind} [${shape.join(",")}] ${values.constructor.name}`,
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    ...(labels ? [new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength)] : []),
  );
  return describeParts(kind, values.length / elementCount(shape), { ...parts, fingerprint });
}

function describeParts(
  kind: "image" | "points",
  count: number,
  parts: SourceParts & { fingerprint: string },
): Omit<Described, "valueRange"> {
  const { name, description, shape, labels, classNames, decoding, notes, fingerprint } = parts;
  const sampleSize = elementCount(shape);
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(
      `Cannot make a data source: ${count * sampleSize} values are not a whole number of ` +
        `samples of shape [${shape.join(", ")}]`,
    );
  }
  if (labels && labels.length !== count) {
    throw new RangeError(`Cannot label ${count} samples with ${labels.length} labels`);
  }
  const labeled = labels ? { labels, classNames: classNames ?? numberNames(labels) } : {};
  const said = { ...(decoding === undefined ? {} : { decoding }), ...(notes ? { notes } : {}) };
  return { name, kind, shape, sampleSize, count, description, fingerprint, ...labeled, ...said };
}

/** A number as descriptions have it, with commas between thousands. */
export function counted(value: number): string {
  return value.toLocaleString("en");
}

/** Class names "0", "1", ... up to the largest label. */
function numberNames(labels: Int32Array): string[] {
  let largest = 0;
  for (const label of labels) if (label > largest) largest = label;
  return Array.from({ length: largest + 1 }, (_, label) => String(label));
}

/** Adds the methods that fill batches, given how to write one sample. */
export function completeSource(
  described: Described,
  writeSample: (out: Float32Array, sample: number, index: number) => void,
): DataSource {
  const { count, sampleSize, labels } = described;
  function checkIndices(indices: Uint32Array): void {
    for (const index of indices) {
      if (index >= count) throw new RangeError(`There is no sample ${index}: there are ${count}`);
    }
  }
  function writeBatch(out: Float32Array, indices: Uint32Array): void {
    if (out.length !== indices.length * sampleSize) {
      throw new RangeError(
        `A batch of ${indices.length} samples needs ${indices.length * sampleSize} values: ` +
          `the array has ${out.length}`,
      );
    }
    checkIndices(indices);
    for (let sample = 0; sample < indices.length; sample++) {
      writeSample(out, sample, indices[sample]);
    }
  }
  function batch(indices: Uint32Array): Batch {
    const values = new Float32Array(indices.length * sampleSize);
    writeBatch(values, indices);
    if (!labels) return { values };
    return { values, labels: Int32Array.from(indices, (index) => labels[index]) };
  }
  return { ...described, batch, writeBatch };
}
