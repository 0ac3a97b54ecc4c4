/** How the values of a file and of what it was made from are compared. */

/** How many times the trainer's own rounding a file may differ by. */
export const ROUNDING_MARGIN = 8;

/** What 0 and 1 of a column of a network's samples stand for. */
export interface ColumnUnits {
  /** The value that 0 stands for. */
  mean: number;
  /** What 1 adds to it. */
  scale: number;
}

/** Rounding of `value * scale + mean` in float32, as a share of the result. */
const UNITS_ROUNDING = 2 ** -22;

/**
 * Values of a file in units as its network gave them, so that each column counts alike; what float32 rounds
 * off in these units is no difference.
 * @param actual `[n, columns]` of the file
 * @param expected `[n, columns]` of the network
 */
export function withoutUnits(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  columns: readonly ColumnUnits[],
): Float64Array {
  return Float64Array.from({ length: actual.length }, (_, i) => {
    const { mean, scale } = columns[i % columns.length];
    const inUnits = expected[i] * scale + mean;
    const gap = actual[i] - inUnits;
    const rounding = UNITS_ROUNDING * (Math.abs(inUnits) + Math.abs(mean));
    const beyond = Math.sign(gap) * Math.max(0, Math.abs(gap) - rounding);
    return expected[i] + beyond / scale;
  });
}

/** Images `[n, height, width, channels]` as `[n, channels, height, width]`. @param shape the latter without n */
export function toNCHW(
  nhwc: Float32Array,
  [channels, height, width]: readonly number[],
): Float32Array {
  const pixels = height * width;
  const result = new Float32Array(nhwc.length);
  for (let start = 0; start < nhwc.length; start += pixels * channels) {
    for (let position = 0; position < pixels; position++) {
      for (let c = 0; c < channels; c++) {
        result[start + c * pixels + position] = nhwc[start + position * channels + c];
      }
    }
  }
  return result;
}

/**
 * The largest and the mean difference, as shares of values beyond 1.
 * @param options.isAbsolute differences themselves, as of gray levels
 * @param options.allowsNaN NaN in both is no difference: a function may give it
 */
export function compareValues(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { isAbsolute = false, allowsNaN = false }: { isAbsolute?: boolean; allowsNaN?: boolean } = {},
): { maxDifference: number; meanDifference: number } {
  let largest = 0;
  let sum = 0;
  for (let index = 0; index < actual.length; index++) {
    const scale = isAbsolute ? 1 : Math.max(1, Math.abs(expected[index]));
    const isSame = Object.is(actual[index], expected[index]) &&
      (allowsNaN || !Number.isNaN(actual[index]));
    const gap = isSame ? 0 : Math.abs(actual[index] - expected[index]) / scale;
    const difference = Number.isNaN(gap) ? Infinity : gap;
    if (difference > largest) largest = difference;
    sum += difference;
  }
  return { maxDifference: largest, meanDifference: sum / Math.max(1, actual.length) };
}
