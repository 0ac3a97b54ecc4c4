/**
 * How a length follows from the lengths that a file knows at run time. A length is a list of numbers here:
 * one for each trace.
 */

/** A length in each trace. */
export type Length = readonly number[];

/** Where a length can be read: axis `axis` of the value `value`. */
export interface Source {
  value: string;
  axis: number;
}

/** A length as a formula of lengths that can be read. */
export type Formula =
  /** `numerator * product of the sources / denominator + offset`, exact in whole numbers */
  | {
    kind: "product";
    sources: Source[];
    numerator: number;
    denominator: number;
    offset: number;
  }
  /** `floor((source + before) / divisor)` */
  | { kind: "quotient"; source: Source; before: number; divisor: number };

/** Larger divisors than this are not tried. */
const MAX_DIVISOR = 64;

/** Whether a length is the same in all traces. */
export function isFixed(length: Length): boolean {
  return length.every((value) => value === length[0]);
}

/** The number that a list is everywhere, or null. */
export function constantOf(values: readonly number[]): number | null {
  return values.every((value) => Object.is(value, values[0])) ? values[0] : null;
}

/** Knows where lengths can be read, and finds formulas for others. */
export class LengthTable {
  readonly #sources = new Map<string, { length: Length; source: Source }>();

  /** Notes where a length can be read. The first place wins. */
  add(length: Length, source: Source): void {
    const key = length.join();
    if (!isFixed(length) && !this.#sources.has(key)) this.#sources.set(key, { length, source });
  }

  /** A formula that gives a length in each trace, or null. */
  find(length: Length): Formula | null {
    const exact = this.#sources.get(length.join());
    if (exact !== undefined) return product([exact.source]);
    const known = [...this.#sources.values()];
    for (const { length: own, source } of known) {
      const ratio = ratioOf(length, own);
      if (ratio !== null) return product([source], ratio);
      const offset = constantOf(length.map((value, k) => value - own[k]));
      if (offset !== null) return { ...product([source]), offset };
    }
    for (const [index, a] of known.entries()) {
      for (const b of known.slice(index)) {
        const ratio = ratioOf(length, own(a.length, b.length));
        if (ratio !== null) return product([a.source, b.source], ratio);
      }
    }
    // Three axes at most have to be multiplied by each other: batch, height and width.
    const first = known.slice(0, 12);
    for (const a of first) {
      for (const b of first) {
        for (const c of first) {
          const ratio = ratioOf(length, own(own(a.length, b.length), c.length));
          if (ratio !== null) return product([a.source, b.source, c.source], ratio);
        }
      }
    }
    for (const { length: from, source } of known) {
      for (let divisor = 2; divisor <= MAX_DIVISOR; divisor++) {
        for (const before of [0, divisor - 1]) {
          const fits = length.every((value, k) =>
            value === Math.floor((from[k] + before) / divisor)
          );
          if (fits) return { kind: "quotient", source, before, divisor };
        }
      }
    }
    return null;
  }

  /**
   * A formula for numbers that need not be whole: a length, or a product of two, times a number; or a
   * number divided by it.
   */
  findReal(values: readonly number[]): { of: Length; factor: number; isInverse: boolean } | null {
    const known = [...this.#sources.values()].map(({ length }) => length);
    const products = known.flatMap((a, index) => known.slice(index).map((b) => own(a, b)));
    for (const of of [...known, ...products]) {
      const factor = nearlyConstant(values.map((value, k) => value / of[k]));
      if (factor !== null) return { of, factor, isInverse: false };
      const inverse = nearlyConstant(values.map((value, k) => value * of[k]));
      if (inverse !== null) return { of, factor: inverse, isInverse: true };
    }
    return null;
  }
}

function own(a: Length, b: Length): number[] {
  return a.map((value, k) => value * b[k]);
}

function product(
  sources: Source[],
  { numerator, denominator } = { numerator: 1, denominator: 1 },
): Formula & { kind: "product" } {
  return { kind: "product", sources, numerator, denominator, offset: 0 };
}

/** `a / b` where that is the same fraction in every trace. */
function ratioOf(a: Length, b: Length): { numerator: number; denominator: number } | null {
  for (let denominator = 1; denominator <= MAX_DIVISOR; denominator++) {
    const numerator = a[0] * denominator / b[0];
    if (!Number.isInteger(numerator)) continue;
    const isSame = a.every((value, k) => value * denominator === numerator * b[k]);
    return isSame && numerator !== 0 ? { numerator, denominator } : null;
  }
  return null;
}

/** The number that all are but for float32's rounding, or null. */
function nearlyConstant(values: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const isNear = values.every((value) => Math.abs(value - mean) <= 3e-7 * Math.abs(mean));
  if (!isNear || mean === 0 || !Number.isFinite(mean)) return null;
  const whole = Math.round(mean);
  return Math.abs(whole - mean) <= 3e-7 * Math.abs(mean) ? whole : mean;
}
