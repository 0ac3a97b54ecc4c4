/**
 * Equal bins over an interval, and what lies outside it: how many samples fall into each, and how much
 * mass of a density. The divergences are taken between two such lists.
 */

/** A density over the line: `x -> p(x) >= 0`, integrating to 1. */
export type DensityFunction = (x: number) => number;

/** Equal bins over an interval. */
export interface Binning {
  /** The interval `[low, high]`. */
  range: [number, number];
  /** Number of bins, at least 1. */
  bins: number;
}

function checkBinning({ range: [low, high], bins }: Binning): void {
  if (!(low < high) || !Number.isFinite(high - low)) {
    throw new RangeError(`Cannot bin over [${low}, ${high}]: the interval needs two finite ends`);
  }
  if (!Number.isInteger(bins) || bins < 1) {
    throw new RangeError(`Cannot bin into ${bins} bins: it takes a positive integer`);
  }
}

/**
 * Counts samples.
 * @returns `[bins + 1]` counts; the last holds the samples outside the interval, NaN among them. A bin
 * owns its lower edge, the last bin its upper edge too.
 * @throws {RangeError} if the interval or the number of bins makes no sense
 */
export function countSamples(samples: ArrayLike<number>, binning: Binning): Float64Array {
  checkBinning(binning);
  const { range: [low, high], bins } = binning;
  const counts = new Float64Array(bins + 1);
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i];
    if (x >= low && x <= high) {
      counts[Math.min(bins - 1, Math.floor((x - low) / (high - low) * bins))]++;
    } else {
      counts[bins]++;
    }
  }
  return counts;
}

/** Nodes and weights of 5-point Gauss-Legendre quadrature on [-1, 1] (Abramowitz and Stegun 25.4). */
const GAUSS = [
  [0, 0.5688888888888889],
  [0.5384693101056831, 0.47862867049936647],
  [-0.5384693101056831, 0.47862867049936647],
  [0.906179845938664, 0.23692688505618908],
  [-0.906179845938664, 0.23692688505618908],
] as const;

/** Integral of a function over an interval that is cut into `pieces`, 5 nodes each. */
export function integrate(
  f: (x: number) => number,
  { range: [low, high], pieces }: { range: [number, number]; pieces: number },
): number {
  const half = (high - low) / pieces / 2;
  let sum = 0;
  for (let p = 0; p < pieces; p++) {
    const middle = low + (2 * p + 1) * half;
    for (const [node, weight] of GAUSS) sum += weight * f(middle + node * half);
  }
  return sum * half;
}

/**
 * The mass of a density in each bin, by Gauss-Legendre quadrature with 4 pieces of 5 nodes a bin.
 * @returns `[bins + 1]` masses; the last is what is left to 1, the mass outside the interval
 * @throws {RangeError} if the interval makes no sense, or if the density has a negative value or holds
 * more than 1.001 in the interval, and so is no density or is narrower than the bins can see
 */
export function densityMasses(density: DensityFunction, binning: Binning): Float64Array {
  checkBinning(binning);
  const { range: [low, high], bins } = binning;
  const masses = new Float64Array(bins + 1);
  let inside = 0;
  for (let i = 0; i < bins; i++) {
    const left = low + (high - low) * i / bins;
    const right = low + (high - low) * (i + 1) / bins;
    masses[i] = integrate(density, { range: [left, right], pieces: 4 });
    inside += masses[i];
    if (!(masses[i] >= 0)) {
      throw new RangeError(`The density has the mass ${masses[i]} in [${left}, ${right}]`);
    }
  }
  if (inside > 1.001) {
    throw new RangeError(
      `The density has the mass ${
        inside.toPrecision(6)
      } in [${low}, ${high}], more than 1: it is ` +
        `not normalized, or its peaks are narrower than ${(high - low) / bins / 20}`,
    );
  }
  masses[bins] = Math.max(0, 1 - inside);
  return masses;
}
