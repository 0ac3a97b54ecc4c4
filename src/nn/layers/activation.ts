/** Activation functions, right to the second derivative (see src/tensor/gradient_fixes.ts). */
import { elementCount } from "../../bytes.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import type { ActivationName } from "../../config/network.ts";
import { tf } from "../../tensor/tf.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";

/** The slope or scale below zero, of the functions that have one. */
const DEFAULT_ALPHA: Partial<Record<ActivationName, number>> = {
  "leaky-relu": DEFAULTS.layer.leakyReluAlpha,
  elu: DEFAULTS.layer.eluAlpha,
};

/**
 * Applies an activation, elementwise but for softmax, which runs over the last axis.
 *
 * - gelu: x Phi(x), by the error function (Hendrycks and Gimpel 2016)
 * - mish: x tanh(softplus(x)) (Misra 2019); silu: x sigmoid(x); softsign: x / (1 + |x|)
 * - hard-sigmoid: relu6(x + 3) / 6, PyTorch's
 * @param alpha slope of leaky-relu (default 0.01), scale of elu (default 1)
 */
function activate(fn: ActivationName, x: tf.Tensor, alpha?: number): tf.Tensor {
  switch (fn) {
    case "linear":
      return x;
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "leaky-relu":
      return tf.leakyRelu(x, alpha ?? DEFAULT_ALPHA["leaky-relu"]);
    case "elu": {
      const { eluAlpha } = DEFAULTS.layer;
      if (alpha === undefined || alpha === eluAlpha) return tf.elu(x);
      const positive = tf.relu(x);
      return tf.add(positive, tf.mul(alpha, tf.elu(tf.sub(x, positive))));
    }
    case "selu":
      return tf.selu(x);
    case "silu":
      return tf.mul(x, tf.sigmoid(x));
    case "gelu":
      return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
    case "mish":
      return tf.mul(x, tf.tanh(tf.softplus(x)));
    case "tanh":
      return tf.tanh(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "hard-sigmoid":
      return tf.div(tf.relu6(tf.add(x, 3)), 6);
    case "softplus":
      return tf.softplus(x);
    case "softsign":
      return tf.div(x, tf.add(1, tf.abs(x)));
    case "softmax":
      return tf.softmax(x, -1);
  }
}

/** The layer around {@linkcode activate}. */
export function buildActivation(spec: SpecOf<"activation">, scope: LayerScope): BuiltLayer {
  const { fn, alpha } = spec;
  if (alpha !== undefined && DEFAULT_ALPHA[fn] === undefined) {
    scope.fail(
      `${fn} has no alpha; ${Object.keys(DEFAULT_ALPHA).join(" and ")} have one: leave it out`,
    );
  }
  return {
    outputShape: scope.inputShape,
    biases: fn === "linear" ? scope.biases : [],
    flops: fn === "linear" ? 0 : elementCount(scope.inputShape),
    forward: (x) => activate(fn, x, alpha),
  };
}

/**
 * Leaky ReLU with a learned slope (He et al. 2015, PyTorch's PReLU): `relu(x) + alpha min(x, 0)`, one
 * alpha for each channel, or one for all.
 */
export function buildPrelu(spec: SpecOf<"prelu">, scope: LayerScope): BuiltLayer {
  const { start = DEFAULTS.layer.preluStart, shared = false } = spec;
  const channels = scope.inputShape[scope.inputShape.length - 1];
  const alpha = scope.parameter("alpha", [shared ? 1 : channels], {
    kind: "constant",
    value: start,
  });
  return {
    outputShape: scope.inputShape,
    flops: 2 * elementCount(scope.inputShape),
    forward(x, call) {
      const positive = tf.relu(x);
      return tf.add(positive, tf.mul(tf.sub(x, positive), call.parameters[alpha]));
    },
  };
}
