/**
 * The default: 28 x 28 digits that the project draws itself, small enough to learn in about a minute
 * on two cores. Chosen for what a processor does well: dense layers, with two thin convolutions at the
 * end that make strokes of pixels; the relativistic loss with R1 (Huang et al. 2024, "The GAN is dead")
 * keeps all digits in play from the first steps; an average of the weights makes the samples calm.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };
const dense = (units: number): LayerSpec => ({ type: "dense", units });
const beforeNorm = (units: number): LayerSpec => ({ type: "dense", units, bias: false });
const conv = (filters: number): LayerSpec => ({ type: "conv", filters, kernel: 3, padding: 1 });

/** Drawn digits. */
export const digits: RunConfig = {
  ...BASE,
  preset: "digits",
  data: { source: "digits" },
  duration: { steps: 3000 },
  batchSize: 32,
  latent: { dimension: 64, distribution: "normal" },
  generator: {
    inputShape: [64],
    init: "he-normal",
    layers: [
      beforeNorm(256),
      { type: "batch-norm" },
      leakyRelu,
      beforeNorm(14 * 14 * 8),
      { type: "batch-norm" },
      leakyRelu,
      { type: "reshape", shape: [14, 14, 8] },
      { type: "upsample", factor: 2, mode: "nearest" },
      conv(8),
      leakyRelu,
      conv(1),
      { type: "activation", fn: "tanh" },
    ],
  },
  discriminator: {
    inputShape: [28, 28, 1],
    init: "he-normal",
    layers: [{ type: "flatten" }, dense(256), leakyRelu, dense(128), leakyRelu, dense(1)],
  },
  objective: { name: "relativistic", r1: { gamma: 0.5 } },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  generatorOptimizer: { type: "adam", learningRate: 1e-3, beta1: 0, beta2: 0.99 },
  discriminatorOptimizer: { type: "adam", learningRate: 1e-3, beta1: 0, beta2: 0.99 },
  learningRateSchedule: { shape: "cosine", finalScale: 0.05 },
  ema: { halfLifeImages: 5000, rampUp: 0.1 },
  snapshots: { rows: 8, columns: 8, everySteps: 250 },
};
