/** Layers that move values and compute none: `flatten`, `reshape`, `pad`, `upsample`, `pixel-shuffle`. */
import { DEFAULTS } from "../../config/defaults.ts";
import { elementCount } from "../../bytes.ts";
import { tf } from "../../tensor/tf.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";
import { imageShape, paddingSides } from "./conv.ts";

/** `[h, w, c] -> [h * w * c]`, the channel fastest. */
export function buildFlatten(_spec: SpecOf<"flatten">, scope: LayerScope): BuiltLayer {
  return buildReshape({ type: "reshape", shape: [elementCount(scope.inputShape)] }, scope);
}

/** The same values in the same order under another shape. */
export function buildReshape({ shape }: SpecOf<"reshape">, scope: LayerScope): BuiltLayer {
  const have = elementCount(scope.inputShape);
  const need = elementCount(shape);
  if (have !== need) {
    scope.fail(`shape ${JSON.stringify(shape)} holds ${need} values, ${have} come in`);
  }
  const keepsChannels = shape[shape.length - 1] === scope.inputShape[scope.inputShape.length - 1];
  return {
    outputShape: [...shape],
    biases: keepsChannels ? scope.biases : [],
    flops: 0,
    forward: (x) => tf.reshape(x, [-1, ...shape]),
  };
}

/** Zeros around the image, or its reflection at the border pixels (PyTorch's ReflectionPad2d). */
export function buildPad(
  { padding, mode = DEFAULTS.layer.padMode }: SpecOf<"pad">,
  scope: LayerScope,
): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  const [top, left, bottom, right] = paddingSides(padding);
  const outputShape = [height + top + bottom, width + left + right, channels];
  if (mode === "zeros") {
    return {
      outputShape,
      flops: 0,
      forward: (x) => tf.pad(x as tf.Tensor4D, [[0, 0], [top, bottom], [left, right], [0, 0]]),
    };
  }
  if (Math.max(top, bottom) >= height || Math.max(left, right) >= width) {
    scope.fail(
      `its padding ${
        JSON.stringify(padding)
      } reflects more pixels than the ${height}x${width} image ` +
        "has beside its border; use less, or zeros",
    );
  }
  return {
    outputShape,
    biases: scope.biases,
    flops: 0,
    forward(x) {
      const tall = reflected(x, { axis: 1, before: top, after: bottom });
      return reflected(tall, { axis: 2, before: left, after: right });
    },
    compact: (x) =>
      tf.mirrorPad(x as tf.Tensor4D, [[0, 0], [top, bottom], [left, right], [0, 0]], "reflect"),
  };
}

/** Reflects rows or columns by slices, because TensorFlow.js has no gradient for its own padding. */
function reflected(
  x: tf.Tensor,
  { axis, before, after }: { axis: number; before: number; after: number },
): tf.Tensor {
  if (before + after === 0) return x;
  const last = x.shape[axis] - 1;
  const sliceAt = (position: number): tf.Tensor => {
    const begin = x.shape.map((_, i) => i === axis ? position : 0);
    return tf.slice(x, begin, x.shape.map((side, i) => i === axis ? 1 : side));
  };
  return tf.concat([
    ...Array.from({ length: before }, (_, i) => sliceAt(before - i)),
    x,
    ...Array.from({ length: after }, (_, i) => sliceAt(last - 1 - i)),
  ], axis);
}

/**
 * The matrix `[size, size * factor]` that resizes a row linearly, pixel centers at half-integers and
 * the border repeated (PyTorch's `align_corners=False`, ONNX's `half_pixel`).
 */
function linearWeights(size: number, factor: number): Float32Array {
  const length = size * factor;
  const weights = new Float32Array(size * length);
  for (let i = 0; i < length; i++) {
    const position = Math.max(0, (i + 0.5) / factor - 0.5);
    const left = Math.min(Math.floor(position), size - 1);
    const right = Math.min(left + 1, size - 1);
    weights[left * length + i] += 1 - (position - left);
    weights[right * length + i] += position - left;
  }
  return weights;
}

/** Each pixel as a block of `factor` x `factor`, or with linear steps between pixels. */
export function buildUpsample(
  { factor, mode = DEFAULTS.layer.upsampleMode }: SpecOf<"upsample">,
  scope: LayerScope,
): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  const outputShape = [height * factor, width * factor, channels];
  const sizeOf = ({ shape: [, rows, columns] }: tf.Tensor): [number, number] => [
    rows! * factor,
    columns! * factor,
  ];
  if (mode === "nearest") {
    return {
      outputShape,
      biases: scope.biases,
      flops: 0,
      forward: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, sizeOf(x)),
    };
  }
  const weights = new Map([height, width].map((side) => [side, linearWeights(side, factor)]));
  const matrix = (side: number) =>
    tf.tensor2d(weights.get(side) ?? linearWeights(side, factor), [side, side * factor]);
  return {
    outputShape,
    biases: scope.biases,
    flops: 2 * channels * height * width * factor * (height + width * factor),
    forward(x) {
      const [, down, across] = x.shape as [number, number, number, number];
      const size = sizeOf(x);
      const rows = matrix(down);
      const columns = matrix(across);
      const byColumn = tf.reshape(tf.transpose(x, [0, 2, 3, 1]), [-1, down]); // [n w c, h]
      const tall = tf.reshape(tf.matMul(byColumn, rows), [-1, across, channels, size[0]]);
      const byRow = tf.reshape(tf.transpose(tall, [0, 3, 2, 1]), [-1, across]); // [n h' c, w]
      const wide = tf.reshape(tf.matMul(byRow, columns), [-1, size[0], channels, size[1]]);
      return tf.transpose(wide, [0, 1, 3, 2]); // [n, h', w', c]
    },
    compact: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, sizeOf(x), false, true),
  };
}

/**
 * Turns channels into pixels (Shi et al. 2016): channel `c * factor^2 + i * factor + j` becomes row
 * `i`, column `j` of each block of channel `c`, as PyTorch's PixelShuffle and ONNX's DepthToSpace "CRD".
 */
export function buildPixelShuffle(
  { factor }: SpecOf<"pixel-shuffle">,
  scope: LayerScope,
): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  if (channels % factor ** 2 !== 0) {
    scope.fail(`its ${factor}x${factor} blocks must divide the ${channels} channels that come in`);
  }
  const depth = channels / factor ** 2;
  return {
    outputShape: [height * factor, width * factor, depth],
    flops: 0,
    forward(x) {
      const [, rows, columns] = x.shape as [number, number, number, number];
      const blocks = tf.reshape(x, [-1, columns, depth, factor, factor]); // [n h, w, c, i, j]
      const ordered = tf.transpose(blocks, [0, 3, 1, 4, 2]); // [n h, i, w, j, c]
      return tf.reshape(ordered, [-1, rows * factor, columns * factor, depth]);
    },
  };
}
