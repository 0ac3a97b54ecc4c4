/**
 * The mean of a tensor over all processes that train together, as an operation of a step: engines run what
 * comes before it, exchange the values, and go on. It is its own gradient: each process differentiates
 * its own loss, and the loss that is minimized is the mean of theirs.
 */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import type { TensorMap } from "./types.ts";

/** The kernel's name. Its input and its output are 1-D and float32. */
export const ALL_REDUCE = "AllReduceMean";

/** The mean of `x` `[n]` over all processes. */
export function allReduceMean(x: tf.Tensor1D): tf.Tensor1D {
  return tf.engine().runKernel(ALL_REDUCE, { x }) as tf.Tensor1D;
}

/** The means of several tensors, which travel as one. */
export function allReduceMeans(tensors: TensorMap): TensorMap {
  const entries = Object.entries(tensors);
  if (entries.length === 0) return {};
  const flat = entries.map(([, tensor]) => tf.reshape(tensor, [-1]) as tf.Tensor1D);
  const means = allReduceMean(tf.concat1d(flat)); // [sum of sizes]
  const parts = tf.split(means, flat.map(({ size }) => size));
  return Object.fromEntries(
    entries.map(([name, { shape }], index) => [name, tf.reshape(parts[index], shape)]),
  );
}

/** Makes the operation differentiable. Called where TensorFlow.js is set up. */
export function installAllReduce(): void {
  tf.registerGradient({
    kernelName: ALL_REDUCE,
    gradFunc: (dy) => ({ x: () => allReduceMean(dy as tf.Tensor1D) }),
  });
}
