/** Pooling over blocks (`avg-pool`, `max-pool`) and over whole images (`global-avg-pool`, `global-sum-pool`). */
import { tf } from "../../tensor/tf.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";
import { imageShape } from "./conv.ts";

/** Rows and columns of whole blocks; pixels beyond the last whole block are left out. */
function pooledShape(scope: LayerScope, size: number): [number, number, number] {
  const [height, width, channels] = imageShape(scope);
  if (size > height || size > width) {
    scope.fail(`its ${size}x${size} blocks are larger than the ${height}x${width} input`);
  }
  return [Math.floor(height / size), Math.floor(width / size), channels];
}

/** The mean of each `size` x `size` block. */
export function buildAvgPool({ size }: SpecOf<"avg-pool">, scope: LayerScope): BuiltLayer {
  const outputShape = pooledShape(scope, size);
  return {
    outputShape,
    biases: scope.biases,
    flops: outputShape.reduce((product, side) => product * side, size ** 2),
    forward: (x) => tf.avgPool(x as tf.Tensor4D, size, size, "valid"),
  };
}

/**
 * The largest number of each `size` x `size` block. A chain of maxima, because max-pool's own gradient
 * cannot be differentiated; among equal values the first gets the gradient, as in PyTorch.
 */
export function buildMaxPool({ size }: SpecOf<"max-pool">, scope: LayerScope): BuiltLayer {
  const [, , channels] = imageShape(scope);
  const outputShape = pooledShape(scope, size);
  const largest = (parts: tf.Tensor[]): tf.Tensor => parts.reduce((a, b) => tf.maximum(a, b));
  return {
    outputShape,
    biases: scope.biases,
    flops: outputShape.reduce((product, side) => product * side, size ** 2),
    forward(x) {
      const [, down, right] = x.shape as [number, number, number, number];
      const [rows, columns] = [Math.floor(down / size), Math.floor(right / size)];
      const whole = rows * size === down && columns * size === right
        ? x
        : tf.slice(x, [0, 0, 0, 0], [x.shape[0], rows * size, columns * size, channels]);
      const across = tf.reshape(whole, [-1, size, channels]); // [n h w/size, size, c]
      const narrow = largest(tf.split(across, size, 1));
      const stacked = tf.reshape(narrow, [-1, size, columns * channels]); // [n h/size, size, w/size c]
      return tf.reshape(largest(tf.split(stacked, size, 1)), [-1, rows, columns, channels]);
    },
    compact: (x) => tf.maxPool(x as tf.Tensor4D, size, size, "valid"),
  };
}

/** The mean of each channel. `[h, w, c] -> [c]` */
export function buildGlobalAvgPool(
  _spec: SpecOf<"global-avg-pool">,
  scope: LayerScope,
): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  return {
    outputShape: [channels],
    biases: scope.biases,
    flops: height * width * channels,
    forward: (x) => tf.mean(x, [1, 2]),
  };
}

/** The sum of each channel. `[h, w, c] -> [c]` */
export function buildGlobalSumPool(
  _spec: SpecOf<"global-sum-pool">,
  scope: LayerScope,
): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  return {
    outputShape: [channels],
    flops: height * width * channels,
    forward: (x) => tf.sum(x, [1, 2]),
  };
}
