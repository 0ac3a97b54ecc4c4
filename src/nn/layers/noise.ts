/** Layers that are random while training and do nothing otherwise: `dropout`, `gaussian-noise`. */
import type { StepRandom } from "../../engine/types.ts";
import { tf } from "../../engine/tf.ts";
import type { BuiltLayer, LayerCall, LayerScope, SpecOf } from "../types.ts";

function randomOf(call: LayerCall, scope: LayerScope): StepRandom {
  return call.random ?? scope.fail("it draws random numbers while training: give context.random");
}

/**
 * Zeroes each number with probability `rate` and divides the others by `1 - rate` (Srivastava et al.
 * 2014). A number stays where the uniform draw is `rate` or more.
 */
export function buildDropout({ rate }: SpecOf<"dropout">, scope: LayerScope): BuiltLayer {
  return {
    outputShape: scope.inputShape,
    biases: rate === 0 ? scope.biases : [],
    flops: 0,
    forward(x, call) {
      if (!call.training || rate === 0) return x;
      const kept = tf.greaterEqual(randomOf(call, scope).uniform(x.shape), rate);
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
