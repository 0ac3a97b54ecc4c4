/**
 * DCGAN (Radford et al. 2016): transposed convolutions against strided ones, batch norm in both, weights
 * from N(0, 0.02), Adam 2e-4 with beta1 0.5, batch 128. Kernels are 4 x 4, as in most programs since;
 * the paper's are 5 x 5.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";
import { growthOf, imageFolder, type ImageShape } from "./image_shape.ts";

/** No layer has more channels than this many times the width. */
const MOST = 8;

/**
 * The preset for a shape: 64 x 64 is the paper's.
 * @param width channels beside the picture; they double with each halving, up to eight times
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function dcgan(shape: ImageShape, width = 64): RunConfig {
  const { base, doublings } = growthOf(shape, "dcgan", 2);
  /** Channels at so many halvings of the picture, from 1. */
  const channelsAt = (level: number): number => width * Math.min(MOST, 2 ** (level - 1));
  const levels = Array.from({ length: doublings - 1 }, (_, i) => doublings - 1 - i); // down to 1
  const top = channelsAt(doublings);
  const up = (filters: number, bias: boolean): LayerSpec => ({
    type: "conv-transpose",
    filters,
    kernel: 4,
    stride: 2,
    padding: 1,
    bias,
  });
  const down = (filters: number, bias: boolean): LayerSpec => ({
    type: "conv",
    filters,
    kernel: 4,
    stride: 2,
    padding: 1,
    bias,
  });
  const relu: LayerSpec = { type: "activation", fn: "relu" };
  const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };
  const batchNorm: LayerSpec = { type: "batch-norm" };
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
        { type: "dense", units: base[0] * base[1] * top, bias: false },
        { type: "reshape", shape: [...base, top] },
        batchNorm,
        relu,
        ...levels.flatMap((level) => [up(channelsAt(level), false), batchNorm, relu]),
        up(shape.channels, true),
        { type: "activation", fn: "tanh" },
      ],
    },
    discriminator: {
      inputShape: [shape.height, shape.width, shape.channels],
      init: { normal: 0.02 },
      layers: [
        down(channelsAt(1), true),
        leakyRelu,
        ...levels.toReversed().flatMap((level) => [
          down(channelsAt(level + 1), false),
          batchNorm,
          leakyRelu,
        ]),
        { type: "flatten" },
        { type: "dense", units: 1 },
      ],
    },
    objective: { name: "non-saturating" },
    update: {
      order: "discriminator-first",
      discriminatorSteps: 1,
      latents: "shared",
      discriminatorBatch: "separate",
      discriminatorLossScale: 1,
    },
    generatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
    discriminatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
    snapshots: { ...BASE.snapshots, rows: 8, columns: 8 },
  };
}
