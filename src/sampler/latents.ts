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

/** How {@linkcode interpolateLatents} goes from one latent to another. */
export interface InterpolateOptions {
  /** How many latents to make, at least 1; 2 or more reach the second end. */
  frames: number;
  /**
   * `"linear"`: along the straight line; `"spherical"`: along the arc (Shoemake, "Animating Rotation
   * with Quaternion Curves", 1985), while the length goes linearly, which keeps normal latents at
   * their usual distance from the center. Default: spherical, but linear for uniform latents.
   */
  mode?: "linear" | "spherical";
  /** Go there and back again, so that the last frame leads to the first. Default false. */
  loop?: boolean;
}

/**
 * Latents on the way from `a` to `b`, the ends included.
 *
 * With `loop`, frame `k` of `n` is at `1 - |1 - 2 k / n|` of the way: from `a` to `b` and back, with
 * `a` once. The sines are the platform's, so the last bit of a spherical frame can differ between them.
 * @param a `[dimension]`
 * @param b `[dimension]`
 * @returns `frames` latents of `[dimension]`
 * @throws {UserError} if the lengths differ or `frames` is not a positive integer
 */
export function interpolateLatents(
  a: Float32Array,
  b: Float32Array,
  options: InterpolateOptions,
): Float32Array<ArrayBuffer>[] {
  const { frames, mode = "spherical", loop = false } = options;
  if (a.length !== b.length) {
    throw new UserError(
      `Cannot interpolate between latents of ${a.length} and ${b.length} values: they must be alike`,
    );
  }
  if (!Number.isInteger(frames) || frames < 1) {
    throw new UserError(`Cannot interpolate in ${frames} frames: it takes a positive integer`);
  }
  if (mode !== "linear" && mode !== "spherical") {
    throw new UserError(`Cannot interpolate by ${mode}: the modes are linear and spherical`);
  }
  const path = mode === "linear" ? null : arc(a, b);
  return Array.from({ length: frames }, (_, k) => {
    const t = loop ? 1 - Math.abs(1 - 2 * k / frames) : frames === 1 ? 0 : k / (frames - 1);
    if (t === 0) return Float32Array.from(a);
    if (t === 1) return Float32Array.from(b);
    const [ofA, ofB] = path === null ? [1 - t, t] : path(t);
    return Float32Array.from(a, (value, i) => ofA * value + ofB * b[i]);
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
