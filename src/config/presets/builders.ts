/** What the presets are made of: layers, optimizers and updates that several of them share. */
import type {
  AdamSpec,
  InitializerSpec,
  LayerSpec,
  OptimizerSpec,
  RunConfig,
  UpdateSpec,
} from "../types.ts";

/** Options that a preset takes over unless it says otherwise. */
export const BASE: Pick<
  RunConfig,
  "version" | "seed" | "snapshots" | "checkpoints" | "divergence" | "device"
> = {
  version: 1,
  seed: 0,
  device: "auto",
  snapshots: { rows: 4, columns: 4, everyEpochs: 1 },
  checkpoints: { everySeconds: 120, keep: 2 },
  divergence: { retries: 3, factor: 0.5 },
};

/** One update of each network in turn, the discriminator's first, on two batches. */
export const UPDATE: UpdateSpec = {
  order: "discriminator-first",
  discriminatorSteps: 1,
  latents: "fresh",
  discriminatorBatch: "separate",
  discriminatorLossScale: 1,
};

/** Images of samples: a square of 64. */
export const MANY_SAMPLES = { rows: 8, columns: 8 };

/** Adam, with the betas that a paper gives. */
export function adam(
  learningRate: number,
  betas: Pick<AdamSpec, "beta1" | "beta2"> = {},
): AdamSpec {
  return { type: "adam", learningRate, ...betas };
}

/** The same optimizer for both networks. */
export function bothOptimizers(
  optimizer: OptimizerSpec,
): Pick<RunConfig, "generatorOptimizer" | "discriminatorOptimizer"> {
  return { generatorOptimizer: { ...optimizer }, discriminatorOptimizer: { ...optimizer } };
}

export const relu: LayerSpec = { type: "activation", fn: "relu" };
export const tanh: LayerSpec = { type: "activation", fn: "tanh" };
export const flatten: LayerSpec = { type: "flatten" };
export const batchNorm: LayerSpec = { type: "batch-norm" };
export const halve: LayerSpec = { type: "avg-pool", size: 2 };

/** Most papers' slope is 0.2. */
export function leakyRelu(alpha = 0.2): LayerSpec {
  return { type: "activation", fn: "leaky-relu", alpha };
}

/** What a layer with weights may say besides its size. */
interface WeightOptions {
  bias?: boolean;
  init?: InitializerSpec;
  spectralNorm?: boolean;
}

/** `[n] -> [units]` */
export function dense(units: number, options: WeightOptions = {}): LayerSpec {
  return { type: "dense", units, ...options };
}

/** `[n] -> [...shape]` by a dense layer. */
export function project(shape: readonly number[], options: WeightOptions = {}): LayerSpec[] {
  const units = shape.reduce((size, side) => size * side, 1);
  return [dense(units, options), { type: "reshape", shape: [...shape] }];
}

/** A convolution of 3 x 3, padded so that only its stride changes the image's size. */
export function conv3(
  filters: number,
  options: WeightOptions & { stride?: number; groups?: number } = {},
): LayerSpec {
  return { type: "conv", filters, kernel: 3, padding: 1, ...options };
}

/** A convolution of each pixel by itself. */
export function conv1(filters: number, options: WeightOptions = {}): LayerSpec {
  return { type: "conv", filters, kernel: 1, ...options };
}

/** `shortcut(x) + body(x)`; without a shortcut the identity. */
export function residual(body: LayerSpec[], shortcut?: LayerSpec[]): LayerSpec {
  return shortcut ? { type: "residual", body, shortcut } : { type: "residual", body };
}

/** The layers of `make`, `count` times. */
export function repeat(count: number, make: () => LayerSpec[]): LayerSpec[] {
  return Array.from({ length: count }, make).flat();
}

/** Downsamples an image by two (`conv`), or upsamples it by two (`conv-transpose`), as DCGAN does. */
export function strided(
  type: "conv" | "conv-transpose",
  filters: number,
  bias: boolean,
): LayerSpec {
  return { type, filters, kernel: 4, stride: 2, padding: 1, bias };
}
