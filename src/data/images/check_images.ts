/**
 * Looks at the first and last bytes of all image files before any is decoded: what each is, and
 * whether it is all there.
 */
import { UserError } from "../../errors.ts";
import { type FileEnds, type ImageHeader, needsWhole, readImageHeader } from "./image_header.ts";
import type { StoredFile } from "./image_store.ts";
import { loadSharp } from "./sharp.ts";

/** A header with everything that is known before decoding. */
export interface KnownHeader extends ImageHeader {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  sizeBytes: number;
}

/** What a look at all files found. */
export interface CheckedImages {
  /** One for each file; undefined where it cannot be used. */
  headers: (KnownHeader | undefined)[];
  /** Why files cannot be used, by their place in the list. */
  failures: Map<number, UserError>;
}

/** How many files are open at once. */
const CONCURRENCY = 8;

/** How to look. */
export interface ImageCheckOptions {
  /** Called after each file. */
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal;
}

/** Looks at all files. */
export async function checkImages(
  files: readonly StoredFile[],
  { onProgress, signal }: ImageCheckOptions,
): Promise<CheckedImages> {
  const headers = new Array<KnownHeader | undefined>(files.length);
  const failures = new Map<number, UserError>();
  let next = 0;
  let done = 0;
  async function checkOn(): Promise<void> {
    while (next < files.length) {
      signal?.throwIfAborted();
      const index = next++;
      try {
        headers[index] = await checkImage(files[index]);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failures.set(index, error);
      }
      onProgress?.({ done: ++done, total: files.length });
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, checkOn));
  signal?.throwIfAborted();
  return { headers, failures };
}

/** @throws {UserError} when the file is no image, or not all there */
async function checkImage(file: StoredFile): Promise<KnownHeader> {
  const ends = file.ends ? await file.ends() : endsOf(await file.read());
  const header = readImageHeader(ends, file.origin);
  const { sizeBytes } = ends;
  if (!needsWhole(ends, header)) return known(header, sizeBytes, file.origin);
  const bytes = ends.head.length === sizeBytes ? ends.head : await file.read();
  const full = readImageHeader(bytes, file.origin);
  if (full.format === "jpeg") return known(full, sizeBytes, file.origin);
  return known(await askLibvips(full, bytes, file.origin), sizeBytes, file.origin);
}

function endsOf(bytes: Uint8Array): FileEnds {
  return { head: bytes, tail: bytes, sizeBytes: bytes.length };
}

function known(header: ImageHeader, sizeBytes: number, origin: string): KnownHeader {
  const { width, height, channels } = header;
  if (width === undefined || height === undefined || channels === undefined) {
    throw new UserError(`Cannot read ${origin}: it does not say how large the image is`);
  }
  return { ...header, width, height, channels, sizeBytes };
}

/** The header of a format that only libvips reads here. */
async function askLibvips(
  header: ImageHeader,
  bytes: Uint8Array,
  origin: string,
): Promise<ImageHeader> {
  const { sharp } = await loadSharp();
  try {
    const found = await sharp(bytes).metadata();
    const isGray = found.space === "b-w" || found.space === "grey16";
    const facts = {
      ...header,
      width: found.width,
      height: found.height,
      channels: isGray ? 1 : found.hasAlpha ? 4 : 3,
      depth: found.depth === "ushort" ? 16 : 8,
    } as const;
    return facts;
  } catch (error) {
    const detail = error instanceof Error ? error.message.trim().split("\n").at(-1) : error;
    throw new UserError(`Cannot read ${origin}: it is damaged (${detail})`, { cause: error });
  }
}
