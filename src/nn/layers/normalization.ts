/**
 * Normalizing layers, written out in elementary operations so that they can be differentiated twice.
 * Channels are last. Formulas and defaults are PyTorch's: variances divide by the count, and by the
 * count less one in batch norm's running variance.
 */
import { DEFAULTS } from "../../config/defaults.ts";
import { elementCount } from "../../bytes.ts";
import { allReduceMean } from "../../tensor/all_reduce.ts";
import { tf } from "../../tensor/tf.ts";
import { addOffsets, takeOffset } from "../offsets.ts";
import type { BuiltLayer, LayerCall, LayerScope, SpecOf } from "../types.ts";

const { epsilon: DEFAULT_EPSILON, momentum: DEFAULT_MOMENTUM } = DEFAULTS.layer;

function channelsOf(scope: LayerScope): number {
  return scope.inputShape[scope.inputShape.length - 1];
}

interface Moments {
  /** x - mean */
  centered: tf.Tensor;
  mean: tf.Tensor;
  /** The mean of the squares of `centered`. */
  variance: tf.Tensor;
}

/** @param keepDims whether mean and variance keep the reduced axes, to be broadcast back over them */
function momentsOver(x: tf.Tensor, axes: number[], keepDims: boolean): Moments {
  const mean = tf.mean(x, axes, keepDims);
  const centered = tf.sub(x, mean);
  return { centered, mean, variance: tf.mean(tf.square(centered), axes, keepDims) };
}

/** The moments `[c]` of the parts of a batch that several processes have. */
function momentsOfRanks(x: tf.Tensor, axes: number[]): Moments {
  const mean = allReduceMean(tf.mean(x, axes) as tf.Tensor1D);
  const centered = tf.sub(x, mean);
  const variance = allReduceMean(tf.mean(tf.square(centered), axes) as tf.Tensor1D);
  return { centered, mean, variance };
}

/** Names of a scale that starts at 1 and an offset that starts at 0. */
function affineParameters(scope: LayerScope, shape: number[]): { gamma: string; beta: string } {
  return {
    gamma: scope.parameter("gamma", shape, { kind: "constant", value: 1 }),
    beta: scope.parameter("beta", shape, { kind: "constant", value: 0 }),
  };
}

/**
 * Declares running statistics and gives the function that normalizes `[n, ..., c]` over all but the
 * channels: by the batch's own statistics while training, by the running ones otherwise.
 */
function batchNormalizer(
  scope: LayerScope,
  { momentum = DEFAULT_MOMENTUM, epsilon = DEFAULT_EPSILON }: {
    momentum?: number;
    epsilon?: number;
  },
): (x: tf.Tensor, call: LayerCall) => tf.Tensor {
  const channels = channelsOf(scope);
  const buffer = { trainable: false };
  const meanName = scope.parameter(
    "moving_mean",
    [channels],
    { kind: "constant", value: 0 },
    buffer,
  );
  const varianceName = scope.parameter(
    "moving_variance",
    [channels],
    { kind: "constant", value: 1 },
    buffer,
  );
  return (x, call) => {
    const runningMean = call.parameters[meanName];
    const runningVariance = call.parameters[varianceName];
    if (!call.training) {
      const scale = tf.rsqrt(tf.add(runningVariance, epsilon));
      return tf.mul(tf.sub(x, runningMean), scale);
    }
    const { syncRanks } = call;
    const count = elementCount(x.shape) / channels * (syncRanks ?? 1);
    if (count < 2) {
      scope.fail("batch norm cannot train on one value a channel: use a batch of 2 or more");
    }
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const { centered, mean, variance } = syncRanks
      ? momentsOfRanks(x, axes)
      : momentsOver(x, axes, false); // [c]
    const blend = (old: tf.Tensor, batch: tf.Tensor): tf.Tensor =>
      tf.add(tf.mul(old, 1 - momentum), tf.mul(batch, momentum));
    const wholeMean = addOffsets(mean, takeOffset(call))!;
    call.updates[meanName] = blend(runningMean, wholeMean);
    call.updates[varianceName] = blend(runningVariance, tf.mul(variance, count / (count - 1)));
    return tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
  };
}

/** Batch normalization (Ioffe and Szegedy 2015). */
export function buildBatchNorm(spec: SpecOf<"batch-norm">, scope: LayerScope): BuiltLayer {
  const { affine: isAffine = true } = spec;
  const affine = isAffine ? affineParameters(scope, [channelsOf(scope)]) : undefined;
  const normalize = batchNormalizer(scope, spec);
  return {
    outputShape: scope.inputShape,
    undoesBiases: true,
    flops: 4 * elementCount(scope.inputShape),
    forward(x, call) {
      const normal = normalize(x, call);
      if (!affine) return normal;
      const { gamma, beta } = affine;
      return tf.add(tf.mul(normal, call.parameters[gamma]), call.parameters[beta]);
    },
  };
}

/** The rows of a table `[classes, c]` for labels `[n]`, shaped to broadcast over `[n, ..., c]`. */
function rowsOf(table: tf.Tensor, oneHot: tf.Tensor2D, rank: number): tf.Tensor {
  const rows: tf.Tensor2D = tf.matMul(oneHot, table as tf.Tensor2D); // [n, c]
  const ones = Array.from({ length: rank - 2 }, () => 1);
  return tf.reshape(rows, [rows.shape[0], ...ones, rows.shape[1]]);
}

/** Batch norm with a scale and an offset for each class (de Vries et al. 2017). */
export function buildConditionalBatchNorm(
  spec: SpecOf<"conditional-batch-norm">,
  scope: LayerScope,
): BuiltLayer {
  const classes = scope.classCount();
  const { gamma, beta } = affineParameters(scope, [classes, channelsOf(scope)]);
  const normalize = batchNormalizer(scope, spec);
  return {
    outputShape: scope.inputShape,
    undoesBiases: true,
    flops: 4 * elementCount(scope.inputShape),
    forward(x, call) {
      const oneHot = tf.oneHot(call.labels!, classes, 1, 0, "float32") as tf.Tensor2D;
      const scale = rowsOf(call.parameters[gamma], oneHot, x.rank);
      const offset = rowsOf(call.parameters[beta], oneHot, x.rank);
      return tf.add(tf.mul(normalize(x, call), scale), offset);
    },
  };
}

/**
 * Layer normalization (Ba et al. 2016) over everything but the batch, with a scale and an offset for
 * each channel: on vectors PyTorch's LayerNorm, on images its GroupNorm with one group.
 */
export function buildLayerNorm(spec: SpecOf<"layer-norm">, scope: LayerScope): BuiltLayer {
  const { gamma, beta } = affineParameters(scope, [channelsOf(scope)]);
  const { epsilon = DEFAULT_EPSILON } = spec;
  return {
    outputShape: scope.inputShape,
    flops: 4 * elementCount(scope.inputShape),
    forward(x, call) {
      const axes = x.shape.slice(1).map((_, axis) => axis + 1);
      const { centered, variance } = momentsOver(x, axes, true);
      const normal = tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
      return tf.add(tf.mul(normal, call.parameters[gamma]), call.parameters[beta]);
    },
  };
}

/** Normalizes over the positions and `channels / groups` neighboring channels of each sample. */
function groupNormalizer(
  scope: LayerScope,
  groups: number,
  epsilon: number,
): (x: tf.Tensor) => tf.Tensor {
  const channels = channelsOf(scope);
  return (x) => {
    const sample = x.shape.slice(1); // the input's own: images may be of another size than the one built for
    const positions = elementCount(sample) / channels;
    const grouped = tf.reshape(x, [-1, positions, groups, channels / groups]);
    const { centered, variance } = momentsOver(grouped, [1, 3], true);
    const normal = tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.reshape(normal, [-1, ...sample]);
  };
}

/** Instance normalization (Ulyanov et al. 2016). Without a scale and an offset by default. */
export function buildInstanceNorm(spec: SpecOf<"instance-norm">, scope: LayerScope): BuiltLayer {
  if (scope.inputShape.length !== 3) scope.fail("it needs an image [height, width, channels]");
  const channels = channelsOf(scope);
  if (elementCount(scope.inputShape) === channels) {
    scope.fail("it needs more than one pixel: a single one is its own mean");
  }
  const affine = spec.affine ? affineParameters(scope, [channels]) : undefined;
  const normalize = groupNormalizer(scope, channels, spec.epsilon ?? DEFAULT_EPSILON);
  return {
    outputShape: scope.inputShape,
    undoesBiases: true,
    flops: 4 * elementCount(scope.inputShape),
    forward(x, call) {
      takeOffset(call);
      const normal = normalize(x);
      if (!affine) return normal;
      return tf.add(
        tf.mul(normal, call.parameters[affine.gamma]),
        call.parameters[affine.beta],
      );
    },
  };
}

/** Group normalization (Wu and He 2018). */
export function buildGroupNorm(spec: SpecOf<"group-norm">, scope: LayerScope): BuiltLayer {
  const channels = channelsOf(scope);
  if (channels % spec.groups !== 0) {
    scope.fail(`its ${spec.groups} groups must divide the ${channels} channels that come in`);
  }
  const { gamma, beta } = affineParameters(scope, [channels]);
  const normalize = groupNormalizer(scope, spec.groups, spec.epsilon ?? DEFAULT_EPSILON);
  return {
    outputShape: scope.inputShape,
    flops: 4 * elementCount(scope.inputShape),
    forward: (x, call) =>
      tf.add(tf.mul(normalize(x), call.parameters[gamma]), call.parameters[beta]),
  };
}
