/**
 * Arrays of bytes that are larger than memory. Images that are used as they lie in a .npy file are read from
 * it, row by row, while training runs; others (resized, in archives, planar) go through the cache. Both give
 * the bits that the array would give in memory.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { elementCount } from "../../bytes.ts";
import { UserError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import {
  decodedSource,
  type DecodedStorage,
  DEFAULT_MEMORY_BYTES,
} from "../cache/cached_source.ts";
import { RowReader } from "../cache/row_reader.ts";
import type { DataProgress } from "../progress.ts";
import type { ImageChannels } from "../images/raster.ts";
import { randomSubset } from "../order.ts";
import { describeSet, isReshaped, type PixelOptions, reshapeRows } from "../pixel_set.ts";
import type { SampleSink, SetParts } from "../sample_sink.ts";
import { counted, type DataSource, fileSource } from "../source.ts";
import { openStoredFile, type StoredFile } from "../stores/file_store.ts";
import { openRandomAccess } from "../stores/random_access.ts";
import { type ArrayFacts, arrayFacts } from "./array_facts.ts";
import type { ArrayLabels } from "./array_labels.ts";
import { type ImageLayout, imageLayout, interleave } from "./array_source.ts";
import { darkNotes, TWO_LEVELS } from "./image_range.ts";
import { type NpyHeader, withNpy } from "./npy.ts";

/** What is wanted of an array, and where it is kept. */
export interface LargeArrayOptions extends PixelOptions {
  name: string;
  /** The classes of the samples. */
  readClasses(count: number): Promise<ArrayLabels | undefined>;
  /** Said where there are labels that are no classes. */
  noClasses?: string;
  notes: readonly string[];
  storage: DecodedStorage;
  /** Everything besides the file that the samples depend on. */
  identity: unknown;
  onProgress?: (progress: DataProgress) => void;
  signal?: AbortSignal;
}

interface LargeArray {
  file: StoredFile;
  layout: ImageLayout;
  count: number;
  /** The file's byte at which values begin. */
  start: number;
  options: LargeArrayOptions;
}

/**
 * Opens an array that memory shall not hold.
 * @returns undefined for one that is small, or no images of bytes in C order
 * @throws {UserError} when it is truncated, or some of its rows are wanted and it lies in an archive
 */
export async function openLargeArray(
  file: StoredFile,
  options: LargeArrayOptions,
): Promise<DataSource | undefined> {
  const { memoryBytes = DEFAULT_MEMORY_BYTES } = options.storage;
  const { header, start } = await withNpy(
    file,
    (reader, header) => Promise.resolve({ header, start: reader.position }),
  );
  if (!isByteArray(header) || elementCount(header.shape) <= memoryBytes) return undefined;
  const { shape } = header;
  const layout = imageLayout(shape, { isBytes: true, origin: file.origin });
  if (!layout) return undefined;
  const array: LargeArray = { file, layout, count: shape[0], start, options };
  return await openDirectly(array) ?? await openThroughCache(array);
}

function isByteArray({ dtype: { kind, sizeBytes }, isFortran }: NpyHeader): boolean {
  return kind === "u" && sizeBytes === 1 && !isFortran;
}

function shapeOf({ height, width, depth }: ImageLayout): [number, number, ImageChannels] {
  return [height, width, depth];
}

/** The array as a source that reads the file itself; undefined where its bytes are not the samples. */
async function openDirectly(array: LargeArray): Promise<DataSource | undefined> {
  const { file, layout, count, start, options } = array;
  const shape = shapeOf(layout);
  const rowSize = elementCount(shape);
  const isWhole = options.count === undefined || options.count === count;
  if (!isPlain(array) || !isWhole || layout.isPlanar || isReshaped({ shape }, options)) {
    return undefined;
  }
  const classes = await options.readClasses(count);
  const labels = classes && new Uint8Array(classes.labels.buffer);
  const { rowSums, peak, fingerprint } = await arrayFacts(
    options.storage.cache,
    { identity: [options.identity, labels && sha256(labels)], name: options.name },
    () => computeFacts(array, labels),
  );
  if (peak <= 1) return undefined; // black and white as 0 and 1: not the bytes to train on
  const set: SetParts = {
    ...describeArray(array, count),
    ...classes,
    shape,
    notes: [...notesOf(array, classes), ...darkNotes(peak, 255)],
  };
  const path = file.diskPath!;
  const rows = new RowReader({ path, count, rowSize, rowsOffset: start, rowSums, isCache: false });
  const description = `${describeSet(set)}; read from the file as they are needed`;
  return fileSource(rows, { ...set, description, fingerprint });
}

/** Reads all of the array. */
async function computeFacts(
  array: LargeArray,
  labels: Uint8Array | undefined,
): Promise<ArrayFacts> {
  const hash = createHash("sha256").update(`image [${shapeOf(array.layout).join(",")}] Uint8Array`);
  const rowSums = new Uint32Array(array.count);
  let peak = 0;
  let row = 0;
  for await (const bytes of rowsInOrder(array, "checking")) {
    hash.update(bytes);
    rowSums[row++] = crc32(bytes);
    if (peak < 255) peak = Math.max(peak, maximum(bytes));
  }
  if (labels) hash.update(labels);
  return { rowSums, peak, fingerprint: hash.digest("hex") };
}

/** Whether the file is the array alone, neither packed nor in an archive. */
function isPlain({ file, layout, count, start }: LargeArray): boolean {
  const sizeBytes = start + count * elementCount(shapeOf(layout));
  return file.diskPath !== undefined && file.sizeBytes === sizeBytes;
}

function describeArray(
  { file, options: { name } }: LargeArray,
  count: number,
): Pick<SetParts, "name" | "origin"> {
  return { name, origin: `${counted(count)} images of ${file.origin}` };
}

/** In the order in which an array in memory has them. */
function notesOf({ layout, options }: LargeArray, classes: ArrayLabels | undefined): string[] {
  const unused = classes || options.noClasses === undefined ? [] : [options.noClasses];
  return [...options.notes, ...unused, ...layout.notes];
}

/** The array's images as the cache keeps them. */
async function openThroughCache(array: LargeArray): Promise<DataSource> {
  const { storage, identity, name } = array.options;
  return await decodedSource(storage, { identity, name }, (sink) => build(array, sink));
}

async function build(array: LargeArray, sink: SampleSink): Promise<SetParts> {
  const { file, layout, count, options } = array;
  let peak = 0;
  for await (const bytes of rowsInOrder(array, "checking")) {
    if (peak < 255) peak = Math.max(peak, maximum(bytes));
  }
  const picked = pickedRows(array);
  const classes = await options.readClasses(count);
  const set: SetParts = {
    ...describeArray(array, count),
    ...(picked
      ? {
        origin: `${counted(picked.length)} picked at random from ${
          counted(count)
        } images of ${file.origin}`,
      }
      : {}),
    ...(classes && {
      classNames: classes.classNames,
      labels: picked ? Int32Array.from(picked, (row) => classes.labels[row]) : classes.labels,
    }),
    shape: shapeOf(layout),
    notes: [
      ...notesOf(array, classes),
      ...(peak <= 1 ? [TWO_LEVELS] : darkNotes(peak, 255)),
    ],
  };
  const total = picked?.length ?? count;
  const rows = picked ? rowsAt(array, picked) : rowsInOrder(array);
  return await reshapeRows(converted(rows, { layout, factor: peak <= 1 ? 255 : 1 }), {
    ...options,
    set,
    count: total,
    sink,
    onRow: (done) => options.onProgress?.({ stage: "decoding", done, total }),
  });
}

/** The rows that are taken; undefined for all. */
function pickedRows(array: LargeArray): Uint32Array | undefined {
  const { file, count, options: { count: wanted, seed } } = array;
  if (wanted === undefined || wanted === count) return undefined;
  if (wanted > count) {
    throw new UserError(
      `Cannot take ${wanted} samples from ${file.origin}: there are ${count}; lower "count"`,
    );
  }
  if (!isPlain(array)) {
    throw new UserError(
      `Cannot take ${wanted} of ${count} samples from ${file.origin}: it is too large for memory and packed; ` +
        `unpack it, or take all`,
    );
  }
  return randomSubset(count, { wanted, seed });
}

async function* converted(
  rows: AsyncIterable<Uint8Array>,
  { layout, factor }: { layout: ImageLayout; factor: number },
): AsyncGenerator<Uint8Array> {
  const { height, width, depth, isPlanar } = layout;
  for await (const row of rows) {
    const ordered = isPlanar ? interleave(row, { depth, plane: height * width }) : row;
    yield factor === 1 ? ordered : ordered.map((value) => value * factor);
  }
}

/** All rows, as the file has them. */
async function* rowsInOrder(
  { file, layout, count, start, options: { signal, onProgress } }: LargeArray,
  stage?: DataProgress["stage"],
): AsyncGenerator<Uint8Array> {
  const rowSize = elementCount(shapeOf(layout));
  const together = Math.max(1, Math.floor(2 ** 20 / rowSize));
  const reader = await openStoredFile(file);
  try {
    await reader.skip(start, "the header");
    reader.expectRoom(count * rowSize, `the last of ${count} images`);
    for (let first = 0; first < count; first += together) {
      signal?.throwIfAborted();
      const size = Math.min(together, count - first);
      const bytes = await reader.read(size * rowSize, `the last of ${count} images`);
      for (let i = 0; i < size; i++) yield bytes.subarray(i * rowSize, (i + 1) * rowSize);
      if (stage) onProgress?.({ stage, done: first + size, total: count });
    }
    await reader.expectEnd();
  } finally {
    await reader.close();
  }
}

/** Some rows, in the sequence of their numbers as given. */
async function* rowsAt(
  { file, layout, start, options: { signal } }: LargeArray,
  numbers: Uint32Array,
): AsyncGenerator<Uint8Array> {
  const rowSize = elementCount(shapeOf(layout));
  using access = openRandomAccess(file.diskPath!);
  for (const row of numbers) {
    signal?.throwIfAborted();
    await Promise.resolve();
    yield access.slice(start + row * rowSize, rowSize);
  }
}

function maximum(bytes: Uint8Array): number {
  let peak = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > peak) peak = bytes[i];
  return peak;
}
