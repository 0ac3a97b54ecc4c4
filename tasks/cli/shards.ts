/** Which samples of a request are drawn by which of several processes: blocks of seeds, in turn. */
import type { SampleOptions } from "../../src/sampler/mod.ts";

/**
 * Samples of a block. A sampler's batches divide it, so that a sample is drawn in the same company, and
 * has the same bits, whatever the number of processes.
 */
export const BLOCK_SAMPLES = 256;

/** One of several processes. */
export interface Shard {
  rank: number;
  size: number;
}

/** The parts of a request that a process draws, as requests. */
export function* shardRequests(
  request: SampleOptions,
  { rank, size }: Shard,
): Generator<SampleOptions & { count?: number }> {
  const { count = 0, seed = 0, seeds, ...rest } = request;
  const list = seeds === undefined ? undefined : [...seeds];
  const total = list?.length ?? count;
  for (let first = rank * BLOCK_SAMPLES; first < total; first += size * BLOCK_SAMPLES) {
    const length = Math.min(BLOCK_SAMPLES, total - first);
    yield list === undefined
      ? { ...rest, count: length, seed: seed + first }
      : { ...rest, seeds: list.slice(first, first + length) };
  }
}

/** How many samples a process draws. */
export function shardCount(request: SampleOptions, shard: Shard): number {
  let total = 0;
  for (const { count, seeds } of shardRequests(request, shard)) {
    total += count ?? [...seeds!].length;
  }
  return total;
}
