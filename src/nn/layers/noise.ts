/**
 * Layers that are random while training and do nothing otherwise: `dropout`, `gaussian-noise`. Dropout
 * can stay random when the network is used: each sample then brings its noise, so that it
 * depends on its seed and on nothing else of the batch.
 */
import { elementCount } from "../../bytes.ts";
import type { StepRandom } from "../../tensor/types.ts";
import { tf } from "../../tensor/tf.ts";
import { NOISE_LEVELS } from "../../random/latents.ts";
import type { BuiltLayer, LayerCall, LayerScope, SpecOf } from "../types.ts";

function randomOf(call: LayerCall, scope: LayerScope): StepRandom {
  return call.random ?? scope.fail("it draws random numbers while training: give context.random");
}

/**
 * Zeroes each number with probability `rate` and divides the others by `1 - rate` (Srivastava et al.
 * 2014). A number stays where the uniform draw is `rate` or more. With `atSampling` the same happens
 * when the network is used, by the call's noise (Isola et al. 2017, section 3.2.1).
 */
export function buildDropout(
  { rate, atSampling = false }: SpecOf<"dropout">,
  scope: LayerScope,
): BuiltLayer {
  const size = elementCount(scope.inputShape);
  const first = atSampling && rate > 0 ? scope.noise(size) : undefined;
  // For noise in steps of 1/2048 the same as the rate, and exact in every precision.
  const threshold = Math.min(NOISE_LEVELS - 1, Math.ceil(rate * NOISE_LEVELS)) / NOISE_LEVELS;

  function noiseOf({ noise }: LayerCall, from: number): tf.Tensor {
    const own = noise!.shape[1] === size ? noise! : tf.slice(noise!, [0, from], [-1, size]);
    return tf.reshape(own, [-1, ...scope.inputShape]);
  }
  return {
    outputShape: scope.inputShape,
    biases: rate === 0 ? scope.biases : [],
    flops: 0,
    forward(x, call) {
      if (rate === 0 || (!call.training && first === undefined)) return x;
      const kept = call.training
        ? tf.greaterEqual(randomOf(call, scope).uniform(x.shape), rate)
        : tf.greaterEqual(noiseOf(call, first!), threshold);
      return tf.mul(x, tf.mul(tf.cast(kept, "float32"), 1 / (1 - rate)));
    },
  };
}

/** Adds N(0, sigma^2) to each number. */
export function buildGaussianNoise(
  { sigma }: SpecOf<"gaussian-noise">,
  scope: LayerScope,
): BuiltLayer {
  return {
    outputShape: scope.inputShape,
    biases: scope.biases,
    flops: 0,
    forward(x, call) {
      if (!call.training) return x;
      return tf.add(x, tf.mul(randomOf(call, scope).normal(x.shape), sigma));
    },
  };
}
