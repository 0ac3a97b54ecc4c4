/**
 * The cache file: a decoded data set as one file.
 *
 *     0      "GANFDATA", version (uint32), bytes of the trailer (uint32), CRC-32 of labels, checksums
 *            and trailer (uint32); little-endian, as all of it
 *     4096   rows, one sample each
 *            labels, int32 each, where samples have labels
 *            CRC-32 of each row, uint32 each
 *            trailer: JSON with shape, count, names and what the file was made of
 *
 * The header is written last, so a file that was not finished is none.
 */
import { crc32 } from "node:zlib";
import { createHash, type Hash } from "node:crypto";
import { elementCount } from "../../bytes.ts";
import { UserError } from "../../errors.ts";
import type { SampleSink, SetParts } from "../sample_sink.ts";

const MAGIC = "GANFDATA";
const VERSION = 1;
const HEADER_BYTES = 24;

/** Where rows begin: at a page, as disks and memory like it. */
export const ROWS_OFFSET = 4096;

/** What the trailer says. */
export interface CacheTrailer {
  /** What the samples were made of: the file answers no other question. */
  key: string;
  /** `[height, width, channels]` */
  shape: [number, number, SetParts["shape"][2]];
  count: number;
  hasLabels: boolean;
  /** SHA-256 of shape, samples and labels, as a source in memory has it. */
  fingerprint: string;
  name: string;
  origin: string;
  classNames?: string[];
  decoding?: string;
  notes: string[];
}

/** A cache file whose header and trailer were read. */
export interface CacheContents {
  path: string;
  trailer: CacheTrailer;
  labels?: Int32Array;
  /** CRC-32 of each row. */
  rowSums: Uint32Array;
}

/** Writes a cache file row by row. Nothing is there until {@linkcode CacheWriter.finish}. */
export class CacheWriter implements SampleSink {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #hash: Hash | undefined;
  #rowSize = 0;
  #sums: Uint32Array = new Uint32Array(0);
  #count = 0;
  #waiting: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** @param path a new file, which the caller removes where the writing fails */
  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path, { write: true, createNew: true });
    this.#file.lockSync(true); // tells others that it is being written
    this.#file.seekSync(ROWS_OFFSET, Deno.SeekMode.Start);
  }

  begin(shape: readonly [number, number, number], maxCount: number): void {
    this.#rowSize = elementCount(shape);
    this.#sums = new Uint32Array(maxCount);
    this.#hash = createHash("sha256").update(`image [${shape.join(",")}] Uint8Array`);
    this.#waiting = new Uint8Array(Math.max(this.#rowSize, 1 << 20));
  }

  write(row: Uint8Array): void {
    if (row.length !== this.#rowSize) {
      throw new RangeError(`A row has ${this.#rowSize} bytes: ${row.length} were given`);
    }
    this.#sums[this.#count++] = crc32(row);
    this.#hash!.update(row);
    if (this.#used + row.length > this.#waiting.length) this.#flush();
    this.#waiting.set(row, this.#used);
    this.#used += row.length;
  }

  /** Rows so far. */
  get count(): number {
    return this.#count;
  }

  /** Completes the file: labels, checksums, trailer, then the header, and all of it to the disk. */
  finish(key: string, parts: SetParts): void {
    this.#flush();
    const { shape, labels, classNames, name, origin, decoding, notes = [] } = parts;
    if (labels) this.#hash!.update(bytesOf(labels));
    const trailer: CacheTrailer = {
      key,
      shape,
      count: this.#count,
      hasLabels: labels !== undefined,
      fingerprint: this.#hash!.digest("hex"),
      name,
      origin,
      ...(classNames ? { classNames: [...classNames] } : {}),
      ...(decoding === undefined ? {} : { decoding }),
      notes: [...notes],
    };
    const text = new TextEncoder().encode(JSON.stringify(trailer));
    let sum = 0;
    const sums = this.#sums.subarray(0, this.#count);
    for (const part of [...(labels ? [bytesOf(labels)] : []), bytesOf(sums), text]) {
      sum = crc32(part, sum);
      writeAll(this.#file, part);
    }
    this.#file.syncDataSync();
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    for (let i = 0; i < MAGIC.length; i++) header.setUint8(i, MAGIC.charCodeAt(i));
    header.setUint32(8, VERSION, true);
    header.setUint32(12, text.length, true);
    header.setUint32(16, sum, true);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    writeAll(this.#file, new Uint8Array(header.buffer));
    this.#file.syncSync();
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Where it is written. */
  get path(): string {
    return this.#path;
  }

  #flush(): void {
    writeAll(this.#file, this.#waiting.subarray(0, this.#used));
    this.#used = 0;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

function bytesOf(values: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Opens a cache file as far as its header and what comes after its rows.
 * @returns undefined where there is none
 * @throws {UserError} when it is damaged, or of another version
 */
export function readCacheFile(path: string): CacheContents | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    const { NotADirectory, NotFound } = Deno.errors; // the folder's path may be a file's
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    throw error;
  }
  try {
    return readContents(file, path);
  } finally {
    file.close();
  }
}

function readContents(file: Deno.FsFile, path: string): CacheContents {
  const fail = (detail: string) => new UserError(`Cannot read ${path}: ${detail}`);
  const sizeBytes = file.statSync().size;
  if (sizeBytes < ROWS_OFFSET) throw fail(`it is truncated: it has ${sizeBytes} bytes`);
  const header = new DataView(readAt(file, 0, HEADER_BYTES).buffer);
  const magic = Array.from(MAGIC, (_, i) => String.fromCharCode(header.getUint8(i))).join("");
  if (magic !== MAGIC) throw fail("it is no cache file, or was not finished");
  const version = header.getUint32(8, true);
  if (version !== VERSION) throw fail(`it is of version ${version}, and this is ${VERSION}`);
  const textBytes = header.getUint32(12, true);
  if (textBytes > sizeBytes - ROWS_OFFSET) throw fail("its header is damaged");
  const text = readAt(file, sizeBytes - textBytes, textBytes);
  const trailer = parseTrailer(text, fail);
  const { count, hasLabels, shape } = trailer;
  const rowsEnd = ROWS_OFFSET + count * elementCount(shape);
  const labelBytes = hasLabels ? 4 * count : 0;
  if (rowsEnd + labelBytes + 4 * count + textBytes !== sizeBytes) {
    throw fail(`it has ${sizeBytes} bytes, and its trailer means another number`);
  }
  const rest = readAt(file, rowsEnd, labelBytes + 4 * count);
  if (crc32(text, crc32(rest)) !== header.getUint32(16, true)) {
    throw fail("the checksum of its labels and trailer is wrong");
  }
  const rowSums = new Uint32Array(rest.buffer, labelBytes, count);
  if (!hasLabels) return { path, trailer, rowSums };
  return { path, trailer, rowSums, labels: new Int32Array(rest.buffer, 0, count) };
}

function parseTrailer(text: Uint8Array, fail: (detail: string) => UserError): CacheTrailer {
  let trailer: Partial<CacheTrailer> | null;
  try {
    trailer = JSON.parse(new TextDecoder().decode(text));
  } catch {
    throw fail("its trailer is damaged");
  }
  const isSize = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
  const isWhole = trailer !== null && typeof trailer === "object" && isSize(trailer.count) &&
    Array.isArray(trailer.shape) && trailer.shape.length === 3 && trailer.shape.every(isSize);
  if (!isWhole) throw fail("its trailer is damaged");
  return trailer as CacheTrailer;
}

/** The `size` bytes at `offset`; fewer than that are zeros, which no checksum fits. */
export function readAt(file: Deno.FsFile, offset: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  readInto(file, offset, bytes);
  return bytes;
}

/** Fills bytes from a place of a file. @returns how many there were */
export function readInto(file: Deno.FsFile, offset: number, bytes: Uint8Array): number {
  file.seekSync(offset, Deno.SeekMode.Start);
  let done = 0;
  while (done < bytes.length) {
    const read = file.readSync(bytes.subarray(done));
    if (read === null) break;
    done += read;
  }
  return done;
}
