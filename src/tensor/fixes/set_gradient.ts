/** How a fix replaces a gradient of TensorFlow.js, and what several fixes need. */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { withoutTape } from "../tape.ts";

/** A kernel's attributes. */
export type Attributes = Record<string, unknown>;
/** The gradient with respect to one input: from that of the output, what was saved, and the attributes. */
export type Gradient = (dy: tf.Tensor, saved: tf.Tensor[], attributes: Attributes) => tf.Tensor;

/** Replaces a kernel's gradient by functions of the gradient of its only output. */
export function setGradient(
  kernelName: string,
  inputsToSave: string[],
  gradients: Record<string, Gradient>,
): void {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) =>
      Object.fromEntries(
        Object.entries(gradients).map(([input, gradient]) => [
          input,
          () => gradient(dy as tf.Tensor, saved, attributes),
        ]),
      ),
  });
}

/** Replaces the gradient of a function of one tensor by `dy` times its derivative. */
export function setUnaryGradient(
  kernelName: string,
  derivative: (x: tf.Tensor, attributes: Attributes) => tf.Tensor,
): void {
  setGradient(kernelName, ["x"], {
    x: (dy, [x], attributes) => tf.mul(dy, derivative(x, attributes)),
  });
}

/** 1 where `condition` holds, else 0: constant for the tape. */
export function mask(condition: () => tf.Tensor): tf.Tensor {
  return withoutTape(() => tf.cast(condition(), "float32"));
}

/** 1 where x > 0, else `below`: constant for the tape. */
export function step(x: tf.Tensor, below = 0): tf.Tensor {
  return withoutTape(() => tf.step(x, below));
}

/** The gradient of what does not matter. */
export function zerosFor(input: tf.Tensor): tf.Tensor {
  return withoutTape(() => tf.fill(input.shape, 0, "float32"));
}

/** Sums a gradient over the axes along which `input` was broadcast. */
export function sumToShape(gradient: tf.Tensor, input: tf.Tensor): tf.Tensor {
  if (tf.util.arraysEqual(gradient.shape, input.shape)) return gradient;
  const axes = tf.broadcast_util.getReductionAxes(input.shape, gradient.shape);
  return tf.reshape(tf.sum(gradient, axes), input.shape);
}
