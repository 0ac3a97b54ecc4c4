/**
 * Reads .zip archives of any size, one entry at a time: the list of files at the archive's end, the
 * 64-bit records of archives with more than 65,535 files, stored and deflated entries, checksums.
 * An entry never unpacks to more than the list says.
 * Format: PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT).
 */
import { constants, crc32, inflateRawSync } from "node:zlib";
import { UserError } from "../../errors.ts";
import { MAX_DEFLATE_RATIO } from "../byte_reader.ts";
import { normalizePath } from "./file_store.ts";
import { type RandomAccess, sliceStream } from "./random_access.ts";
import { decodeZipName } from "./zip_names.ts";

const STORED = 0;
const DEFLATED = 8;

/** As many packed bytes as surely hold the tables of a first deflate block. */
const START_BYTES = 4096;

/** One entry of the archive's list of files. */
export interface ZipEntry {
  /** Path within the archive, with `/` between folders. */
  path: string;
  /** Whether it is a folder, which has no bytes. */
  isFolder: boolean;
  /** How it is packed: 0 stored, 8 deflated. */
  method: number;
  /** Whether it needs a password. */
  encrypted: boolean;
  /** CRC-32 of its bytes. */
  checksum: number;
  /** Size in the archive. */
  packedBytes: number;
  /** Size when unpacked. */
  sizeBytes: number;
  /** Where its local header starts. */
  headerOffset: number;
}

/** The entries of an archive. */
export interface ZipArchive {
  /** All entries, folders among them. */
  entries: ZipEntry[];
  /**
   * Unpacks one entry.
   * @throws {UserError} when it is damaged or has more than `maxBytes`
   */
  read(entry: ZipEntry, options: { maxBytes: number }): Uint8Array;
  /**
   * Unpacks the first `size` bytes of an entry, or all where it has fewer; the checksum, which is that of
   * all, is not looked at.
   * @throws {UserError} when it is damaged there
   */
  readStart(entry: ZipEntry, size: number): Uint8Array;
  /** Unpacks an entry as it is read; the stream fails with a `UserError` where it is damaged. */
  stream(entry: ZipEntry): ReadableStream<Uint8Array>;
}

/**
 * Reads the list of files of an archive.
 * @throws {UserError} when it is no .zip, or damaged
 */
export function readZip(file: RandomAccess): ZipArchive {
  const { origin } = file;
  const fail = (detail: string) => new UserError(`Cannot read ${origin}: ${detail}`);
  function checkPart(offset: number, size: number, what: string): void {
    if (offset < 0 || offset + size > file.sizeBytes) {
      throw fail(
        `${what} would lie at bytes ${offset} to ${offset + size}, and it has ${file.sizeBytes}: ` +
          `it is truncated or damaged`,
      );
    }
  }
  function part(offset: number, size: number, what: string): DataView<ArrayBufferLike> {
    checkPart(offset, size, what);
    const bytes = file.slice(offset, size);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  function findList(): { count: number; size: number; offset: number } {
    const tailBytes = Math.min(file.sizeBytes, 22 + 65535); // the end record and its comment
    const tailStart = file.sizeBytes - tailBytes;
    const tail = part(tailStart, tailBytes, "the end record");
    let at = tailBytes - 22;
    while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
    if (at < 0) throw fail("it has no end record of a .zip: it is truncated, or no .zip");
    const list = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    const needs64 = list.count === 0xffff || list.size === 0xffff_ffff ||
      list.offset === 0xffff_ffff;
    if (!needs64 || at < 20 || tail.getUint32(at - 20, true) !== 0x07064b50) return list;
    const end64 = part(Number(tail.getBigUint64(at - 12, true)), 56, "the 64-bit end record");
    if (end64.getUint32(0, true) !== 0x06064b50) throw fail("its 64-bit end record is damaged");
    return {
      count: Number(end64.getBigUint64(32, true)),
      size: Number(end64.getBigUint64(40, true)),
      offset: Number(end64.getBigUint64(48, true)),
    };
  }

  function readEntries(): ZipEntry[] {
    const { count, size, offset } = findList();
    const list = part(offset, size, "its list of files");
    const entries: ZipEntry[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 46 > size || list.getUint32(at, true) !== 0x02014b50) {
        throw fail(`its list of files is damaged at entry ${i} of ${count}`);
      }
      const nameBytes = list.getUint16(at + 28, true);
      const extraBytes = list.getUint16(at + 30, true);
      const end = at + 46 + nameBytes + extraBytes + list.getUint16(at + 32, true);
      if (end > size) throw fail(`its list of files is damaged at entry ${i} of ${count}`);
      const name = new Uint8Array(list.buffer, list.byteOffset + at + 46, nameBytes);
      const extra = new DataView(list.buffer, list.byteOffset + at + 46 + nameBytes, extraBytes);
      const path = decodeZipName(name, extra);
      const entry = {
        path: normalizePath(path),
        isFolder: /[\\/]$/.test(path),
        encrypted: (list.getUint16(at + 8, true) & 1) === 1,
        method: list.getUint16(at + 10, true),
        checksum: list.getUint32(at + 16, true),
        packedBytes: list.getUint32(at + 20, true),
        sizeBytes: list.getUint32(at + 24, true),
        headerOffset: list.getUint32(at + 42, true),
      };
      entries.push(widen(entry, extra));
      at = end;
    }
    return entries;
  }

  /** Where an entry's packed bytes start. */
  function dataOffset(entry: ZipEntry): number {
    const { path, encrypted, headerOffset, method, packedBytes } = entry;
    if (encrypted) throw fail(`${path} in it is encrypted: unpack it first`);
    if (method !== STORED && method !== DEFLATED) {
      throw fail(
        `${path} is packed by method ${method}: only 0 (stored) and 8 (deflate) are known; pack it anew`,
      );
    }
    const header = part(headerOffset, 30, `the header of ${path}`);
    if (header.getUint32(0, true) !== 0x04034b50) throw fail(`the header of ${path} is damaged`);
    const start = headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    checkPart(start, packedBytes, path);
    return start;
  }

  function read(entry: ZipEntry, { maxBytes }: { maxBytes: number }): Uint8Array {
    const { path, method, packedBytes, sizeBytes } = entry;
    if (sizeBytes > maxBytes) {
      throw fail(`${path} in it has ${sizeBytes} bytes, and the limit is ${maxBytes}`);
    }
    const packed = file.slice(dataOffset(entry), packedBytes);
    const unpacked = method === STORED ? packed : inflate(packed, entry);
    checkWhole(entry, unpacked.length, crc32(unpacked));
    return unpacked;
  }

  function checkWhole({ path, sizeBytes, checksum }: ZipEntry, length: number, sum: number): void {
    if (length !== sizeBytes) {
      throw fail(`${path} unpacks to ${length} bytes: ${sizeBytes} were expected`);
    }
    if (sum !== checksum) throw fail(`${path} in it has a wrong checksum: it is damaged`);
  }

  function inflate(packed: Uint8Array, { path, sizeBytes }: ZipEntry): Uint8Array {
    try {
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw fail(`${path} in it does not unpack to ${sizeBytes} bytes (${error.message})`);
    }
  }

  function readStart(entry: ZipEntry, size: number): Uint8Array {
    const packed = file.slice(dataOffset(entry), Math.min(entry.packedBytes, size + START_BYTES));
    if (entry.method === STORED) return packed.subarray(0, size);
    try {
      const start = inflateRawSync(packed, {
        finishFlush: constants.Z_SYNC_FLUSH, // what is missing at the end is no error
        maxOutputLength: packed.length * MAX_DEFLATE_RATIO,
      });
      return start.subarray(0, size);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw fail(`${entry.path} in it does not unpack (${error.message})`);
    }
  }

  function stream(entry: ZipEntry): ReadableStream<Uint8Array> {
    const { path, method, packedBytes, sizeBytes } = entry;
    const packed = sliceStream(file, { offset: dataOffset(entry), size: packedBytes });
    const unpacked = method === STORED
      ? packed
      : inflateStream(packed, (error) =>
        fail(`${path} in it does not unpack to ${sizeBytes} bytes (${error.message})`));
    let length = 0;
    let sum = 0;
    return unpacked.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          length += chunk.length;
          if (length > sizeBytes) checkWhole(entry, length, sum);
          sum = crc32(chunk, sum);
          controller.enqueue(chunk);
        },
        flush: () => checkWhole(entry, length, sum),
      }),
    );
  }

  return { entries: readEntries(), read, readStart, stream };
}

/** Unpacks a stream, and says of every fault what `explain` makes of it. */
function inflateStream(
  packed: ReadableStream<Uint8Array>,
  explain: (error: Error) => UserError,
): ReadableStream<Uint8Array> {
  const inflated = packed.pipeThrough(
    new DecompressionStream("deflate-raw") as TransformStream<Uint8Array, Uint8Array>,
  );
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* inflated;
    } catch (error) {
      throw error instanceof TypeError ? explain(error) : error;
    }
  }
  return ReadableStream.from(chunks());
}

/** Replaces the sizes that do not fit 32 bits by those of the 64-bit extra field. */
function widen(entry: ZipEntry, extra: DataView): ZipEntry {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = extra.getUint16(at, true);
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (id === 1 && end <= extra.byteLength) {
      const wide = { ...entry };
      let next = at + 4;
      for (const key of ["sizeBytes", "packedBytes", "headerOffset"] as const) {
        if (wide[key] !== 0xffff_ffff || next + 8 > end) continue;
        wide[key] = Number(extra.getBigUint64(next, true));
        next += 8;
      }
      return wide;
    }
    at = end;
  }
  return entry;
}
