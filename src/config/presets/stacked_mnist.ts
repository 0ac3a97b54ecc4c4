/**
 * Stacked MNIST, the test for lost modes with 1000 of them: three random digits as the channels of one
 * picture. The tiny networks of Metz et al. 2017 (unrolled GANs, appendix) and Lin et al. 2018 (PacGAN,
 * section 4.2): a generator of 64, 32, 16, 8 and 3 channels, and a discriminator with a quarter of a
 * usual one's 16, 32 and 64.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";

const relu: LayerSpec = { type: "activation", fn: "relu" };
const batchNorm: LayerSpec = { type: "batch-norm" };
const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

/** `h -> 2h - 1 + outputPadding` */
const up = (filters: number, outputPadding: number): LayerSpec[] => [
  { type: "conv-transpose", filters, kernel: 3, stride: 2, padding: 1, outputPadding },
  batchNorm,
  relu,
];
const down = (filters: number): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride: 2,
  padding: 1,
});

/** Three digits at once. Without `--data` they are drawn; give MNIST for the published test. */
export const stackedMnist: RunConfig = {
  ...BASE,
  preset: "stacked-mnist",
  data: { source: "stacked-mnist", size: 28 },
  duration: { epochs: 25 },
  batchSize: 64,
  latent: { dimension: 256, distribution: "normal" },
  generator: {
    inputShape: [256],
    init: { normal: 0.02 },
    layers: [
      { type: "dense", units: 4 * 4 * 64 },
      { type: "reshape", shape: [4, 4, 64] },
      batchNorm,
      relu,
      ...up(32, 0), // 4 -> 7
      ...up(16, 1), // 7 -> 14
      ...up(8, 1), // 14 -> 28
      { type: "conv", filters: 3, kernel: 3, padding: 1 },
      { type: "activation", fn: "tanh" },
    ],
  },
  discriminator: {
    inputShape: [28, 28, 3],
    init: { normal: 0.02 },
    layers: [
      down(4),
      leakyRelu,
      down(8),
      batchNorm,
      leakyRelu,
      down(16),
      batchNorm,
      leakyRelu,
      { type: "flatten" },
      { type: "dense", units: 1 },
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
  generatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
  discriminatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
  snapshots: { ...BASE.snapshots, rows: 8, columns: 8 },
};
