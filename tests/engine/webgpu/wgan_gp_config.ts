/** A small convolutional WGAN-GP: second-order gradients, several critic updates a step, an EMA. */
import type { LayerSpec } from "../../../src/config/network.ts";
import { presetConfig } from "../../../src/config/presets/mod.ts";
import type { RunConfig } from "../../../src/config/run_config.ts";

const conv = (filters: number, stride = 1): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride,
  padding: 1,
});
const leaky: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

/** 8x8 pixels, 3 images, 2 critic updates a step. */
export const WGAN_GP: RunConfig = {
  ...presetConfig("cifar-dcgan"),
  batchSize: 3,
  latent: { dimension: 6, distribution: "normal" },
  generator: {
    inputShape: [6],
    init: "torch",
    layers: [
      { type: "dense", units: 4 * 4 * 8 },
      { type: "reshape", shape: [4, 4, 8] },
      { type: "upsample", factor: 2, mode: "nearest" },
      conv(8),
      { type: "activation", fn: "relu" },
      conv(3),
      { type: "activation", fn: "tanh" },
    ],
  },
  discriminator: {
    inputShape: [8, 8, 3],
    init: "torch",
    layers: [
      conv(8, 2),
      leaky,
      conv(12, 2),
      leaky,
      { type: "flatten" },
      { type: "dense", units: 1 },
    ],
  },
  objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 2,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  ema: { halfLifeImages: 100 },
  generatorOptimizer: { type: "adam", learningRate: 1e-3, beta1: 0.5, beta2: 0.9 },
  discriminatorOptimizer: { type: "rmsprop", learningRate: 1e-3 },
};
