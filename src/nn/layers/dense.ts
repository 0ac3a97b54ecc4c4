/** Dense layers: `dense` and `maxout`. */
import { DEFAULTS } from "../../config/defaults.ts";
import { tf } from "../../tensor/tf.ts";
import { weightInit } from "../initializers.ts";
import { addBias, declareBias, mapOffset } from "../offsets.ts";
import { spectralNormOf } from "../spectral_norm.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";

/** How many values come in. Fails unless the input is a vector. */
export function vectorSize(scope: LayerScope): number {
  if (scope.inputShape.length !== 1) {
    scope.fail("it needs a vector: put a flatten or a global pool before it");
  }
  return scope.inputShape[0];
}

/** x W + b with W `[inputs, units]`. */
export function buildDense(spec: SpecOf<"dense">, scope: LayerScope): BuiltLayer {
  const inputs = vectorSize(scope);
  const { units, bias: hasBias = DEFAULTS.layer.bias } = spec;
  const init = weightInit(spec.init ?? scope.defaultInit, { fanIn: inputs, fanOut: units });
  const kernel = scope.parameter("kernel", [inputs, units], init.kernel);
  const bias = hasBias ? declareBias(scope, units, init.bias) : undefined;
  const normalize = spec.spectralNorm ? spectralNormOf(scope, [inputs, units], 1) : undefined;
  return {
    outputShape: [units],
    biases: bias ? [...scope.biases, bias] : scope.biases,
    flops: 2 * inputs * units,
    forward(x, call) {
      const stored = call.parameters[kernel];
      const weight = (normalize ? normalize(stored, call) : stored) as tf.Tensor2D;
      const product = tf.matMul(x as tf.Tensor2D, weight); // [n, units]
      mapOffset(call, () => weight);
      return addBias(product, bias, call);
    },
  };
}

/**
 * The largest of `pieces` dense maps, for each unit (Goodfellow et al. 2013, "Maxout Networks").
 * The kernel is `[inputs, pieces * units]`: all units of piece 0, then those of piece 1.
 */
export function buildMaxout(spec: SpecOf<"maxout">, scope: LayerScope): BuiltLayer {
  const inputs = vectorSize(scope);
  const { units, pieces, bias: hasBias = DEFAULTS.layer.bias } = spec;
  const outputs = pieces * units;
  const init = weightInit(spec.init ?? scope.defaultInit, { fanIn: inputs, fanOut: outputs });
  const kernel = scope.parameter("kernel", [inputs, outputs], init.kernel);
  const bias = hasBias ? scope.parameter("bias", [outputs], init.bias) : undefined;
  const normalize = spec.spectralNorm ? spectralNormOf(scope, [inputs, outputs], 1) : undefined;
  return {
    outputShape: [units],
    flops: 2 * inputs * outputs + outputs,
    forward(x, call) {
      const weight = call.parameters[kernel];
      const product = tf.matMul(
        x as tf.Tensor2D,
        (normalize ? normalize(weight, call) : weight) as tf.Tensor2D,
      ); // [n, pieces * units]
      const maps = bias === undefined ? product : tf.add(product, call.parameters[bias]);
      return tf.max(tf.reshape(maps, [-1, pieces, units]), 1); // [n, units]
    },
  };
}
