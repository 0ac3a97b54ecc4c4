/** Opening data as a program does. */
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
