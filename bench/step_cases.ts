/** The training steps that `deno task bench` measures; bench/pytorch_steps.py has the same ones. */
import type { LayerSpec } from "../src/config/network.ts";
import { presetConfig } from "../src/config/presets/mod.ts";
import type { RunConfig } from "../src/config/run_config.ts";

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };
const relu: LayerSpec = { type: "activation", fn: "relu" };
const down = (filters: number): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride: 2,
  padding: 1,
});
const up = (filters: number): LayerSpec[] => [
  { type: "upsample", factor: 2 },
  { type: "conv", filters, kernel: 3, padding: 1 },
];

/** A critic with gradient penalty on 32 x 32 x 3: convolutions differentiated twice. */
function wganGpConv(): RunConfig {
  const dcgan = presetConfig("cifar-dcgan");
  return {
    ...dcgan,
    preset: "wgan-gp-conv",
    generator: {
      inputShape: [100],
      init: "torch",
      layers: [
        { type: "dense", units: 128 * 8 * 8 },
        relu,
        { type: "reshape", shape: [8, 8, 128] },
        ...up(64),
        relu,
        ...up(3),
        { type: "activation", fn: "tanh" },
      ],
    },
    discriminator: {
      inputShape: [32, 32, 3],
      init: "torch",
      layers: [
        ...[32, 64, 128].flatMap((filters) => [down(filters), leakyRelu]),
        { type: "flatten" },
        { type: "dense", units: 1 },
      ],
    },
    objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
    update: { ...dcgan.update, latents: "fresh", discriminatorLossScale: 1 },
    generatorOptimizer: { type: "adam", learningRate: 1e-4, beta1: 0.5, beta2: 0.9 },
    discriminatorOptimizer: { type: "adam", learningRate: 1e-4, beta1: 0.5, beta2: 0.9 },
  };
}

/** What is measured. */
export interface StepCase {
  name: string;
  batch: number;
  config: RunConfig;
}

/** All cases, the cheap ones first. */
export const STEP_CASES: readonly StepCase[] = [
  { name: "ring-2d", batch: 100, config: presetConfig("ring-2d") },
  { name: "mnist-mlp", batch: 32, config: presetConfig("mnist-mlp") },
  { name: "wgan-gp-conv", batch: 8, config: wganGpConv() },
  { name: "cifar-dcgan", batch: 8, config: presetConfig("cifar-dcgan") },
  { name: "cifar-dcgan", batch: 32, config: presetConfig("cifar-dcgan") },
];
