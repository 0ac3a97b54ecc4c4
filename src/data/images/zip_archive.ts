/**
 * Reads .zip archives of any size, one entry at a time: the list of files at the archive's end, the
 * 64-bit records of archives with more than 65,535 files, stored and deflated entries, checksums.
 * Format: PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT).
 */
import { crc32, inflateRawSync } from "node:zlib";
import { UserError } from "../../errors.ts";
import { accessError } from "../byte_reader.ts";

/** One entry of the archive's list of files. */
export interface ZipEntry {
  /** Path within the archive, with `/` between folders. */
  path: string;
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

/** An open archive. */
export interface ZipArchive extends Disposable {
  /** All entries, folders among them. */
  entries: ZipEntry[];
  /**
   * Unpacks one entry.
   * @throws {UserError} when it is damaged or has more than `maxBytes`
   */
  read(entry: ZipEntry, options: { maxBytes: number }): Uint8Array;
}

/** The part of a file that {@linkcode readZip} needs. */
export interface RandomAccess {
  /** Names the file in messages. */
  origin: string;
  /** Size of the file. */
  sizeBytes: number;
  /** The `size` bytes from `offset`; both lie within the file. */
  slice(offset: number, size: number): Uint8Array;
}

/**
 * Opens an archive; dispose of it to close the file.
 * @throws {UserError} when it is no .zip, or damaged
 */
export function openZip(path: string): ZipArchive {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path, { read: true });
    const archive = readZip(accessFile(file, path));
    return { ...archive, [Symbol.dispose]: file[Symbol.dispose].bind(file) };
  } catch (error) {
    file?.close();
    throw accessError(path, error);
  }
}

function accessFile(file: Deno.FsFile, origin: string): RandomAccess {
  return {
    origin,
    sizeBytes: file.statSync().size,
    slice(offset, size) { // synchronous: another read must not move the position in between
      const bytes = new Uint8Array(size);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < size;) {
        const read = file.readSync(bytes.subarray(done));
        if (read === null) {
          throw new UserError(`Cannot read ${origin}: it became shorter meanwhile`);
        }
        done += read;
      }
      return bytes;
    },
  };
}

/** Reads the list of files of an archive. */
export function readZip(file: RandomAccess): Omit<ZipArchive, typeof Symbol.dispose> {
  const { origin } = file;
  const fail = (detail: string) => new UserError(`Cannot read ${origin}: ${detail}`);
  function part(offset: number, size: number, what: string): DataView<ArrayBufferLike> {
    if (offset < 0 || offset + size > file.sizeBytes) {
      throw fail(
        `${what} would lie at bytes ${offset} to ${offset + size}, and it has ${file.sizeBytes}: ` +
          `it is truncated or damaged`,
      );
    }
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
      const entry = {
        path: new TextDecoder().decode(name).replaceAll("\\", "/"),
        encrypted: (list.getUint16(at + 8, true) & 1) === 1,
        method: list.getUint16(at + 10, true),
        checksum: list.getUint32(at + 16, true),
        packedBytes: list.getUint32(at + 20, true),
        sizeBytes: list.getUint32(at + 24, true),
        headerOffset: list.getUint32(at + 42, true),
      };
      const extra = new DataView(list.buffer, list.byteOffset + at + 46 + nameBytes, extraBytes);
      entries.push(widen(entry, extra));
      at = end;
    }
    return entries;
  }

  function read(entry: ZipEntry, { maxBytes }: { maxBytes: number }): Uint8Array {
    const { path, method, packedBytes, sizeBytes } = entry;
    if (entry.encrypted) throw fail(`${path} in it is encrypted: unpack it first`);
    if (sizeBytes > maxBytes) {
      throw fail(`${path} in it has ${sizeBytes} bytes, and the limit is ${maxBytes}`);
    }
    const header = part(entry.headerOffset, 30, `the header of ${path}`);
    if (header.getUint32(0, true) !== 0x04034b50) throw fail(`the header of ${path} is damaged`);
    const start = entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const packed = part(start, packedBytes, path);
    const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packedBytes);
    const unpacked = method === 0 ? bytes : inflate(bytes, entry);
    if (unpacked.length !== sizeBytes) {
      throw fail(`${path} unpacks to ${unpacked.length} bytes: ${sizeBytes} were expected`);
    }
    if (crc32(unpacked) !== entry.checksum) {
      throw fail(`${path} in it has a wrong checksum: it is damaged`);
    }
    return unpacked;
  }

  function inflate(packed: Uint8Array, { path, method, sizeBytes }: ZipEntry): Uint8Array {
    if (method !== 8) {
      throw fail(
        `${path} is packed by method ${method}: only 0 (stored) and 8 (deflate) are known`,
      );
    }
    try {
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw fail(`${path} in it does not unpack to ${sizeBytes} bytes (${error.message})`);
    }
  }

  return { entries: readEntries(), read };
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
