/**
 * The folder of cache files: finds what was made before, writes aside and renames, keeps the total
 * below a bound, cleans up after processes that were killed.
 */
import { UserError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import { formatBytes } from "../../text.ts";
import type { SetParts } from "../sample_sink.ts";
import { type CacheContents, CacheWriter, readCacheFile } from "./cache_file.ts";

/** Where decoded data are kept, and how much of it. */
export interface CacheOptions {
  /** The folder; made where it is missing. */
  folder: string;
  /** The most bytes of all files; the ones that were used longest ago go first. Default 100 GB. */
  maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 100e9;
const ENDING = ".ganforge-cache";
const PARTIAL = /^\.partial-.*\.ganforge-cache$/;

/** The name of what a data set was made of. @param identity everything that its pixels depend on */
export function cacheKey(identity: unknown): string {
  return sha256(JSON.stringify(identity));
}

/** A cache file of a key, and whether it was made just now. */
export interface CachedSet {
  contents: CacheContents;
  isNew: boolean;
}

/**
 * Opens the file of a key, or makes it. A damaged one is made again.
 * @param build writes all samples
 * @throws {UserError} when the folder cannot be written; whatever `build` throws, and then nothing is left
 */
export async function openOrMake(
  { folder, maxBytes = DEFAULT_MAX_BYTES }: CacheOptions,
  { key, name }: { key: string; name: string },
  build: (writer: CacheWriter) => Promise<SetParts>,
): Promise<CachedSet> {
  const path = pathOf(folder, { key, name });
  const found = await findCache({ folder }, { key, name });
  if (found) return { contents: found, isNew: false };
  await inFolder(folder, () => Deno.mkdir(folder, { recursive: true }));
  await removePartial(folder);
  const aside = `${folder}/.partial-${Deno.pid}-${crypto.randomUUID()}${ENDING}`;
  const writer = await inFolder(folder, () => Promise.resolve(new CacheWriter(aside)));
  try {
    const parts = await build(writer);
    await inFolder(folder, () => Promise.resolve(writer.finish(key, parts)));
    await inFolder(folder, () => Deno.rename(aside, path));
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw folderError(folder, error);
  } finally {
    writer.close();
  }
  await removeOldest(folder, { maxBytes, keep: path });
  return { contents: readCacheFile(path)!, isNew: true };
}

function pathOf(folder: string, { key, name }: { key: string; name: string }): string {
  const safe = name.replace(/[^\w.-]+/g, "-").slice(0, 60);
  return `${folder}/${safe}-${key.slice(0, 16)}${ENDING}`;
}

/** The file of a key, where it was made before and is not damaged. */
export async function findCache(
  { folder }: CacheOptions,
  named: { key: string; name: string },
): Promise<CacheContents | undefined> {
  const path = pathOf(folder, named);
  const found = readOrRemove(path, named.key);
  const now = new Date();
  if (found) await Deno.utime(path, now, now).catch(() => {}); // the folder may belong to another user
  return found;
}

function readOrRemove(path: string, key: string): CacheContents | undefined {
  try {
    const found = readCacheFile(path);
    if (!found || found.trailer.key === key) return found;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  Deno.removeSync(path);
  return undefined;
}

async function inFolder<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw folderError(folder, error);
  }
}

function folderError(folder: string, error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const code = (error as { code?: string }).code;
  const elsewhere =
    "; choose a folder on another disk by --cache FOLDER, or --cache none to keep " +
    "the data in memory alone";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new UserError(`Cannot keep decoded data in ${folder}: the disk is full${elsewhere}`, {
      cause: error,
    });
  }
  const isAccess = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotADirectory ||
    code === "EROFS" || code === "EEXIST" || code === "ENOTDIR";
  if (!isAccess) return error;
  return new UserError(`Cannot keep decoded data in ${folder}: ${error.message}${elsewhere}`, {
    cause: error,
  });
}

/** Removes what killed processes left: files that nobody has locked. */
async function removePartial(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    if (!PARTIAL.test(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    try {
      using file = await Deno.open(path, { read: true, write: true });
      if (await file.tryLock(true)) await Deno.remove(path);
    } catch { /* another process was faster */ }
  }
}

interface StoredCache {
  path: string;
  sizeBytes: number;
  usedMs: number;
}

async function listCaches(folder: string): Promise<StoredCache[]> {
  const files: StoredCache[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isFile || !entry.name.endsWith(ENDING) || PARTIAL.test(entry.name)) continue;
      const path = `${folder}/${entry.name}`;
      const info = await Deno.stat(path).catch(() => undefined);
      if (info) files.push({ path, sizeBytes: info.size, usedMs: info.mtime?.getTime() ?? 0 });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort((a, b) => a.usedMs - b.usedMs);
}

async function removeOldest(
  folder: string,
  { maxBytes, keep }: { maxBytes: number; keep: string },
): Promise<void> {
  const files = await listCaches(folder);
  let total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const { path, sizeBytes } of files) {
    if (total <= maxBytes) return;
    if (path === keep) continue;
    await Deno.remove(path).catch(() => {});
    total -= sizeBytes;
  }
}

/**
 * Removes all cache files of a folder; other files stay.
 * @returns one line that says what was removed
 */
export async function cleanCache(folder: string): Promise<string> {
  const files = await listCaches(folder);
  for (const { path } of files) await Deno.remove(path);
  if (files.length > 0) await removePartial(folder);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return files.length === 0
    ? `${folder} holds no decoded data`
    : `${files.length} ${files.length === 1 ? "file" : "files"} of decoded data removed from ` +
      `${folder}, ${formatBytes(bytes)}`;
}
