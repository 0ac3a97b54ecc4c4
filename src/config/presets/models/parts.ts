/** Layers and optimizers that the models of several networks share. */
import { adam } from "../builders.ts";
import type { InitializerSpec, LayerSpec, OptimizerSpec, PaddingSpec } from "../../types.ts";

/** Weights from N(0, 0.02^2), as in DCGAN, pix2pix and CycleGAN. */
export const INIT: InitializerSpec = { normal: 0.02 };

/** How activations are normalized. */
export type NormName = "batch" | "instance";

/** A normalization; instance norm as PyTorch has it by default, without scale and offset. */
export function norm(name: NormName): LayerSpec {
  return name === "batch" ? { type: "batch-norm" } : { type: "instance-norm", affine: false };
}

/** A convolution. */
export function conv(
  filters: number,
  options: { kernel: number; stride?: number; padding?: PaddingSpec },
): LayerSpec {
  return { type: "conv", filters, ...options };
}

/** A transposed convolution. */
export function convTranspose(
  filters: number,
  options: { kernel: number; stride: number; padding: number; outputPadding?: number },
): LayerSpec {
  return { type: "conv-transpose", filters, ...options };
}

/** Adam with beta1 0.5, as in DCGAN, pix2pix and CycleGAN; their learning rate is 2e-4. */
export function adamHalf(learningRate = 2e-4): OptimizerSpec {
  return adam(learningRate, { beta1: 0.5, beta2: 0.999 });
}
