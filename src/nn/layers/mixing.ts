/** Layers that bring things together: blocks, positions, labels, samples of a batch. */
import { DEFAULTS } from "../../config/defaults.ts";
import { elementCount } from "../../bytes.ts";
import type { InitializerSpec } from "../../config/network.ts";
import { tf } from "../../tensor/tf.ts";
import { weightInit } from "../initializers.ts";
import { addOffsets } from "../offsets.ts";
import { spectralNormOf } from "../spectral_norm.ts";
import type { BuiltLayer, LayerCall, LayerScope, ParameterInit, SpecOf } from "../types.ts";
import { imageShape } from "./conv.ts";
import { vectorSize } from "./dense.ts";

/** `body(x) + shortcut(x)` (He et al. 2016). */
export function buildResidual(spec: SpecOf<"residual">, scope: LayerScope): BuiltLayer {
  const body = scope.block("body", spec.body);
  const shortcut = scope.block("shortcut", spec.shortcut ?? []);
  if (!tf.util.arraysEqual(body.outputShape, shortcut.outputShape)) {
    scope.fail(
      `its body gives ${JSON.stringify(body.outputShape)} and its shortcut ` +
        `${JSON.stringify(shortcut.outputShape)}: they must be the same to be added`,
    );
  }
  return {
    outputShape: body.outputShape,
    flops: elementCount(body.outputShape),
    biases: [...new Set([...body.biases, ...shortcut.biases])],
    undoesBiases: true, // those that are not undone the blocks see to
    forward(x, call) {
      const { offset } = call;
      const main = body.forward(x, call);
      const mainOffset = call.offset;
      call.offset = offset;
      const sum = tf.add(main, shortcut.forward(x, call));
      call.offset = addOffsets(mainOffset, call.offset);
      return sum;
    },
  };
}

/** `[x, body(x)]` on the channels. */
export function buildConcatSkip(spec: SpecOf<"concat-skip">, scope: LayerScope): BuiltLayer {
  const body = scope.block("body", spec.body);
  const { inputShape } = scope;
  const sides = inputShape.slice(0, -1);
  const channels = body.outputShape[body.outputShape.length - 1];
  if (!tf.util.arraysEqual(body.outputShape.slice(0, -1), sides)) {
    scope.fail(
      `its body gives ${
        JSON.stringify(body.outputShape)
      }: all but the channels must be the input's, ` +
        "so that both can be concatenated",
    );
  }
  for (const bias of body.biases) bias.counts = true; // here they are seen
  return {
    outputShape: [...sides, inputShape[inputShape.length - 1] + channels],
    flops: 0,
    forward: (x, call) => tf.concat([x, body.forward(x, call)], x.rank - 1),
  };
}

/**
 * Self-attention over positions (Zhang et al. 2019, "Self-Attention Generative Adversarial Networks"):
 * query, key and value have `max(1, floor(c / 8))` channels, no bias, and the result is scaled by a
 * learned gamma that starts at 0 before the input is added. `[h, w, c] -> [h, w, c]`
 */
export function buildSelfAttention(spec: SpecOf<"self-attention">, scope: LayerScope): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  const inner = Math.max(1, Math.floor(channels / 8));
  const positions = height * width;
  const query = projection(scope, "query", [channels, inner], spec);
  const key = projection(scope, "key", [channels, inner], spec);
  const value = projection(scope, "value", [channels, inner], spec);
  const output = projection(scope, "output", [inner, channels], spec);
  const gamma = scope.parameter("gamma", [1], { kind: "constant", value: 0 });
  return {
    outputShape: scope.inputShape,
    flops: 8 * positions * channels * inner + 4 * positions ** 2 * inner,
    forward(x, call) {
      const flat = tf.reshape(x, [-1, channels]) as tf.Tensor2D; // [n * positions, c]
      const perSample = (rows: tf.Tensor): tf.Tensor3D => tf.reshape(rows, [-1, positions, inner]);
      const queries = perSample(query(flat, call));
      const keys = perSample(key(flat, call));
      const weights = tf.softmax(tf.matMul(queries, keys, false, true), -1); // over the keys
      const mixed = tf.matMul(weights, perSample(value(flat, call))); // [n, positions, inner]
      const back = output(tf.reshape(mixed, [-1, inner]) as tf.Tensor2D, call);
      const scaled = tf.mul(back, call.parameters[gamma]);
      return tf.add(x, tf.reshape(scaled, [-1, height, width, channels]));
    },
  };
}

/** A 1x1 convolution without bias, as a matrix. */
function projection(
  scope: LayerScope,
  name: string,
  shape: [number, number],
  spec: SpecOf<"self-attention">,
): (x: tf.Tensor2D, call: LayerCall) => tf.Tensor2D {
  const fans = { fanIn: shape[0], fanOut: shape[1] };
  const init = weightInit(spec.init ?? scope.defaultInit, fans).kernel;
  const kernel = scope.parameter(name, shape, init);
  const normalize = spec.spectralNorm ? spectralNormOf(scope, shape, 1, `${name}_`) : undefined;
  return (x, call) => {
    const weight = call.parameters[kernel];
    return tf.matMul(x, (normalize ? normalize(weight, call) : weight) as tf.Tensor2D);
  };
}

/**
 * Concatenates a learned vector for the class label. `[n] -> [n + units]`. Under the "torch"
 * initializer the table starts from N(0, 1), as PyTorch's Embedding.
 */
export function buildLabelEmbedding(
  spec: SpecOf<"label-embedding">,
  scope: LayerScope,
): BuiltLayer {
  const inputs = vectorSize(scope);
  const classes = scope.classCount();
  const { units } = spec;
  const init = embeddingInit(spec.init ?? scope.defaultInit, classes, units);
  const table = scope.parameter("table", [classes, units], init);
  return {
    outputShape: [inputs + units],
    flops: 0,
    forward(x, call) {
      const oneHot = tf.oneHot(call.labels!, classes, 1, 0, "float32") as tf.Tensor2D;
      return tf.concat([x, tf.matMul(oneHot, call.parameters[table] as tf.Tensor2D)], 1);
    },
  };
}

/** How a table of `classes` vectors starts: from N(0, 1) under "torch", else as a dense kernel. */
export function embeddingInit(
  spec: InitializerSpec,
  classes: number,
  units: number,
): ParameterInit {
  return spec === "torch"
    ? { kind: "normal", sigma: 1 }
    : weightInit(spec, { fanIn: classes, fanOut: units }).kernel;
}

/** The largest divisor of `count` that is at most `limit`. */
function largestDivisor(count: number, limit: number): number {
  for (let divisor = Math.min(limit, count); divisor > 1; divisor--) {
    if (count % divisor === 0) return divisor;
  }
  return 1;
}

/**
 * Appends one channel that holds how much the samples of a group differ: the standard deviation over
 * the group of each feature, averaged over features (Karras et al. 2018, section 3). Samples `m`,
 * `m + n / size`, ... form group `m`; where `groupSize` (default 4) does not divide the batch, the
 * largest smaller size that does is taken.
 */
export function buildMinibatchStddev(
  spec: SpecOf<"minibatch-stddev">,
  scope: LayerScope,
): BuiltLayer {
  const { groupSize = DEFAULTS.layer.groupSize } = spec;
  const shape = scope.inputShape;
  const features = elementCount(shape);
  const sides = shape.slice(0, -1);
  return {
    outputShape: [...sides, shape[shape.length - 1] + 1],
    flops: 4 * features,
    forward(x) {
      const size = largestDivisor(x.shape[0], groupSize);
      const grouped = tf.reshape(x, [size, -1, features]); // [size, groups, features]
      const centered = tf.sub(grouped, tf.mean(grouped, 0, true));
      const variance = tf.mean(tf.square(centered), 0); // [groups, features]
      const deviation = tf.mean(tf.sqrt(tf.add(variance, 1e-8)), 1); // [groups]
      const perSample = tf.tile(deviation, [size]); // [n]
      const channel = tf.tile(
        tf.reshape(perSample, [-1, ...sides.map(() => 1), 1]),
        [1, ...sides, 1],
      );
      return tf.concat([x, channel], x.rank - 1);
    },
  };
}
