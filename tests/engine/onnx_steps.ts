/** Small GANs whose steps the cpu engine must run as the eager engine does. */
import type { NetworkSpec } from "../../src/config/network.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import type { StepInputs } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { buildTrainingStep, type TrainingStep } from "../../src/training/step.ts";

const mlpGenerator: NetworkSpec = {
  inputShape: [5],
  init: "torch",
  layers: [
    { type: "dense", units: 16 },
    { type: "activation", fn: "relu" },
    { type: "dense", units: 12 },
    { type: "activation", fn: "tanh" },
  ],
};

const mlpDiscriminator: NetworkSpec = {
  inputShape: [12],
  init: "torch",
  layers: [
    { type: "dense", units: 16 },
    { type: "activation", fn: "leaky-relu", alpha: 0.2 },
    { type: "dropout", rate: 0.3 },
    { type: "dense", units: 1 },
  ],
};

const convGenerator: NetworkSpec = {
  inputShape: [5],
  init: "torch",
  layers: [
    { type: "dense", units: 3 * 3 * 6 },
    { type: "activation", fn: "relu" },
    { type: "reshape", shape: [3, 3, 6] },
    { type: "upsample", factor: 2, mode: "nearest" },
    { type: "conv", filters: 5, kernel: 3, padding: 1 },
    { type: "batch-norm", momentum: 0.5 },
    { type: "activation", fn: "relu" },
    { type: "conv-transpose", filters: 4, kernel: 4, stride: 2, padding: 1 },
    { type: "activation", fn: "leaky-relu", alpha: 0.1 },
    { type: "conv", filters: 2, kernel: 3, padding: 1 },
    { type: "activation", fn: "tanh" },
  ],
};

const convDiscriminator = (normalize: boolean): NetworkSpec => ({
  inputShape: [12, 12, 2],
  init: "torch",
  layers: [
    { type: "conv", filters: 4, kernel: 3, stride: 2, padding: 1 },
    { type: "activation", fn: "leaky-relu", alpha: 0.2 },
    { type: "dropout", rate: 0.25 },
    { type: "conv", filters: 6, kernel: 3, stride: 2, padding: 1 },
    ...(normalize ? [{ type: "batch-norm" as const, momentum: 0.8 }] : []),
    { type: "activation", fn: "leaky-relu", alpha: 0.2 },
    { type: "flatten" },
    { type: "dense", units: 1 },
  ],
});

/** The configs by what they show. */
export const CONFIGS: Record<string, RunConfig> = {
  "dense layers with dropout": {
    ...presetConfig("mnist-mlp"),
    batchSize: 6,
    latent: { dimension: 5, distribution: "normal" },
    generator: mlpGenerator,
    discriminator: mlpDiscriminator,
  },
  "a DCGAN with batch norm, strides and up-sampling": {
    ...presetConfig("cifar-dcgan"),
    batchSize: 4,
    latent: { dimension: 5, distribution: "normal" },
    generator: convGenerator,
    discriminator: convDiscriminator(true),
  },
  "a gradient penalty by second derivatives": {
    ...presetConfig("cifar-dcgan"),
    batchSize: 4,
    latent: { dimension: 5, distribution: "normal" },
    generator: convGenerator,
    discriminator: convDiscriminator(false),
    objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
  },
  "maxout, an EMA of weights and SGD": {
    ...presetConfig("ring-2d"),
    batchSize: 8,
    latent: { dimension: 5, distribution: "uniform" },
    generator: mlpGenerator,
    discriminator: {
      inputShape: [12],
      init: "torch",
      layers: [{ type: "maxout", units: 6, pieces: 3 }, { type: "dense", units: 1 }],
    },
    generatorOptimizer: { type: "sgd", learningRate: 0.02 },
    discriminatorOptimizer: { type: "sgd", learningRate: 0.02 },
    ema: { halfLifeImages: 50 },
  },
};

/** The step of a config, its start, and batches that look like data. */
export function openStep(config: RunConfig): {
  step: TrainingStep;
  state: HostTensors;
  batches(first: number, count: number): StepInputs[];
} {
  const step = buildTrainingStep(config, { shape: config.discriminator.inputShape });
  const batches = (first: number, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const given: StepInputs = step.hostInputs(first + index);
      const { shape } = step.program.inputs.real;
      const real = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
      given.real = fillUniform(real, { seed: 3, stream: 9, step: first + index })
        .map((value) => 2 * value - 1);
      return given;
    });
  return { step, state: step.initialState(1), batches };
}
