/**
 * What opening an array of many gigabytes has to read all of it for: the checksum of each row, the largest value,
 * the fingerprint. They are kept in the cache folder, so that the next run opens the array at once; a row that
 * has changed since is found when it is read.
 */
import { crc32 } from "node:zlib";
import { readAt, ROWS_OFFSET } from "../cache/cache_file.ts";
import { cacheKey, type CacheOptions, openOrMake } from "../cache/cache_folder.ts";

/** Facts of an array. */
export interface ArrayFacts {
  /** CRC-32 of each row. */
  rowSums: Uint32Array;
  /** The largest byte. */
  peak: number;
  /** SHA-256 of shape, samples and labels, as a source in memory has it. */
  fingerprint: string;
}

/** A checksum is kept as a pixel of four bytes: what is kept is a data set as any other. */
const SUM_SHAPE = [1, 1, 4] as const;

/**
 * The facts that an earlier run kept, or those that `compute` finds.
 * @param kept.identity everything that they depend on
 * @throws {UserError} when the cache folder cannot be written; whatever `compute` throws
 */
export async function arrayFacts(
  cache: CacheOptions | undefined,
  { identity, name }: { identity: unknown; name: string },
  compute: () => Promise<ArrayFacts>,
): Promise<ArrayFacts> {
  if (!cache) return await compute();
  const key = cacheKey({ factsOf: identity });
  const named = { key, name: `${name}-checksums` };
  for (let attempt = 0;; attempt++) {
    const { contents: { path, trailer, rowSums: sumsOfSums } } = await openOrMake(
      cache,
      named,
      async (writer) => {
        const { rowSums, peak, fingerprint } = await compute();
        writer.begin(SUM_SHAPE, rowSums.length);
        const bytes = new Uint8Array(rowSums.buffer, rowSums.byteOffset, rowSums.byteLength);
        for (let at = 0; at < bytes.length; at += 4) writer.write(bytes.subarray(at, at + 4));
        const notes = [JSON.stringify({ peak, fingerprint })];
        return { name, origin: name, shape: [...SUM_SHAPE], notes };
      },
    );
    using file = await Deno.open(path, { read: true });
    const bytes = readAt(file, ROWS_OFFSET, 4 * trailer.count);
    const isWhole = sumsOfSums.every((sum, row) =>
      crc32(bytes.subarray(4 * row, 4 * row + 4)) === sum
    );
    if (isWhole) return { ...JSON.parse(trailer.notes[0]), rowSums: new Uint32Array(bytes.buffer) };
    await Deno.remove(path); // computed again
    if (attempt > 0) throw new Error(`Cannot read back ${path} just after it was written`);
  }
}
