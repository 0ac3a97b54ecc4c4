/**
 * The four tutorials that the project grew from: networks, initialisers, losses, optimisers and the
 * order of updates as the tutorials have them. Each is a PyTorch recipe, so weights and biases start
 * from U(-1/sqrt(fanIn), 1/sqrt(fanIn)) and Adam's epsilon is 1e-8.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";

const relu: LayerSpec = { type: "activation", fn: "relu" };
const tanh: LayerSpec = { type: "activation", fn: "tanh" };
const leakyRelu = (alpha: number): LayerSpec => ({ type: "activation", fn: "leaky-relu", alpha });
const dense = (units: number): LayerSpec => ({ type: "dense", units });
const dropout = (rate: number): LayerSpec => ({ type: "dropout", rate });

/** A 1-D mixture of Gaussians, the smallest GAN there is: a line against a kinked line. */
export const mixture1d: RunConfig = {
  ...BASE,
  preset: "mixture-1d",
  data: { source: "mixture-1d" },
  evaluation: { everyEpochs: 5 },
  duration: { epochs: 50 },
  batchSize: 64,
  latent: { dimension: 1, distribution: "normal" },
  generator: { inputShape: [1], init: "torch", layers: [dense(3), relu, dense(1)] },
  discriminator: { inputShape: [1], init: "torch", layers: [dense(1)] },
  objective: { name: "non-saturating" },
  update: {
    order: "generator-first",
    discriminatorSteps: 1,
    latents: "shared",
    discriminatorBatch: "separate",
    discriminatorLossScale: 0.5,
  },
  generatorOptimizer: { type: "sgd", learningRate: 0.01 },
  discriminatorOptimizer: { type: "sgd", learningRate: 0.01 },
};

/** Ten uniform numbers turned into one normal number, by the minimax loss. */
export const uniformToNormal: RunConfig = {
  ...BASE,
  preset: "uniform-to-normal",
  data: { source: "normal-1d" },
  evaluation: { everyEpochs: 1 },
  duration: { epochs: 5 },
  batchSize: 128,
  latent: { dimension: 10, distribution: "uniform" },
  generator: { inputShape: [10], init: "torch", layers: [dense(1), leakyRelu(0.01)] },
  discriminator: { inputShape: [1], init: "torch", layers: [dense(1)] },
  objective: { name: "minimax" },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "fresh",
    discriminatorBatch: "concatenated",
    discriminatorLossScale: 0.5,
  },
  generatorOptimizer: { type: "sgd", learningRate: 0.01 },
  discriminatorOptimizer: { type: "adam", learningRate: 0.01 },
};

/** Handwritten digits by dense layers. */
export const mnistMlp: RunConfig = {
  ...BASE,
  preset: "mnist-mlp",
  seed: 42,
  data: { source: "mnist" },
  duration: { epochs: 50 },
  batchSize: 32,
  latent: { dimension: 100, distribution: "normal" },
  generator: {
    inputShape: [100],
    init: "torch",
    layers: [
      ...[256, 512, 1024].flatMap((units) => [dense(units), relu]),
      dense(784),
      tanh,
      { type: "reshape", shape: [28, 28, 1] },
    ],
  },
  discriminator: {
    inputShape: [28, 28, 1],
    init: "torch",
    layers: [
      { type: "flatten" },
      ...[1024, 512, 256].flatMap((units) => [dense(units), relu, dropout(0.3)]),
      dense(1),
    ],
  },
  objective: { name: "non-saturating" },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "fresh",
    discriminatorBatch: "concatenated",
    discriminatorLossScale: 0.5,
  },
  generatorOptimizer: { type: "adam", learningRate: 1e-4 },
  discriminatorOptimizer: { type: "adam", learningRate: 1e-4 },
};

const conv = (filters: number, stride = 1): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride,
  padding: 1,
});
const batchNorm = (momentum: number): LayerSpec => ({ type: "batch-norm", momentum });

/** Colour images of 32 x 32 pixels by convolutions. */
export const cifarDcgan: RunConfig = {
  ...BASE,
  preset: "cifar-dcgan",
  data: { source: "cifar-10" },
  duration: { epochs: 50 },
  batchSize: 32,
  latent: { dimension: 100, distribution: "normal" },
  generator: {
    inputShape: [100],
    init: "torch",
    layers: [
      dense(128 * 8 * 8),
      relu,
      { type: "reshape", shape: [8, 8, 128] },
      ...[128, 64].flatMap((filters): LayerSpec[] => [
        { type: "upsample", factor: 2, mode: "nearest" },
        conv(filters),
        batchNorm(0.78),
        relu,
      ]),
      conv(3),
      tanh,
    ],
  },
  discriminator: {
    inputShape: [32, 32, 3],
    init: "torch",
    layers: [
      conv(32, 2),
      leakyRelu(0.2),
      dropout(0.25),
      conv(64, 2),
      { type: "pad", padding: [0, 0, 1, 1] },
      batchNorm(0.82),
      leakyRelu(0.25),
      dropout(0.25),
      conv(128, 2),
      batchNorm(0.82),
      leakyRelu(0.2),
      dropout(0.25),
      conv(256),
      batchNorm(0.8),
      leakyRelu(0.25),
      dropout(0.25),
      { type: "flatten" },
      dense(1),
    ],
  },
  objective: { name: "non-saturating" },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "shared",
    discriminatorBatch: "separate",
    discriminatorLossScale: 0.5,
  },
  generatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
  discriminatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0.5 },
  snapshots: { ...BASE.snapshots, everyEpochs: 10 },
};
