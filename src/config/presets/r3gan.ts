/**
 * R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN! A modern GAN baseline"): relativistic
 * pairs with R1 and R2, and networks without any normalisation, of residual blocks 1x1, grouped 3x3,
 * 1x1, the last convolution of each starting at zero. Adam without momentum, an average of the weights.
 *
 * The sizes are our own, small enough for one GPU of a laptop; the paper's networks have 768 channels.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";
import { cifarOrFolder, growthOf, type ImageShape } from "./image_shape.ts";

/** A block works on so many times its channels. */
const EXPANSION = 2;
/** Channels that a grouped convolution mixes. */
const GROUP_CHANNELS = 16;
const BLOCKS_PER_SIZE = 2;

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

function block(channels: number): LayerSpec {
  const expanded = EXPANSION * channels;
  return {
    type: "residual",
    body: [
      { type: "conv", filters: expanded, kernel: 1 },
      leakyRelu,
      {
        type: "conv",
        filters: expanded,
        kernel: 3,
        padding: 1,
        groups: Math.max(1, Math.floor(expanded / GROUP_CHANNELS)),
      },
      leakyRelu,
      { type: "conv", filters: channels, kernel: 1, bias: false, init: "zeros" },
    ],
  };
}

/**
 * The preset for a shape.
 * @param channels of every residual block
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function r3gan(shape: ImageShape, channels = 96): RunConfig {
  const { base, doublings } = growthOf(shape, "r3gan", 1);
  const blocks = Array.from({ length: BLOCKS_PER_SIZE }, () => block(channels));
  const doubled: LayerSpec[] = [{ type: "upsample", factor: 2, mode: "bilinear" }, ...blocks];
  const halved: LayerSpec[] = [{ type: "avg-pool", size: 2 }, ...blocks];
  const sizes = Array.from({ length: doublings });
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
        { type: "dense", units: base[0] * base[1] * channels },
        { type: "reshape", shape: [...base, channels] },
        ...blocks,
        ...sizes.flatMap(() => doubled),
        { type: "conv", filters: shape.channels, kernel: 1 },
      ],
    },
    discriminator: {
      inputShape: [shape.height, shape.width, shape.channels],
      init: "he-normal",
      layers: [
        { type: "conv", filters: channels, kernel: 1 },
        ...blocks,
        ...sizes.flatMap(() => halved),
        { type: "depthwise-conv", kernel: base, bias: false },
        { type: "flatten" },
        { type: "dense", units: 1 },
      ],
    },
    objective: { name: "relativistic", r1: { gamma: 0.5 }, r2: { gamma: 0.5 } },
    update: {
      order: "discriminator-first",
      discriminatorSteps: 1,
      latents: "fresh",
      discriminatorBatch: "separate",
      discriminatorLossScale: 1,
    },
    generatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0, beta2: 0.99 },
    discriminatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0, beta2: 0.99 },
    ema: { halfLifeImages: 500_000, rampUp: 0.05 },
    snapshots: { rows: 8, columns: 8, everySteps: 1000 },
  };
}
