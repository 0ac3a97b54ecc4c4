/** Last layers of a discriminator that knows about classes: `projection-head`, `classifier-head`. */
import { DEFAULTS } from "../../config/defaults.ts";
import { tf } from "../../tensor/tf.ts";
import { weightInit } from "../initializers.ts";
import { spectralNormOf } from "../spectral_norm.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";
import { buildDense, vectorSize } from "./dense.ts";
import { embeddingInit } from "./mixing.ts";

/**
 * `x w + b + <x, e(y)>` (Miyato and Koyama 2018, equation 4): a dense logit, and the inner product of
 * the features with the label's embedding. `[n] -> [1]`. Spectral norm, where asked for, is of the
 * dense kernel and of the table of embeddings `[classes, n]`.
 */
export function buildProjectionHead(
  spec: SpecOf<"projection-head">,
  scope: LayerScope,
): BuiltLayer {
  const inputs = vectorSize(scope);
  const classes = scope.classCount();
  const chosen = spec.init ?? scope.defaultInit;
  const init = weightInit(chosen, { fanIn: inputs, fanOut: 1 });
  const kernel = scope.parameter("kernel", [inputs, 1], init.kernel);
  const bias = (spec.bias ?? DEFAULTS.layer.bias)
    ? scope.parameter("bias", [1], init.bias)
    : undefined;
  const shape = [classes, inputs];
  const table = scope.parameter("table", shape, embeddingInit(chosen, classes, inputs));
  const normalizeKernel = spec.spectralNorm ? spectralNormOf(scope, [inputs, 1], 1) : undefined;
  const normalizeTable = spec.spectralNorm ? spectralNormOf(scope, shape, 0, "table_") : undefined;
  return {
    outputShape: [1],
    flops: 4 * inputs,
    forward(x, call) {
      const weight = call.parameters[kernel];
      const rows = call.parameters[table];
      const w = (normalizeKernel ? normalizeKernel(weight, call) : weight) as tf.Tensor2D;
      const e = (normalizeTable ? normalizeTable(rows, call) : rows) as tf.Tensor2D;
      const oneHot = tf.oneHot(call.labels!, classes, 1, 0, "float32") as tf.Tensor2D;
      const agreement = tf.sum(tf.mul(x, tf.matMul(oneHot, e)), 1, true); // [n, 1]
      const logit = tf.add(tf.matMul(x as tf.Tensor2D, w), agreement);
      return bias === undefined ? logit : tf.add(logit, call.parameters[bias]);
    },
  };
}

/** A dense layer with one unit for real against fake and one for each class. `[n] -> [1 + classes]` */
export function buildClassifierHead(
  spec: SpecOf<"classifier-head">,
  scope: LayerScope,
): BuiltLayer {
  return buildDense({ ...spec, type: "dense", units: 1 + scope.classCount() }, scope);
}
