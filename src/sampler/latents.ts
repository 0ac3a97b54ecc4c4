/** Latents: truncated, and on the way from one to another. From a seed: src/random/latents.ts. */
import { UserError } from "../errors.ts";
import type { LatentDistribution } from "../manifest.ts";

/** Where a generator's latents come from. */
export interface LatentInfo {
  /** Values in a latent. */
  dimension: number;
  /** See {@linkcode LatentDistribution}. */
  distribution: LatentDistribution;
}

/** The largest seed: seeds are unsigned 32-bit integers. */
export const MAX_SEED = 0xffff_ffff;

/**
 * Pulls a latent toward the mean, in place: `z' = mean + t (z - mean)`. Below 1, samples are more
 * typical and less varied (Brock et al., "Large Scale GAN Training", 2019, and Karras et al., "A
 * Style-Based Generator Architecture", 2019).
 */
export function truncate(z: Float32Array, truncation: number, mean: ArrayLike<number>): void {
  for (let i = 0; i < z.length; i++) z[i] = mean[i] + truncation * (z[i] - mean[i]);
}

/** How {@linkcode interpolateLatents} goes from one latent to the next. */
export interface InterpolateOptions {
  /** How many latents to make, at least 1; 2 or more reach the last one. */
  frames: number;
  /**
   * `"linear"`: along the straight line; `"spherical"`: along the arc (Shoemake, "Animating Rotation
   * with Quaternion Curves", 1985), while the length goes linearly, which keeps normal latents at
   * their usual distance from the center. Default: spherical, but linear for uniform latents.
   */
  mode?: "linear" | "spherical";
  /** Go on from the last one to the first, so that the last frame leads to the first. Default false. */
  loop?: boolean;
}

/**
 * Latents on the way through `stops`, at equal steps.
 *
 * Frame `k` of `n` is at `k (m - 1) / (n - 1)` of `m` stops, with `loop` at `k m / n`, where the stop after
 * the last is the first. A frame that falls on a stop has its bits. The sines are the platform's, so the
 * last bit of another spherical frame can differ between them.
 * @param stops at least two, each `[dimension]`
 * @returns `frames` latents of `[dimension]`
 * @throws {UserError} if there are fewer than two, the lengths differ or `frames` is not a positive integer
 */
export function interpolateLatents(
  stops: readonly Float32Array[],
  options: InterpolateOptions,
): Float32Array<ArrayBuffer>[] {
  const { frames, mode = "spherical", loop = false } = options;
  if (stops.length < 2) {
    throw new UserError(`Cannot interpolate through ${stops.length} latents: it takes two or more`);
  }
  const other = stops.find(({ length }) => length !== stops[0].length);
  if (other) {
    throw new UserError(
      `Cannot interpolate between latents of ${
        stops[0].length
      } and ${other.length} values: they must be alike`,
    );
  }
  if (!Number.isInteger(frames) || frames < 1) {
    throw new UserError(`Cannot interpolate in ${frames} frames: it takes a positive integer`);
  }
  if (mode !== "linear" && mode !== "spherical") {
    throw new UserError(`Cannot interpolate by ${mode}: the modes are linear and spherical`);
  }
  const next = (stop: number) => stops[(stop + 1) % stops.length];
  const paths = stops.map((stop, i) => mode === "linear" ? null : arc(stop, next(i)));
  const [length, parts] = loop ? [stops.length, frames] : [stops.length - 1, frames - 1];
  return Array.from({ length: frames }, (_, k) => {
    const at = parts === 0 ? 0 : k * length / parts;
    const stop = Math.floor(at);
    const t = at - stop;
    if (t === 0) return Float32Array.from(stops[stop]);
    const [ofA, ofB] = paths[stop]?.(t) ?? [1 - t, t];
    const to = next(stop);
    return Float32Array.from(stops[stop], (value, i) => ofA * value + ofB * to[i]);
  });
}

/** The weights of `a` and `b` at each point of the arc; of the line where the arc is not defined. */
function arc(a: Float32Array, b: Float32Array): (t: number) => [number, number] {
  let dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  const lengthA = Math.sqrt(aa), lengthB = Math.sqrt(bb);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / (lengthA * lengthB))));
  const sine = Math.sin(angle);
  if (!(sine > 1e-6)) return (t) => [1 - t, t]; // parallel, opposite, or a zero latent
  return (t) => {
    const length = (1 - t) * lengthA + t * lengthB;
    return [
      Math.sin((1 - t) * angle) / sine * length / lengthA,
      Math.sin(t * angle) / sine * length / lengthB,
    ];
  };
}
