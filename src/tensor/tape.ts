/**
 * Computing beside the gradient tape. TensorFlow.js has no stop-gradient; it pauses its tape with a
 * counter while a kernel runs, and that counter is what {@linkcode withoutTape} raises.
 */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which needs this file

/**
 * Runs `f` without recording it, so that no gradient flows through what it computes: masks, power
 * iterations, running statistics. Nests, and works inside and outside of gradient functions.
 */
export function withoutTape<T>(f: () => T): T {
  const { state } = tf.engine();
  state.kernelDepth++;
  try {
    return f();
  } finally {
    state.kernelDepth--;
  }
}
