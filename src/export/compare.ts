/** How the values of a file and of what it was made from are compared. */

/** How many times the trainer's own rounding a file may differ by. */
export const ROUNDING_MARGIN = 8;

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
