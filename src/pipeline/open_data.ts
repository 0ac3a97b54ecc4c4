/** Opening data as a program does. */
import type { CacheOptions } from "../data/cache/cache_folder.ts";
import type { DataSpec } from "../config/types.ts";
import { openDataSource, type OpenOptions } from "../data/open.ts";
import type { DataSource } from "../data/source.ts";

/**
 * Opens data: files, or samples that the project generates.
 *
 * @example
 * ```ts
 * import { openData } from "@ganforge/ganforge";
 *
 * const digits = await openData({ source: "digits", count: 100 });
 * console.log(digits.shape.join(" x ")); // 28 x 28 x 1
 * ```
 *
 * @param spec what to open, or a path whose kind is detected
 * @throws {UserError} when nothing usable is there, a file is damaged, or an option does not suit it
 */
export async function openData(
  spec: DataSpec | string,
  options: OpenOptions = {},
): Promise<DataSource> {
  const given: DataSpec = typeof spec === "string" ? { source: "auto", path: spec } : spec;
  return { ...await openDataSource(given, options), spec: given };
}

/**
 * Where decoded data are kept.
 * @param folder the folder, or null for none
 * @param runsFolder the folder of runs, beside which `cache` is the default
 */
export function cacheOptions(
  folder: string | null | undefined,
  runsFolder: string | undefined,
): { cache?: CacheOptions } {
  if (folder === null) return {};
  if (folder !== undefined) return { cache: { folder } };
  if (runsFolder === undefined) return {};
  const parent = runsFolder.replace(/[\\/]+$/, "").replace(/[^\\/]*$/, "");
  return { cache: { folder: `${parent}cache` } };
}
