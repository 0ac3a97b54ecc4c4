/**
 * For 100 to 3,000 images, on a CPU as well: DCGAN's networks with fewer channels where images are large, and
 * what keeps a discriminator from learning few images by heart. D has no norm and a lazy R1 penalty
 * (Mescheder et al. 2018; Karras et al. 2020, StyleGAN2, appendix B), losses are of relativistic pairs
 * (Jolicoeur-Martineau 2019, as in R3GAN), augmentation adapts to how sure D is (Karras et al. 2020, ADA), and
 * samples come from an EMA of the generator.
 *
 * Small batches and high rates, since an update of small networks costs little. What it reaches was not measured:
 * `deno task reproduce images` does.
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

/** Channels beside the image times its longer side. */
const CHANNEL_PIXELS = 1024;
const MIN_CHANNELS = 8;
const MAX_CHANNELS = 128;
const LATENT = 100;

/** Channels beside an image: fewer where there are many pixels, in multiples of 8. */
function channelsBeside({ height, width }: ImageShape): number {
  return Math.max(MIN_CHANNELS, 8 * Math.round(CHANNEL_PIXELS / Math.max(height, width) / 8));
}

/**
 * The preset for a shape.
 * @param width channels beside the image; they double with each halving, up to 128
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function fewImages(shape: ImageShape, width = channelsBeside(shape)): RunConfig {
  const { base, doublings } = growthOf(shape, "few-images", { minDoublings: 2 });
  /** Channels after this many halvings of the image, from 1. */
  const channelsAt = (level: number): number => Math.min(MAX_CHANNELS, width * 2 ** (level - 1));
  const levels = Array.from({ length: doublings - 1 }, (_, i) => doublings - 1 - i); // down to 1
  return {
    ...BASE,
    preset: "few-images",
    data: imageFolder(shape),
    duration: { steps: 20_000 },
    batchSize: 32,
    latent: { dimension: LATENT, distribution: "normal" },
    generator: {
      inputShape: [LATENT],
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
      init: "he-normal",
      layers: [
        ...Array.from({ length: doublings }, (_, i) => i + 1).flatMap((level) => [
          strided("conv", channelsAt(level), true),
          leakyRelu(),
        ]),
        flatten,
        dense(1),
      ],
    },
    objective: { name: "relativistic", r1: { gamma: 1 }, penaltyEvery: 8 },
    update: UPDATE,
    ...bothOptimizers(adam(5e-4, { beta1: 0.5, beta2: 0.99 })),
    learningRateSchedule: { shape: "cosine", finalScale: 0.1 },
    augment: {
      policies: ["flip", "translation", "color"],
      adaptive: { speedImages: 100_000 },
    },
    ema: { halfLifeImages: 10_000, rampUp: 0.05 },
    snapshots: { ...MANY_SAMPLES, everySteps: 500 },
  };
}
