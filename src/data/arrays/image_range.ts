/**
 * Which numbers of an array of images mean black and white. Guessed from type and values, and said; a
 * range that is given decides.
 */
import { UserError } from "../../errors.ts";
import type { NpyArray } from "./npy.ts";

/** Image values that are understood: bytes from 0 to 255, or floats in [-1, 1]. */
export interface ScaledImages {
  /** `[N, ...]` in the array's own layout. */
  values: Uint8Array | Float32Array;
  /** What was guessed or cut, one line each. */
  notes: string[];
}

/** Floats above 1 whose largest value is at least this are taken as going to 255. */
const MIN_BYTE_PEAK = 64;

/** Said where 1 is white. */
export const TWO_LEVELS = "values are 0 and 1 only, taken as black and white (data.range decides)";

/** Below this share of the range, the brightest value is said to be odd. */
const DARK_SHARE = 1 / 8;

/**
 * Brings image values to bytes, where they are whole steps of 1/255, or to [-1, 1].
 * @param range the values of black and white
 * @param origin names the array in messages
 * @throws {UserError} when they lie in no known range, and none is given
 */
export function scaleImages(
  { values, dtype }: NpyArray,
  { range, origin }: { range?: readonly [number, number]; origin: string },
): ScaledImages {
  const [low, high] = extremes(values);
  if (range) return scaleFrom(values, range);
  const isFloat = dtype.kind === "f";
  if (low < 0) {
    if (isFloat && low >= -1 && high <= 1) return { values, notes: [] };
    throw unknownRange(origin, [low, high]);
  }
  if (high <= 1) {
    if (dtype.kind === "b") return { values: toBytes(values, 255), notes: [] };
    if (!isFloat) {
      return { values: toBytes(values, 255), notes: [TWO_LEVELS] };
    }
    const scaled = scaleFrom(values, [0, 1]);
    return { ...scaled, notes: ["values from 0 to 1, scaled to [-1, 1] (data.range decides)"] };
  }
  if (high <= 255 && (!isFloat || high >= MIN_BYTE_PEAK)) {
    if (!isFloat) return { values: toBytes(values, 1), notes: darkNotes(high, 255) };
    const scaled = scaleFrom(values, [0, 255]);
    const notes = ["values from 0 to 255, scaled to [-1, 1] (data.range decides)"];
    return { ...scaled, notes: [...notes, ...darkNotes(high, 255)] };
  }
  if (dtype.kind === "u" && dtype.sizeBytes === 2) {
    const scaled = scaleFrom(values, [0, 65535]);
    return { ...scaled, notes: darkNotes(high, 65535) };
  }
  throw unknownRange(origin, [low, high]);
}

/** Says that images are darker than their type lets them be. */
export function darkNotes(high: number, white: number): string[] {
  if (high > white * DARK_SHARE) return [];
  return [
    `the brightest value is ${high} of ${white}, so that images are nearly black; ` +
    `--set data.range=[0,${high}] makes it white`,
  ];
}

function unknownRange(origin: string, [low, high]: readonly [number, number]): UserError {
  return new UserError(
    `Cannot use ${origin} as images: its values go from ${low} to ${high}, which is neither [0, 255], ` +
      `[0, 1] nor [-1, 1]; say what is black and white by --set data.range=[${low},${high}]`,
  );
}

function extremes(values: Uint8Array | Float32Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function toBytes(values: Uint8Array | Float32Array, factor: number): Uint8Array {
  if (values instanceof Uint8Array && factor === 1) return values;
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = values[i] * factor;
  return bytes;
}

/** Brings [low, high] to bytes where all values are such steps, else to [-1, 1]; cuts what is outside. */
function scaleFrom(
  values: Uint8Array | Float32Array,
  [low, high]: readonly [number, number],
): ScaledImages {
  const bytes = asSteps(values, [low, high]);
  if (bytes) return { values: bytes, notes: [] };
  const scaled = new Float32Array(values.length);
  let cut = 0;
  for (let i = 0; i < values.length; i++) {
    const value = (values[i] - low) / (high - low) * 2 - 1;
    if (value < -1 || value > 1) cut++;
    scaled[i] = Math.min(1, Math.max(-1, value));
  }
  const percent = (100 * cut / values.length).toPrecision(2);
  return {
    values: scaled,
    notes: cut ? [`${percent}% of the values are outside, and were cut`] : [],
  };
}

/** The values as bytes, where each is a float32 of low + k/255 of the range. */
function asSteps(
  values: Uint8Array | Float32Array,
  [low, high]: readonly [number, number],
): Uint8Array | undefined {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const step = Math.round((values[i] - low) / (high - low) * 255);
    if (step < 0 || step > 255) return undefined;
    if (Math.fround(low + step / 255 * (high - low)) !== values[i]) return undefined;
    bytes[i] = step;
  }
  return bytes;
}
