/**
 * Packing (Lin et al. 2018, "PacGAN: The power of two samples in generative adversarial networks"): the
 * discriminator sees several samples of one kind at once, so a lack of variety gives fakes away.
 */
import { tf } from "../tensor/tf.ts";

/**
 * Joins samples along their channels: pack `i` holds samples `i`, `i + n`, `i + 2 n`, ...
 * @param samples `[n * size, ..., c]` @returns `[n, ..., c * size]`
 * @throws {RangeError} where `size` does not divide the batch
 */
export function packSamples(samples: tf.Tensor, size: number): tf.Tensor {
  if (samples.shape[0] % size !== 0) {
    throw new RangeError(
      `Cannot pack ${samples.shape[0]} samples by ${size}: some would be left over`,
    );
  }
  return size === 1 ? samples : tf.concat(tf.split(samples, size, 0), samples.rank - 1);
}

/** A packed discriminator's view of one sample's shape: `size` times the channels. */
export function packedShape(shape: readonly number[], size: number): number[] {
  return [...shape.slice(0, -1), shape[shape.length - 1] * size];
}
