/**
 * The default: 28 x 28 synthetic digits, small enough to learn in about a minute on two cores. Chosen for
 * what a CPU does well: dense layers, with two thin convolutions at the end that make strokes of pixels;
 * the relativistic loss with R1 (Huang et al. 2024, "The GAN is dead") keeps all digits from the first
 * steps on; an EMA of the weights steadies the samples.
 */
import type { RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  batchNorm,
  bothOptimizers,
  conv3,
  dense,
  flatten,
  leakyRelu,
  MANY_SAMPLES,
  tanh,
  UPDATE,
} from "./builders.ts";

/** Synthetic digits. */
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
      ...[256, 14 * 14 * 8].flatMap((units) => [
        dense(units, { bias: false }),
        batchNorm,
        leakyRelu(),
      ]),
      { type: "reshape", shape: [14, 14, 8] },
      { type: "upsample", factor: 2, mode: "nearest" },
      conv3(8),
      leakyRelu(),
      conv3(1),
      tanh,
    ],
  },
  discriminator: {
    inputShape: [28, 28, 1],
    init: "he-normal",
    layers: [flatten, dense(256), leakyRelu(), dense(128), leakyRelu(), dense(1)],
  },
  objective: { name: "relativistic", r1: { gamma: 0.5 } },
  update: UPDATE,
  ...bothOptimizers(adam(1e-3, { beta1: 0, beta2: 0.99 })),
  learningRateSchedule: { shape: "cosine", finalScale: 0.05 },
  ema: { halfLifeImages: 5000, rampUp: 0.1 },
  snapshots: { ...MANY_SAMPLES, everySteps: 250 },
};
