/**
 * The toy densities: mixtures of isotropic Gaussians in one or two dimensions, with their exact
 * density, their modes and a seeded sampler. What a generator learned can be measured against them.
 *
 * The 2-D ring and grid are those of the mode-collapse tables: Srivastava et al., "VEEGAN", 2017,
 * and Lin et al., "PacGAN", 2018, section 4.1.
 */
import type { MixtureComponent } from "../config/data.ts";
import { fillNormal, fillUniform, STREAMS } from "../random/counter_random.ts";

/** One Gaussian, N(mean, sigma^2 I). */
export interface Mode {
  /** Its share of the mass; the shares of a density sum to 1. */
  readonly weight: number;
  /** `[dimension]` */
  readonly mean: readonly number[];
  /** Standard deviation along each axis. */
  readonly sigma: number;
}

/** A density that is known exactly. */
export interface Density {
  /** The name of the data source that draws from it. */
  readonly name: string;
  /** How many values a point has. */
  readonly dimension: number;
  /** The Gaussians that it is a mixture of. */
  readonly modes: readonly Mode[];
  /** For each dimension the interval that holds all but a negligible mass: 5 sigma around the modes. */
  readonly bounds: readonly (readonly [number, number])[];
  /** p(x). @param x `[dimension]` */
  density(x: ArrayLike<number>): number;
  /** ln p(x), finite where p(x) itself is too small for a number. @param x `[dimension]` */
  logDensity(x: ArrayLike<number>): number;
  /** Draws samples. @returns `[count, dimension]` flat */
  sample(count: number, options: { seed: number }): Float32Array;
}

/** A mixture of isotropic Gaussians: p(x) = sum_k w_k N(x; mean_k, sigma_k^2 I). */
function gaussianMixture(name: string, components: readonly Mode[]): Density {
  const total = components.reduce((sum, { weight }) => sum + weight, 0);
  const modes = components.map((mode) => ({ ...mode, weight: mode.weight / total }));
  const dimension = modes[0].mean.length;
  const bounds = modes[0].mean.map((_, axis) =>
    [
      Math.min(...modes.map(({ mean, sigma }) => mean[axis] - 5 * sigma)),
      Math.max(...modes.map(({ mean, sigma }) => mean[axis] + 5 * sigma)),
    ] as const
  );
  // ln w_k - d/2 ln(2 pi sigma_k^2)
  const logPeaks = modes.map(({ weight, sigma }) =>
    Math.log(weight) - dimension * (Math.log(sigma) + 0.5 * Math.log(2 * Math.PI))
  );

  function logDensity(x: ArrayLike<number>): number {
    const terms = modes.map(({ mean, sigma }, k) => {
      let squared = 0;
      for (let axis = 0; axis < dimension; axis++) squared += (x[axis] - mean[axis]) ** 2;
      return logPeaks[k] - squared / (2 * sigma * sigma);
    });
    const largest = Math.max(...terms);
    return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
  }

  function sample(count: number, { seed }: { seed: number }): Float32Array {
    const choices = fillUniform(new Float32Array(count), { seed, stream: STREAMS.data, step: 0 });
    const samples = new Float32Array(count * dimension);
    fillNormal(samples, { seed, stream: STREAMS.data, step: 1 });
    for (let i = 0; i < count; i++) {
      const { mean, sigma } = modes[chooseMode(modes, choices[i])];
      for (let axis = 0; axis < dimension; axis++) {
        const at = i * dimension + axis;
        samples[at] = mean[axis] + sigma * samples[at];
      }
    }
    return samples;
  }

  const density = (x: ArrayLike<number>) => Math.exp(logDensity(x));
  return { name, dimension, modes, bounds, density, logDensity, sample };
}

/** The mode whose share of [0, 1) holds `u`. */
function chooseMode(modes: readonly Mode[], u: number): number {
  let sum = 0;
  for (let k = 0; k < modes.length - 1; k++) {
    sum += modes[k].weight;
    if (u < sum) return k;
  }
  return modes.length - 1;
}

/** A 1-D mixture of Gaussians. */
export function mixture1dDensity(components: readonly MixtureComponent[]): Density {
  const modes = components.map(({ weight, mean, sigma }) => ({ weight, mean: [mean], sigma }));
  return gaussianMixture("mixture-1d", modes);
}

/** N(0, 1). */
export function normal1dDensity(): Density {
  return gaussianMixture("normal-1d", [{ weight: 1, mean: [0], sigma: 1 }]);
}

/** Eight modes, an eighth of a turn apart, on the unit circle, sigma 0.01. */
export function ring2dDensity(): Density {
  const r = Math.SQRT1_2;
  const directions = [[1, 0], [r, r], [0, 1], [-r, r], [-1, 0], [-r, -r], [0, -1], [r, -r]];
  return gaussianMixture(
    "ring-2d",
    directions.map((mean) => ({ weight: 1, mean, sigma: 0.01 })),
  );
}

/** Twenty-five modes at {-4, -2, 0, 2, 4}^2, sigma 0.05. */
export function grid2dDensity(): Density {
  const ticks = [-4, -2, 0, 2, 4];
  const modes = ticks.flatMap((x) => ticks.map((y) => ({ weight: 1, mean: [x, y], sigma: 0.05 })));
  return gaussianMixture("grid-2d", modes);
}
