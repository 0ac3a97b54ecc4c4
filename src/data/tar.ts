/**
 * Reads a tar archive as it streams by. Only what the project meets is known: regular files; folders,
 * links and extended headers are passed over.
 * Format: POSIX.1-1988 "ustar", as IEEE Std 1003.1, pax, describes it.
 */
import type { ByteReader } from "./byte_reader.ts";

/** A file of the archive. */
export interface TarEntry {
  /** Its path within the archive. */
  path: string;
  /** Its size. */
  sizeBytes: number;
  /** Its bytes; to be asked for before the next entry. */
  read(): Promise<Uint8Array>;
}

const BLOCK = 512;

/**
 * The regular files of an archive, one after another.
 * @throws {UserError} when the archive is truncated or damaged
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry> {
  for (let number = 1;; number++) {
    const start = reader.position;
    const header = await reader.read(BLOCK, `the header of tar entry ${number}`);
    if (header.every((byte) => byte === 0)) return; // the end mark
    const sum = checksum(header);
    if (octal(header, 148, 8) !== sum) {
      throw reader.error(
        `the tar header at byte ${start} has a wrong checksum: it is damaged, or no tar archive`,
      );
    }
    const sizeBytes = octal(header, 124, 12);
    if (sizeBytes === undefined) {
      throw reader.error(`the tar header at byte ${start} has no readable size: it is damaged`);
    }
    const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
    const path = (prefix ? `${prefix}/` : "") + text(header, 0, 100);
    const dataStart = reader.position;
    const kind = header[156];
    if (kind === 0 || kind === 0x30) {
      yield { path, sizeBytes, read: () => reader.read(sizeBytes, path) };
    }
    const dataEnd = dataStart + Math.ceil(sizeBytes / BLOCK) * BLOCK;
    await reader.skip(dataEnd - reader.position, path);
  }
}

/** The sum of a header's bytes, its own field counted as spaces. */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i];
  return sum;
}

function text(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, at: number, length: number): number | undefined {
  const digits = text(header, at, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : undefined;
}
