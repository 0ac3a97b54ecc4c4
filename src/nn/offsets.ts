/**
 * Biases that a norm undoes. What a layer adds to each channel has no effect where batch or instance
 * norm takes the channel's mean away again: the bias' gradient is 0, but computed it is rounding noise,
 * of which Adam makes whole steps, other ones in every engine. So while training such a bias is
 * left out of the sum, and its gradient is 0. Batch norm's running mean still counts it, for inference
 * adds it: what the sum is missing, one value per channel, is passed along as `call.offset`.
 *
 * Which biases these are is known when the network is built. Each one starts as a candidate, layers say
 * what becomes of the candidates that come in, and one that anything else sees counts.
 */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { Bias, BuiltLayer, LayerCall, LayerScope, ParameterInit } from "./types.ts";

/** Declares a layer's bias. */
export function declareBias(scope: LayerScope, channels: number, init: ParameterInit): Bias {
  return { name: scope.parameter("bias", [channels], init), counts: false };
}

/**
 * Adds a layer's bias, or only takes note of it.
 * @param x `[n, ..., channels]`
 */
export function addBias(x: tf.Tensor, bias: Bias | undefined, call: LayerCall): tf.Tensor {
  if (bias === undefined) return x;
  const values = call.parameters[bias.name];
  if (!call.training || bias.counts) return tf.add(x, values);
  call.offset = addOffsets(call.offset, values);
  return x;
}

/** The offset of the sum of two tensors. */
export function addOffsets(
  a: tf.Tensor | undefined,
  b: tf.Tensor | undefined,
): tf.Tensor | undefined {
  return a && b ? withoutTape(() => tf.add(a, b)) : a ?? b;
}

/**
 * The offset after a layer that multiplies the channels at each position by a matrix.
 * @param matrix `[inputs, outputs]`
 */
export function mapOffset(call: LayerCall, matrix: () => tf.Tensor): void {
  const { offset } = call;
  if (offset === undefined) return;
  call.offset = withoutTape(() => {
    const weights = matrix() as tf.Tensor2D;
    const [inputs, outputs] = weights.shape;
    return tf.reshape(tf.matMul(tf.reshape(offset, [1, inputs]), weights), [outputs]);
  });
}

/** Takes the offset for a norm that undoes it. */
export function takeOffset(call: LayerCall): tf.Tensor | undefined {
  const { offset } = call;
  call.offset = undefined;
  return offset;
}

/** Settles which of the biases that come into a layer count, and gives those that its output leaves out. */
export function settleBiases(incoming: readonly Bias[], layer: BuiltLayer): readonly Bias[] {
  const kept = layer.biases ?? [];
  if (!layer.undoesBiases) {
    for (const bias of incoming) bias.counts ||= !kept.includes(bias);
  }
  return kept;
}
