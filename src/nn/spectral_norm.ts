/**
 * Spectral normalization (Miyato et al. 2018, "Spectral Normalization for Generative Adversarial
 * Networks", algorithm 1), with PyTorch's choices: one power iteration for each training forward, the
 * singular vectors constant for the gradient, which does flow through sigma = u^T W v.
 */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { LayerCall, LayerScope } from "./types.ts";

const EPSILON = 1e-12;

/** v / max(|v|, epsilon) of a column `[n, 1]`. */
function normalized(v: tf.Tensor2D): tf.Tensor2D {
  return tf.div(v, tf.maximum(tf.sqrt(tf.sum(tf.square(v))), EPSILON));
}

/**
 * Declares the left singular vector of a weight and gives the function that normalizes the weight.
 *
 * The weight is seen as a matrix of `[inputs, outputs]`. The vector over the outputs (PyTorch's `u`)
 * is kept from step to step; outside of training the one over the inputs follows from it.
 * @param outputAxis which axis of the kernel counts the outputs
 */
export function spectralNormOf(
  scope: LayerScope,
  shape: number[],
  outputAxis: number,
  prefix = "",
): (kernel: tf.Tensor, call: LayerCall) => tf.Tensor {
  const outputs = shape[outputAxis];
  const name = scope.parameter(`${prefix}spectral_u`, [outputs, 1], { kind: "unit-vector" }, {
    trainable: false,
  });
  const others = shape.map((_, axis) => axis).filter((axis) => axis !== outputAxis);
  const isLast = outputAxis === shape.length - 1;
  return (kernel, call) => {
    const ordered = isLast ? kernel : tf.transpose(kernel, [...others, outputAxis]);
    const matrix = tf.reshape(ordered, [-1, outputs]) as tf.Tensor2D; // [inputs, outputs]
    const { u, v } = withoutTape(() => {
      const before = call.parameters[name] as tf.Tensor2D; // [outputs, 1]
      const v = normalized(tf.matMul(matrix, before)); // [inputs, 1]
      if (!call.training) return { u: before, v };
      return { u: normalized(tf.matMul(matrix, v, true)), v };
    });
    if (call.training) call.updates[name] = u;
    const sigma = tf.sum(tf.mul(tf.matMul(matrix, v, true), u)); // u^T W^T v, a scalar
    return tf.div(kernel, sigma);
  };
}
