/** What measures and plots take from a data set: its first samples, and the interval of 1-D data. */
import type { DataSource } from "./source.ts";
import { toUnits } from "./units.ts";

/**
 * The first samples of the data.
 * @param maxCount samples at most; fewer where the data have fewer
 * @returns `[n, ...data.shape]` flat
 */
export function firstSamples(data: DataSource, maxCount: number): Float32Array {
  const count = Math.min(maxCount, data.count);
  return data.batch(Uint32Array.from({ length: count }, (_, index) => index)).values;
}

/** The interval of 1-D data in their units: the bounds of their density where it is known, else of their values. */
export function valueInterval(data: DataSource): [number, number] {
  const [low, high] = data.density?.bounds[0] ?? toUnits(Float32Array.from(data.valueRange), data);
  return low < high ? [low, high] : [low - 1, high + 1];
}
