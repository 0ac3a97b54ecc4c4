/**
 * DCGAN (Radford et al. 2016): transposed convolutions against strided ones, batch norm in both, weights
 * from N(0, 0.02), Adam 2e-4 with beta1 0.5, batch 128. Kernels are 4 x 4, as in most programs since;
 * the paper's are 5 x 5.
 */
import type { RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  batchNorm,
  bothOptimizers,
  dense,
  flatten,
  leakyRelu,
  MANY_SAMPLES,
  project,
  relu,
  strided,
  tanh,
  UPDATE,
} from "./builders.ts";
import { growthOf, imageFolder, type ImageShape } from "./image_shape.ts";

/** No layer has more channels than this many times the width. */
const MAX_FACTOR = 8;

/**
 * The preset for a shape: 64 x 64 is the paper's.
 * @param width channels beside the image; they double with each halving, up to eight times
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function dcgan(shape: ImageShape, width = 64): RunConfig {
  const { base, doublings } = growthOf(shape, "dcgan", { minDoublings: 2 });
  /** Channels after this many halvings of the image, from 1. */
  const channelsAt = (level: number): number => width * Math.min(MAX_FACTOR, 2 ** (level - 1));
  const levels = Array.from({ length: doublings - 1 }, (_, i) => doublings - 1 - i); // down to 1
  return {
    ...BASE,
    preset: "dcgan",
    data: imageFolder(shape),
    duration: { epochs: 25 },
    batchSize: 128,
    latent: { dimension: 100, distribution: "normal" },
    generator: {
      inputShape: [100],
      init: { normal: 0.02 },
      layers: [
        ...project([...base, channelsAt(doublings)], { bias: false }),
        batchNorm,
        relu,
        ...levels.flatMap((level) => [
          strided("conv-transpose", channelsAt(level), false),
          batchNorm,
          relu,
        ]),
        strided("conv-transpose", shape.channels, true),
        tanh,
      ],
    },
    discriminator: {
      inputShape: [shape.height, shape.width, shape.channels],
      init: { normal: 0.02 },
      layers: [
        strided("conv", channelsAt(1), true),
        leakyRelu(),
        ...levels.toReversed().flatMap((level) => [
          strided("conv", channelsAt(level + 1), false),
          batchNorm,
          leakyRelu(),
        ]),
        flatten,
        dense(1),
      ],
    },
    objective: { name: "non-saturating" },
    update: { ...UPDATE, latents: "shared" },
    ...bothOptimizers(adam(2e-4, { beta1: 0.5 })),
    snapshots: { ...BASE.snapshots, ...MANY_SAMPLES },
  };
}
