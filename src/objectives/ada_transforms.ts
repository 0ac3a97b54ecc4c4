/**
 * The transforms of ADA (Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data",
 * appendix B) that DiffAugment has not: pixel blits without resampling, and affine maps of the colors of a
 * pixel; those that resample are in resampling.ts. Strengths are the paper's. Each sample has random numbers of its own, and all can be
 * differentiated twice: flips are products with 0/1 matrices.
 */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom } from "../tensor/types.ts";

/** Standard deviations: of brightness; of the binary logarithm of contrast and of saturation. */
const BRIGHTNESS = 0.2;
const LOG_CONTRAST = 0.5;
const LOG_SATURATION = 1;

/** The matrices that reverse `size` rows where `isFlipped` is 1. @param isFlipped `[n, 1, 1]` */
function flipMatrices(isFlipped: tf.Tensor, size: number): tf.Tensor3D {
  const flat = Array.from({ length: size }, (_, i) => i);
  const square = (column: (row: number) => number): tf.Tensor =>
    tf.tensor3d([flat.map((row) => flat.map((at): number => at === column(row) ? 1 : 0))]);
  const flipped = tf.mul(square((row) => size - 1 - row), isFlipped);
  return tf.add(flipped, tf.mul(square((row) => row), tf.sub(1, isFlipped))) as tf.Tensor3D;
}

/** Reverses each image's rows where its matrix does. @param matrices `[n, h, h]` */
function multiplyRows(images: tf.Tensor4D, matrices: tf.Tensor3D): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  const rows = tf.reshape(images, [n, height, width * channels]) as tf.Tensor3D;
  return tf.reshape(tf.matMul(matrices, rows), [n, height, width, channels]);
}

function swapSides(images: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(images, [0, 2, 1, 3]);
}

/** Floor of U[0, 1) times `count`. */
function choice(u: tf.Tensor, count: number): tf.Tensor {
  return tf.floor(tf.mul(u, count));
}

/** 1 where two tensors are equal, else 0. */
function isOneOf(values: tf.Tensor, wanted: [number, number]): tf.Tensor {
  const [first, second] = wanted.map((one) => tf.cast(tf.equal(values, one), "float32"));
  return tf.add(first, second);
}

/** Mirrors left and right, or not. Draws one uniform number a sample. */
export function mirror(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const [n, , width] = images.shape;
  const matrices = withoutTape(() => flipMatrices(choice(random.uniform([n, 1, 1]), 2), width));
  return swapSides(multiplyRows(swapSides(images), matrices));
}

/**
 * Rotates by 0, 90, 180 or 270 degrees, counter-clockwise. Draws one uniform number a sample.
 * @param images `[n, side, side, c]`
 */
export function quarterTurns(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const [n, side] = images.shape;
  const { turned, rows, columns } = withoutTape(() => {
    const turns = choice(random.uniform([n, 1, 1]), 4);
    return {
      turned: tf.reshape(isOneOf(turns, [1, 3]), [n, 1, 1, 1]),
      rows: flipMatrices(isOneOf(turns, [1, 2]), side),
      columns: flipMatrices(isOneOf(turns, [2, 3]), side),
    };
  });
  // A quarter turn swaps the sides, then reverses the rows; three reverse the columns.
  const kept = tf.mul(images, tf.sub(1, turned));
  const swapped = tf.add(kept, tf.mul(swapSides(images), turned)) as tf.Tensor4D;
  return swapSides(multiplyRows(swapSides(multiplyRows(swapped, rows)), columns));
}

/** Adds N(0, 0.2^2) to a whole image. Draws one normal number a sample. */
export function shiftBrightness(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const shift = tf.mul(random.normal([images.shape[0], 1, 1, 1]), BRIGHTNESS);
  return tf.add(images, shift);
}

/** Multiplies a whole image by `2^N(0, 0.5^2)`. Draws one normal number a sample. */
export function scaleContrast(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  return tf.mul(images, powerOfTwo(random.normal([images.shape[0], 1, 1, 1]), LOG_CONTRAST));
}

/** Reflects colors at the plane of no luma, `x - 2 mean(x)`, or not. Draws one uniform number a sample. */
export function flipLuma(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const flips = choice(random.uniform([images.shape[0], 1, 1, 1]), 2);
  return tf.sub(images, tf.mul(tf.mul(tf.mean(images, 3, true), 2), flips));
}

/**
 * Rotates colors around the gray axis by any angle. Draws two normal numbers a sample, whose direction
 * is the angle.
 * @param images `[n, h, w, 3]`
 */
export function rotateHue(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  const matrices = withoutTape(() => {
    const [x, y] = [random.normal([n, 1, 1]), random.normal([n, 1, 1])];
    const length = tf.sqrt(tf.add(tf.add(tf.square(x), tf.square(y)), 1e-12));
    const [cosine, sine] = [tf.div(x, length), tf.div(y, length)];
    // Rodrigues' formula around v = (1, 1, 1) / sqrt(3); transposed, as colors are rows.
    const third = tf.fill([1, 3, 3], 1 / 3);
    const across = tf.mul(tf.tensor3d([[[0, 1, -1], [-1, 0, 1], [1, -1, 0]]]), 1 / Math.sqrt(3));
    const identity = tf.tensor3d([[[1, 0, 0], [0, 1, 0], [0, 0, 1]]]);
    const kept = tf.add(third, tf.mul(tf.sub(identity, third), cosine));
    return tf.add(kept, tf.mul(across, sine)) as tf.Tensor3D; // [n, 3, 3]
  });
  const pixels = tf.reshape(images, [n, height * width, channels]) as tf.Tensor3D;
  return tf.reshape(tf.matMul(pixels, matrices), [n, height, width, channels]);
}

/** Multiplies colors' distance from gray by `2^N(0, 1)`. Draws one normal number a sample. */
export function scaleSaturation(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const factor = powerOfTwo(random.normal([images.shape[0], 1, 1, 1]), LOG_SATURATION);
  const gray = tf.mean(images, 3, true);
  return tf.add(tf.mul(tf.sub(images, gray), factor), gray);
}

/** `2^(deviation z)` */
function powerOfTwo(z: tf.Tensor, deviation: number): tf.Tensor {
  return withoutTape(() => tf.exp(tf.mul(z, deviation * Math.LN2)));
}
