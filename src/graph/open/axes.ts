/**
 * Open axes: those whose length the file leaves open, such as the batch size N. A trace needs lengths, so a
 * function is traced several times with different ones, and whatever differs between the traces depends on
 * an open axis. This file chooses the lengths, and says in words which axis is meant.
 */
import { UserError } from "../../errors.ts";

/** A length for each open axis, by the axis' name. */
export type AxisLengths = Readonly<Record<string, number>>;

/** Lengths of the batch where nothing else is open: primes, which no other dimension is a multiple of. */
const BATCH_ALONE = [1009, 2003, 4001, 8009, 16001, 32003];

/** Of the batch beside other axes: smaller, as a function may make a tensor of zeros along all of them. */
const BATCH: readonly number[][] = [[101, 103, 107], [109, 113, 127], [131, 137, 139]];

/** Of other axes: a prime, twice a prime and four times one, so that lengths that are half of them are odd and even. */
const SIDES: readonly number[][] = [
  [211, 226, 244],
  [307, 326, 332],
  [401, 422, 428],
  [503, 514, 524],
  [601, 614, 628],
  [701, 706, 716],
  [809, 802, 788],
  [907, 886, 908],
];

/** The batch axis' name. */
export const BATCH_AXIS = "N";

const WORDS: Readonly<Record<string, string>> = {
  N: "batch size",
  T: "time",
  D: "depth",
  H: "height",
  W: "width",
};

/** The name that an axis has where nothing else names it: N, T, H, W, D, or one with a number. */
export function defaultAxisName(axis: number, rank: number): string {
  if (axis === 0) return BATCH_AXIS;
  const names: Readonly<Record<number, string>> = { 3: "NTC", 4: "NHWC", 5: "NDHWC" };
  const name = names[rank]?.[axis];
  return name === undefined || name === "C" ? `axis_${axis}` : name;
}

/** An axis in words, such as `height (H)`. */
export function axisInWords(name: string): string {
  const word = WORDS[name];
  return word === undefined ? `axis ${name}` : `${word} (${name})`;
}

/**
 * Lengths to trace with. Against the first set, each of the next ones differs in one axis; where there are
 * several axes, or one besides the batch, the last set differs in all.
 * @param names of the open axes
 * @param taken dimensions that must not be mistaken for an open axis' length
 * @param options.attempt 0, and more where the lengths of attempt 0 met others by chance
 * @param options.sideMultiple what divides each axis but the batch
 * @throws {UserError} when no lengths are left
 */
export function lengthsToTrace(
  names: readonly string[],
  taken: Iterable<number>,
  { attempt = 0, sideMultiple = 1 }: { attempt?: number; sideMultiple?: number } = {},
): AxisLengths[] {
  const known = [...taken].filter((dim) => dim > 0);
  const isFree = (length: number) => known.every((dim) => dim % length !== 0);
  if (names.length === 0) return [{}, {}];
  if (names.length === 1 && names[0] === BATCH_AXIS) {
    const [first, second] = BATCH_ALONE.filter(isFree).slice(attempt);
    if (second === undefined) throw noLengths(BATCH_ALONE);
    return [{ N: first }, { N: second }];
  }
  const batches = BATCH.filter((lengths) => lengths.every(isFree)).slice(attempt);
  const sides = SIDES.filter((lengths) => lengths.every(isFree)).slice(attempt);
  const chosen = names.map((name) => name === BATCH_AXIS ? batches.shift() : sides.shift());
  if (chosen.includes(undefined)) throw noLengths([...BATCH, ...SIDES].flat());
  const set = (pick: (axis: number) => number): AxisLengths =>
    Object.fromEntries(names.map((name, axis) => [
      name,
      chosen[axis]![pick(axis)] * (name === BATCH_AXIS ? 1 : sideMultiple),
    ]));
  return [
    set(() => 0),
    ...names.map((_, changed) => set((axis) => axis === changed ? 1 : 0)),
    set(() => 2),
  ];
}

function noLengths(tried: readonly number[]): UserError {
  return new UserError(
    `Cannot export a network with dimensions that are multiples of ${tried.join(", ")}: change a ` +
      "layer's size by one, or leave fewer axes open",
  );
}

/** The axes in which two sets of lengths differ. */
export function changedAxes(a: AxisLengths, b: AxisLengths): string[] {
  return Object.keys(a).filter((name) => a[name] !== b[name]);
}

/** Something depends on an open axis; other lengths to trace with may show that it only seemed so. */
export class OpenAxisError extends UserError {}

/**
 * The error for something that depends on an open axis in a way that a file cannot.
 * @param axes the names of the axes that it depends on
 * @param fault what happens, such as "it decides which operations run"
 * @param cause what was thrown, where something was
 */
export function openAxisError(
  axes: readonly string[],
  fault: string,
  cause?: unknown,
): OpenAxisError {
  if (axes.length === 0) {
    return new OpenAxisError(
      `Cannot export a function that is not the same each time: traced twice, ${fault}; it must be pure`,
    );
  }
  if (axes.length === 1 && axes[0] === BATCH_AXIS) {
    return new OpenAxisError(
      `Cannot export a function that computes with the batch size on the host: ${fault}; the file's ` +
        "batch size is open, so use operations that do not need it, such as tf.mean or a reshape to -1",
    );
  }
  const words = axes.map(axisInWords).join(" and ");
  const [is, it] = axes.length === 1 ? ["is", "it"] : ["are", "them"];
  return new OpenAxisError(
    `Cannot export with any ${words}: ${words} ${is} open, and ${fault}; give ${it}: write the length ` +
      "into the input's shape (for a model by the option shapes, or --shape)",
    { cause },
  );
}
