/** Fixed gradients of activations, softmax, comparisons and choices. */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { mask, setGradient, setUnaryGradient, step, sumToShape, zerosFor } from "./set_gradient.ts";

/** min(x, 0), whose derivative at 0 is 1. */
function negativePart(x: tf.Tensor): tf.Tensor {
  return tf.sub(x, tf.relu(x));
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** The derivative of ELU: 1 above 0, exp(x) below. */
function eluDerivative(x: tf.Tensor): tf.Tensor {
  return tf.exp(negativePart(x));
}

/** Activations and softmax. */
export function fixActivations(): void {
  setUnaryGradient("Relu", (x) => step(x));
  setUnaryGradient("Relu6", (x) => mask(() => tf.mul(tf.step(x), tf.step(tf.sub(6, x)))));
  setUnaryGradient("LeakyRelu", (x, { alpha }) => step(x, alpha as number));
  setUnaryGradient("Abs", (x) => mask(() => tf.sign(x)));
  setUnaryGradient("Exp", (x) => tf.exp(x));
  setUnaryGradient("Tanh", (x) => tf.sub(1, tf.square(tf.tanh(x))));
  setUnaryGradient("Sigmoid", (x) => {
    const y = tf.sigmoid(x);
    return tf.mul(y, tf.sub(1, y));
  });
  setUnaryGradient("ClipByValue", (x, { clipValueMin, clipValueMax }) =>
    mask(() =>
      tf.logicalAnd(
        tf.greaterEqual(x, clipValueMin as number),
        tf.lessEqual(x, clipValueMax as number),
      )
    ));
  setUnaryGradient("Elu", eluDerivative);
  setUnaryGradient("Selu", (x) => {
    const above = step(x);
    const below = tf.mul(tf.sub(1, above), eluDerivative(x));
    return tf.mul(SELU_SCALE, tf.add(above, tf.mul(SELU_ALPHA, below)));
  });
  setGradient("Softmax", ["logits"], {
    logits: (dy, [logits], { dim }) => {
      const y = tf.softmax(logits, dim as number);
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, [dim as number], true), y));
    },
  });
}

const COMPARISONS = [
  "Greater",
  "Less",
  "LessEqual",
  "Equal",
  "NotEqual",
  "LogicalAnd",
  "LogicalOr",
];

/** Maxima and minima of two tensors, comparisons, choices. */
export function fixComparisons(): void {
  // Equal values: the gradient goes to `a`, as PyTorch's max-pool sends it to the first.
  setGradient("Maximum", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.greaterEqual(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.less(a, b))), b),
  });
  setGradient("Minimum", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.lessEqual(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.greater(a, b))), b),
  });
  setGradient("SquaredDifference", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, tf.mul(2, tf.sub(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, tf.mul(2, tf.sub(b, a))), b),
  });
  for (const name of COMPARISONS) {
    setGradient(name, ["a", "b"], { a: (_, [a]) => zerosFor(a), b: (_, [, b]) => zerosFor(b) });
  }
  setGradient("LogicalNot", ["x"], { x: (_, [x]) => zerosFor(x) });
  setGradient("Select", ["condition"], {
    condition: (_, [condition]) => zerosFor(condition),
    t: (dy, [condition]) => tf.mul(dy, mask(() => condition)),
    e: (dy, [condition]) => tf.mul(dy, mask(() => tf.logicalNot(condition))),
  });
}
