/** The exponential moving average (EMA) of the generator's weights (Yazici et al. 2019; half-life as in StyleGAN2). */
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import type { EmaSpec } from "../config/run_config.ts";
import type { Network } from "../nn/mod.ts";

/**
 * The EMA decay at a step: `0.5 ^ (batch / halfLife)`, the half-life at most `rampUp` times the images
 * seen so far.
 * @param step counted from 0
 */
export function emaDecay(spec: EmaSpec, batchSize: number, step: number): number {
  const seen = step * batchSize;
  const halfLife = spec.rampUp === undefined
    ? spec.halfLifeImages
    : Math.min(spec.halfLifeImages, spec.rampUp * seen);
  return halfLife <= 0 ? 0 : 0.5 ** (batchSize / halfLife);
}

/** `decay * ema + (1 - decay) * params` for weights; running statistics are copied. */
export function updateEma(
  network: Network,
  ema: TensorMap,
  { params, decay }: { params: TensorMap; decay: tf.Tensor },
): TensorMap {
  const next: TensorMap = {};
  for (const { name, trainable } of network.parameters) {
    next[name] = trainable
      ? tf.add(params[name], tf.mul(decay, tf.sub(ema[name], params[name])))
      : params[name].clone();
  }
  return next;
}
