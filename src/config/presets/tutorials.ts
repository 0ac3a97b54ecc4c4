/**
 * The four tutorials that the project grew from: networks, initializers, losses, optimizers and the
 * order of updates as the tutorials have them. Each is a PyTorch recipe, so weights and biases start
 * from U(-1/sqrt(fanIn), 1/sqrt(fanIn)) and Adam's epsilon is 1e-8.
 */
import type { LayerSpec, NetworkSpec, OptimizerSpec, RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  bothOptimizers,
  conv3,
  dense,
  flatten,
  leakyRelu,
  relu,
  tanh,
  UPDATE,
} from "./builders.ts";

const SGD: OptimizerSpec = { type: "sgd", learningRate: 0.01 };

/** The tutorials take the mean of the discriminator's losses. */
const MEAN_LOSS = { ...UPDATE, discriminatorLossScale: 0.5 };

const dropout = (rate: number): LayerSpec => ({ type: "dropout", rate });

function network(inputShape: number[], layers: LayerSpec[]): NetworkSpec {
  return { inputShape, init: "torch", layers };
}

/** A 1-D mixture of Gaussians, the smallest GAN there is: a linear discriminator, three hidden units. */
export const mixture1d: RunConfig = {
  ...BASE,
  preset: "mixture-1d",
  data: { source: "mixture-1d" },
  evaluation: { everyEpochs: 5 },
  duration: { epochs: 50 },
  batchSize: 64,
  latent: { dimension: 1, distribution: "normal" },
  generator: network([1], [dense(3), relu, dense(1)]),
  discriminator: network([1], [dense(1)]),
  objective: { name: "non-saturating" },
  update: { ...MEAN_LOSS, order: "generator-first", latents: "shared" },
  ...bothOptimizers(SGD),
};

/** Ten uniform values turned into one normal value, by the minimax loss. */
export const uniformToNormal: RunConfig = {
  ...BASE,
  preset: "uniform-to-normal",
  data: { source: "normal-1d" },
  evaluation: { everyEpochs: 1 },
  duration: { epochs: 5 },
  batchSize: 128,
  latent: { dimension: 10, distribution: "uniform" },
  generator: network([10], [dense(1), leakyRelu(0.01)]),
  discriminator: network([1], [dense(1)]),
  objective: { name: "minimax" },
  update: { ...MEAN_LOSS, discriminatorBatch: "concatenated" },
  generatorOptimizer: SGD,
  discriminatorOptimizer: adam(0.01),
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
  generator: network([100], [
    ...[256, 512, 1024].flatMap((units) => [dense(units), relu]),
    dense(784),
    tanh,
    { type: "reshape", shape: [28, 28, 1] },
  ]),
  discriminator: network([28, 28, 1], [
    flatten,
    ...[1024, 512, 256].flatMap((units) => [dense(units), relu, dropout(0.3)]),
    dense(1),
  ]),
  objective: { name: "non-saturating" },
  update: { ...MEAN_LOSS, discriminatorBatch: "concatenated" },
  ...bothOptimizers(adam(1e-4)),
};

const conv = (filters: number, stride = 1): LayerSpec => conv3(filters, { stride });
const batchNorm = (momentum: number): LayerSpec => ({ type: "batch-norm", momentum });

/** Color images of 32 x 32 pixels by convolutions. */
export const cifarDcgan: RunConfig = {
  ...BASE,
  preset: "cifar-dcgan",
  data: { source: "cifar-10" },
  duration: { epochs: 50 },
  batchSize: 32,
  latent: { dimension: 100, distribution: "normal" },
  generator: network([100], [
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
  ]),
  discriminator: network([32, 32, 3], [
    conv(32, 2),
    leakyRelu(),
    dropout(0.25),
    conv(64, 2),
    { type: "pad", padding: [0, 0, 1, 1] },
    batchNorm(0.82),
    leakyRelu(0.25),
    dropout(0.25),
    conv(128, 2),
    batchNorm(0.82),
    leakyRelu(),
    dropout(0.25),
    conv(256),
    batchNorm(0.8),
    leakyRelu(0.25),
    dropout(0.25),
    flatten,
    dense(1),
  ]),
  objective: { name: "non-saturating" },
  update: { ...MEAN_LOSS, latents: "shared" },
  ...bothOptimizers(adam(2e-4, { beta1: 0.5 })),
  snapshots: { ...BASE.snapshots, everyEpochs: 10 },
};
