/**
 * R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN! A modern GAN baseline"): relativistic
 * pairs with R1 and R2, and networks without any normalization, of residual blocks 1x1, grouped 3x3,
 * 1x1, the last convolution of each starting at zero. Adam without momentum, an EMA of the weights.
 *
 * The sizes are our own, small enough for one GPU of a laptop; the paper's networks have 768 channels.
 */
import type { LayerSpec, RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  bothOptimizers,
  conv1,
  conv3,
  dense,
  flatten,
  halve,
  leakyRelu,
  MANY_SAMPLES,
  project,
  repeat,
  residual,
  UPDATE,
} from "./builders.ts";
import { cifarOrFolder, growthOf, type ImageShape } from "./image_shape.ts";

/** A block has this many times its channels inside. */
const EXPANSION = 2;
/** Channels that a grouped convolution mixes. */
const GROUP_CHANNELS = 16;
const BLOCKS_PER_SIZE = 2;

function block(channels: number): LayerSpec {
  const expanded = EXPANSION * channels;
  const groups = Math.max(1, Math.floor(expanded / GROUP_CHANNELS));
  return residual([
    conv1(expanded),
    leakyRelu(),
    conv3(expanded, { groups }),
    leakyRelu(),
    conv1(channels, { bias: false, init: "zeros" }),
  ]);
}

/**
 * The preset for a shape.
 * @param channels of every residual block
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function r3gan(shape: ImageShape, channels = 96): RunConfig {
  const { base, doublings } = growthOf(shape, "r3gan", { minDoublings: 1 });
  const blocks = repeat(BLOCKS_PER_SIZE, () => [block(channels)]);
  const double: LayerSpec = { type: "upsample", factor: 2, mode: "bilinear" };
  return {
    ...BASE,
    preset: "r3gan",
    data: cifarOrFolder(shape),
    duration: { steps: 100_000 },
    batchSize: 64,
    latent: { dimension: 64, distribution: "normal" },
    generator: {
      inputShape: [64],
      init: "he-normal",
      layers: [
        ...project([...base, channels]),
        ...blocks,
        ...repeat(doublings, () => [double, ...blocks]),
        conv1(shape.channels),
      ],
    },
    discriminator: {
      inputShape: [shape.height, shape.width, shape.channels],
      init: "he-normal",
      layers: [
        conv1(channels),
        ...blocks,
        ...repeat(doublings, () => [halve, ...blocks]),
        { type: "depthwise-conv", kernel: base, bias: false },
        flatten,
        dense(1),
      ],
    },
    objective: { name: "relativistic", r1: { gamma: 0.5 }, r2: { gamma: 0.5 } },
    update: UPDATE,
    ...bothOptimizers(adam(2e-4, { beta1: 0, beta2: 0.99 })),
    ema: { halfLifeImages: 500_000, rampUp: 0.05 },
    snapshots: { ...MANY_SAMPLES, everySteps: 1000 },
  };
}
