/**
 * What a folder, a .zip and a .tar have in common for those who read data sets: a list of files with
 * paths, each of which gives its bytes. Paths are normalized, so that labels and pixels do not depend on
 * how the files were packed.
 */
import type { FileEnds } from "../images/image_header.ts";
import { type ByteReader, openByteStream } from "../byte_reader.ts";

/** The most bytes of a file that {@linkcode StoredFile.read} holds in memory: 256 MiB. */
export const MAX_FILE_BYTES = 2 ** 28;

/** One file of a store. */
export interface StoredFile {
  /** Within the store, with `/` between folders. */
  path: string;
  /** Names it in messages. */
  origin: string;
  /** Its size when unpacked, as the store lists it. */
  sizeBytes: number;
  /** Where it lies as a file of its own; absent in archives. */
  diskPath?: string;
  /** When it, or the archive that it lies in, was last changed, in milliseconds since 1970. */
  modifiedMs: number;
  /**
   * All its bytes.
   * @param options.maxBytes the most that it may have; default {@linkcode MAX_FILE_BYTES}
   * @throws {UserError} when it cannot be read, is empty or damaged, or has more
   */
  read(options?: { maxBytes?: number }): Promise<Uint8Array>;
  /**
   * Its first bytes: `size` of them, or all where it has fewer.
   * @throws {UserError} when it cannot be read or is damaged there
   */
  readStart(size: number): Promise<Uint8Array>;
  /** Its first and last bytes, where those can be had without the others. */
  ends?(): Promise<FileEnds>;
  /** Its bytes as a stream, not unpacked where it is a .gz. */
  stream(): ReadableStream<Uint8Array>;
}

/** The files of a folder or an archive. */
export interface FileStore extends Disposable {
  /** The path of the folder or the archive. */
  origin: string;
  /** What it is. */
  form: "folder" | "zip" | "tar";
  /** All files but hidden ones, in the sequence of their paths. */
  files: StoredFile[];
  /** What was passed over, one line each, such as "3 hidden files". */
  passedOver: string[];
}

/** Opens a stored file for reading from its beginning, unpacking gzip on the way. */
export async function openStoredFile(file: StoredFile): Promise<ByteReader> {
  return await openByteStream(file.stream(), file);
}

/** A path of an archive without what only its packer meant: `./`, `../`, `/` at its start, `\`. */
export function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.normalize("NFC").replaceAll("\\", "/").split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Whether a path is one of those that systems leave behind: `.DS_Store`, `._x`, `__MACOSX/`. */
export function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}

/** The files of an archive's list as a store keeps them: sorted, none hidden, each path once. */
export function listedFiles(
  files: readonly StoredFile[],
): Pick<FileStore, "files" | "passedOver"> {
  const byPath = new Map<string, StoredFile>();
  let hidden = 0;
  let repeated = 0;
  for (const file of files) {
    if (isHidden(file.path)) {
      hidden++;
      continue;
    }
    if (byPath.has(file.path)) repeated++;
    byPath.set(file.path, file); // as when an archive is unpacked: the last one stays
  }
  const passedOver: string[] = [];
  if (hidden > 0) passedOver.push(hidden === 1 ? "1 hidden file" : `${hidden} hidden files`);
  if (repeated > 0) passedOver.push(`${repeated} of several entries with the same path`);
  return { files: [...byPath.values()].sort(byPathOrder), passedOver };
}

/** Compares files by path, by code units. */
export function byPathOrder(a: StoredFile, b: StoredFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** The folder, with a `/` at its end, that all paths have in common; "" where they have none. */
export function sharedFolder(paths: readonly string[]): string {
  let shared = paths[0].split("/").slice(0, -1);
  for (const path of paths) {
    const parts = path.split("/");
    const differs = shared.findIndex((part, i) => i >= parts.length - 1 || parts[i] !== part);
    if (differs >= 0) shared = shared.slice(0, differs);
  }
  return shared.map((part) => `${part}/`).join("");
}

/** Adds up the chunks of a stream until there are `size` bytes or it ends; the stream is then left. */
export async function readStreamStart(
  stream: ReadableStream<Uint8Array>,
  size: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let have = 0;
  for await (const chunk of stream) {
    const part = chunk.subarray(0, size - have);
    bytes.set(part, have);
    have += part.length;
    if (have === size) break;
  }
  return bytes.subarray(0, have);
}
