/** A data source of decoded samples: from the cache, or decoded first; in memory, or read from the file. */
import { crc32 } from "node:zlib";
import { elementCount } from "../../bytes.ts";
import { describeSet, setSource } from "../pixel_set.ts";
import { MemorySink, type SampleSink, type SetParts } from "../sample_sink.ts";
import { type DataSource, fileSource } from "../source.ts";
import { type CacheContents, readAt, ROWS_OFFSET } from "./cache_file.ts";
import { cacheKey, type CacheOptions, findCache, openOrMake } from "./cache_folder.ts";
import { type RowFile, RowReader } from "./row_reader.ts";

/** Where decoded samples go. */
export interface DecodedStorage {
  /** Keeps them for the next time; without it they are decoded each time, into memory. */
  cache?: CacheOptions;
  /** Data of more bytes than this are read from the cache file as they are needed. Default 1 GiB. */
  memoryBytes?: number;
}

/** Data up to this size are held in memory. */
export const DEFAULT_MEMORY_BYTES = 2 ** 30;

/** What decoded samples are known by. */
export interface DecodedName {
  /** Everything that the samples depend on, as JSON. */
  identity: unknown;
  /** Of the data set, for the file's name. */
  name: string;
}

/** The source that an earlier call kept; undefined where there is none, or it is damaged. */
export async function findDecoded(
  { cache, memoryBytes = DEFAULT_MEMORY_BYTES }: DecodedStorage,
  { identity, name }: DecodedName,
): Promise<DataSource | undefined> {
  const contents = cache && await findCache(cache, { key: cacheKey(identity), name });
  return contents && openContents(contents, memoryBytes);
}

/** The source of what `build` writes. */
export async function decodedSource(
  { cache, memoryBytes = DEFAULT_MEMORY_BYTES }: DecodedStorage,
  made: DecodedName,
  build: (sink: SampleSink) => Promise<SetParts>,
): Promise<DataSource> {
  if (!cache) {
    const sink = new MemorySink();
    const parts = await build(sink);
    return setSource(sink.pixels, parts);
  }
  const key = cacheKey(made.identity);
  for (let attempt = 0;; attempt++) {
    const { contents } = await openOrMake(cache, { key, name: made.name }, build);
    const source = openContents(contents, memoryBytes);
    if (source) return source;
    Deno.removeSync(contents.path); // a row is damaged: decoded again
    if (attempt > 0) throw new Error(`Cannot read back ${contents.path} just after it was written`);
  }
}

/** Where the rows of a cache file are. */
export function rowsOf({ path, trailer: { count, shape }, rowSums }: CacheContents): RowFile {
  const rowSize = elementCount(shape);
  return { path, count, rowSize, rowsOffset: ROWS_OFFSET, rowSums, isCache: true };
}

/** @returns undefined when a row is not what was written */
function openContents(contents: CacheContents, memoryBytes: number): DataSource | undefined {
  const { trailer, labels, rowSums, path } = contents;
  const { name, shape, classNames, decoding, notes, fingerprint, count, origin } = trailer;
  const set = { name, origin, shape, labels, classNames, decoding, notes };
  const size = elementCount(shape);
  if (size * count > memoryBytes) {
    const description = `${describeSet(set)}; read from ${path} as they are needed`;
    return fileSource(new RowReader(rowsOf(contents)), { ...set, description, fingerprint });
  }
  using file = Deno.openSync(path, { read: true });
  const pixels = readAt(file, ROWS_OFFSET, size * count);
  for (let row = 0; row < count; row++) {
    if (crc32(pixels.subarray(row * size, (row + 1) * size)) !== rowSums[row]) return undefined;
  }
  return setSource(pixels, set, fingerprint);
}
