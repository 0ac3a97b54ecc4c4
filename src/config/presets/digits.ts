/**
 * The default: 28 x 28 digits that the project draws itself, small enough to learn in about a minute
 * on two cores. The recipe is chosen for speed on a processor: dense layers, a relativistic pair loss
 * would not pay off in so few steps, and an average of the weights smooths the last samples.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };
const dense = (units: number): LayerSpec => ({ type: "dense", units });

/** Drawn digits by dense layers. */
export const digits: RunConfig = {
  ...BASE,
  preset: "digits",
  data: { source: "digits" },
  duration: { steps: 2000 },
  batchSize: 64,
  latent: { dimension: 64, distribution: "normal" },
  generator: {
    inputShape: [64],
    init: "he-normal",
    layers: [
      dense(256),
      { type: "batch-norm" },
      leakyRelu,
      dense(512),
      { type: "batch-norm" },
      leakyRelu,
      dense(784),
      { type: "activation", fn: "tanh" },
      { type: "reshape", shape: [28, 28, 1] },
    ],
  },
  discriminator: {
    inputShape: [28, 28, 1],
    init: "he-normal",
    layers: [
      { type: "flatten" },
      dense(512),
      leakyRelu,
      { type: "dropout", rate: 0.3 },
      dense(256),
      leakyRelu,
      { type: "dropout", rate: 0.3 },
      dense(1),
    ],
  },
  objective: { name: "non-saturating" },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  generatorOptimizer: { type: "adam", learningRate: 5e-4, beta1: 0.5 },
  discriminatorOptimizer: { type: "adam", learningRate: 5e-4, beta1: 0.5 },
  ema: { halfLifeImages: 5000, rampUp: 0.1 },
  snapshots: { rows: 8, columns: 8, everySteps: 200 },
};
