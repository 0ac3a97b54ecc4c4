/**
 * Latents by seed, and what else a sample draws: one function for the trainer, the exporter's self-test
 * and the sampler, so that a seed means the same latent everywhere. The definition stands beside
 * `LatentDistribution` in src/manifest.ts.
 */
import type { LatentDistribution } from "../manifest.ts";
import { fillNormal, fillUniform, STREAMS } from "./counter_random.ts";

/**
 * Fills `out` with the latent of a seed.
 * @param out `[latentDimension]`
 */
export function fillLatent(
  out: Float32Array,
  options: { seed: number; distribution: LatentDistribution },
): Float32Array {
  const address = { seed: options.seed, stream: STREAMS.latent, step: 0 };
  if (options.distribution === "uniform") return fillUniform(out, address);
  fillNormal(out, address);
  if (options.distribution === "unit") {
    let squares = 0;
    for (const value of out) squares += value * value;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < out.length; i++) out[i] *= scale;
  }
  return out;
}

/** Noise comes in multiples of 1 / this, which every precision of a file holds exactly. */
export const NOISE_LEVELS = 2048;

/**
 * Fills `out` with the noise of a seed: uniform numbers 0, 1/2048, ... 2047/2048, for layers that stay
 * random when a generator is used.
 * @param out `[noiseSize]`
 */
export function fillNoise(out: Float32Array, seed: number): Float32Array {
  fillUniform(out, { seed, stream: STREAMS.noise, step: 0 });
  for (let i = 0; i < out.length; i++) out[i] = Math.floor(out[i] * NOISE_LEVELS) / NOISE_LEVELS;
  return out;
}

/**
 * Fills `out` with the image of a seed that self-tests of files from images to images take: uniform values of
 * the range.
 * @param out `[channels, height, width]`
 */
export function fillSelfTestImage(
  out: Float32Array,
  { seed, range: [low, high] }: { seed: number; range: readonly [number, number] },
): Float32Array {
  fillUniform(out, { seed, stream: STREAMS.latent, step: 0 });
  for (let i = 0; i < out.length; i++) out[i] = low + out[i] * (high - low);
  return out;
}
