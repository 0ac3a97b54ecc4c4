/**
 * Files that are complete or absent: written aside, flushed to the disk, then renamed. A full disk or
 * a killed process leaves the old file as it was.
 */
import { GanforgeError, StorageError, UserError } from "./errors.ts";

/** The prefix of names that are still being written. Whoever finds one that is not its own may delete it. */
export const PARTIAL_PREFIX = ".partial-";

/**
 * A path with slashes, which Windows takes as well as its own backslashes: `C:\\x` becomes `C:/x`. On other
 * systems a backslash is a letter like any other.
 * @param platform.os whose path it is; by default, this machine's
 */
export function withSlashes(path: string, platform: { os?: string } = {}): string {
  return (platform.os ?? Deno.build.os) === "windows" ? path.replaceAll("\\", "/") : path;
}

/**
 * Writes a file so that it appears whole or not at all.
 * @param bytes what it holds, in one piece or in several
 * @throws {StorageError} when the disk is full
 * @throws {UserError} when the folder cannot be written
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const slash = withSlashes(path).lastIndexOf("/");
  const aside = `${path.slice(0, slash + 1)}${PARTIAL_PREFIX}${Deno.pid}-${path.slice(slash + 1)}`;
  try {
    await writeDurably(aside, bytes);
    await Deno.rename(aside, path);
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw writeError(path, error);
  }
}

/**
 * Makes a folder and those that it lies in, where they are missing.
 * @throws {UserError} when that is not possible
 */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw writeError(path, error);
  }
}

/**
 * Makes a folder and checks that files can be written there, before anything long is begun.
 * @throws {UserError} when that is not possible
 */
export async function checkWritable(folder: string): Promise<void> {
  await ensureFolder(folder);
  const probe = `${folder}/${PARTIAL_PREFIX}${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(probe, new Uint8Array(0));
    await Deno.remove(probe);
  } catch (error) {
    throw writeError(folder, error);
  }
}

/** Writes a file and waits until the disk has it. */
export async function writeDurably(
  path: string,
  bytes: Uint8Array | readonly Uint8Array[],
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
    let written = 0;
    while (written < part.length) written += await file.write(part.subarray(written));
  }
  await file.sync();
}

/** Turns an error of the file system into one that says what to do; others pass as they are. */
export function writeError(path: string, error: unknown): unknown {
  if (error instanceof GanforgeError || !(error instanceof Error)) return error;
  const code = (error as { code?: string }).code;
  if (code === "ENOSPC" || /no space left|quota exceeded/i.test(error.message)) {
    return new StorageError(
      `Cannot write ${path}: the disk is full; free some space, or choose a place on another disk`,
      { cause: error },
    );
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return new UserError(
      `Cannot write ${path}: permission denied; choose a place that you may write to`,
      { cause: error },
    );
  }
  if (
    code === "EEXIST" || code === "EROFS" || code === "ENOTDIR" || code === "EISDIR" ||
    code === "ENAMETOOLONG"
  ) {
    return new UserError(`Cannot write ${path}: ${error.message}`, { cause: error });
  }
  return error;
}
