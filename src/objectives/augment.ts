/**
 * Augmentation: random transforms of everything that the discriminator sees, reals and fakes, in the
 * updates of both networks, so that D cannot memorize the data and G still gets its gradient. Those here are
 * DiffAugment's (Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training"), with its
 * authors' strengths; those of ADA are in ada_transforms.ts and resampling.ts.
 *
 * Each sample has random numbers of its own. All transforms are made of operations that can be
 * differentiated twice; shifting is a product with 0/1 matrices.
 */
import type { AugmentPolicy } from "../config/stability.ts";
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom } from "../tensor/types.ts";
import {
  flipLuma,
  mirror,
  quarterTurns,
  rotateHue,
  scaleContrast,
  scaleSaturation,
  shiftBrightness,
} from "./ada_transforms.ts";
import { scaleIsotropically, translateByFractions } from "./resampling.ts";

export type { AugmentPolicy } from "../config/stability.ts";

/** How far an image is shifted at most, as a share of its side. */
const SHIFT_SHARE = 1 / 8;
/** The side of the square that is cut out, as a share of the image's. */
const CUTOUT_SHARE = 1 / 2;

/** Brightness: adds U(-1/2, 1/2) to a whole image. @param u U[0, 1), `[n, 1, 1, 1]` */
function brighten(images: tf.Tensor, u: tf.Tensor): tf.Tensor {
  return tf.add(images, tf.sub(u, 0.5));
}

/** Scales the distance from the mean over `axes`. @param factor `[n, 1, 1, 1]` */
function scaleAroundMean(images: tf.Tensor, axes: number[], factor: tf.Tensor): tf.Tensor {
  const mean = tf.mean(images, axes, true);
  return tf.add(tf.mul(tf.sub(images, mean), factor), mean);
}

/** Whole numbers 0 ... count - 1 from U[0, 1). */
function wholeNumbers(u: tf.Tensor, count: number): tf.Tensor {
  return tf.floor(tf.mul(u, count));
}

/** 0 ... size - 1, as values of the host: a constant to every engine. */
function positions(size: number): tf.Tensor1D {
  return tf.tensor1d(Array.from({ length: size }, (_, i) => i), "float32");
}

/**
 * The matrices that shift `size` rows: row `i` of the result is row `i + shift`, 0 beyond the border.
 * @param u U[0, 1), `[n, 1, 1]`, for shifts of up to an eighth of the side @returns `[n, size, size]`
 */
function shiftMatrices(u: tf.Tensor, size: number): tf.Tensor3D {
  const reach = Math.floor(size * SHIFT_SHARE + 0.5);
  const shift = tf.sub(wholeNumbers(u, 2 * reach + 1), reach);
  const indices = positions(size);
  const distance = tf.sub(tf.reshape(indices, [1, 1, size]), tf.reshape(indices, [1, size, 1]));
  return tf.cast(tf.equal(distance, shift), "float32");
}

function translate(images: tf.Tensor4D, draw: (shape: number[]) => tf.Tensor): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  const { rows, columns } = withoutTape(() => ({
    rows: shiftMatrices(draw([n, 1, 1]), height),
    columns: shiftMatrices(draw([n, 1, 1]), width),
  }));
  const byRow = tf.reshape(images, [n, height, width * channels]) as tf.Tensor3D;
  const down = tf.reshape(tf.matMul(rows, byRow), [n, height, width, channels]);
  const byColumn = tf.reshape(tf.transpose(down, [0, 2, 1, 3]), [n, width, height * channels]);
  const across = tf.matMul(columns, byColumn as tf.Tensor3D);
  return tf.transpose(tf.reshape(across, [n, width, height, channels]), [0, 2, 1, 3]);
}

/** 1 where a position of `size` lies in the cut-out. @param u U[0, 1), `[n, 1]` @returns `[n, size]` */
function cutPositions(u: tf.Tensor, size: number): tf.Tensor {
  const length = Math.floor(size * CUTOUT_SHARE + 0.5);
  const center = wholeNumbers(u, size + 1 - (length % 2));
  const start = tf.sub(center, Math.floor(length / 2));
  const offset = tf.sub(positions(size), start);
  const inside = tf.logicalAnd(tf.greaterEqual(offset, 0), tf.less(offset, length));
  return tf.cast(inside, "float32");
}

function cutOut(images: tf.Tensor4D, draw: (shape: number[]) => tf.Tensor): tf.Tensor4D {
  const [n, height, width] = images.shape;
  const kept = withoutTape(() => {
    const rows = tf.reshape(cutPositions(draw([n, 1]), height), [n, height, 1, 1]);
    const columns = tf.reshape(cutPositions(draw([n, 1]), width), [n, 1, width, 1]);
    return tf.sub(1, tf.mul(rows, columns));
  });
  return tf.mul(images, kept);
}

/**
 * Transforms a batch of images by each policy in turn.
 *
 * Draws, for each policy, uniform numbers, one for each sample: color brightness, saturation, contrast;
 * translation rows, columns; cutout rows, columns; ADA's as each says.
 * @param images `[n, h, w, c]`, in [-1, 1] before; brightness and contrast may leave that range
 * @returns `[n, h, w, c]`
 */
export function diffAugment(
  images: tf.Tensor4D,
  policies: readonly AugmentPolicy[],
  random: StepRandom,
): tf.Tensor4D {
  const draw = (shape: number[]): tf.Tensor => random.uniform(shape);
  const perSample = [images.shape[0], 1, 1, 1];
  return policies.reduce((x, policy): tf.Tensor4D => {
    switch (policy) {
      case "color": {
        const bright = brighten(x, draw(perSample));
        const saturated = scaleAroundMean(bright, [3], tf.mul(draw(perSample), 2));
        return scaleAroundMean(saturated, [1, 2, 3], tf.add(draw(perSample), 0.5)) as tf.Tensor4D;
      }
      case "translation":
        return translate(x, draw);
      case "cutout":
        return cutOut(x, draw);
      case "flip":
        return mirror(x, random);
      case "rotate":
        return quarterTurns(x, random);
      case "scale":
        return scaleIsotropically(x, random);
      case "fractional-translation":
        return translateByFractions(x, random);
      case "brightness":
        return shiftBrightness(x, random);
      case "contrast":
        return scaleContrast(x, random);
      case "luma-flip":
        return flipLuma(x, random);
      case "hue":
        return rotateHue(x, random);
      case "saturation":
        return scaleSaturation(x, random);
    }
  }, images);
}

/**
 * As {@linkcode diffAugment}, but each policy applies to each sample with a probability.
 *
 * Draws, for each policy, one uniform number a sample for the choice, then what the policy draws.
 * @param images `[n, h, w, c]`
 * @param probability a number or a tensor of one
 * @returns `[n, h, w, c]`
 */
export function augmentWithProbability(
  images: tf.Tensor4D,
  policies: readonly AugmentPolicy[],
  { probability, random }: { probability: tf.Tensor | number; random: StepRandom },
): tf.Tensor4D {
  return policies.reduce((x, policy): tf.Tensor4D => {
    const chosen = withoutTape(() =>
      tf.cast(tf.less(random.uniform([x.shape[0], 1, 1, 1]), probability), "float32")
    );
    const changed = diffAugment(x, [policy], random);
    return tf.add(x, tf.mul(chosen, tf.sub(changed, x)));
  }, images);
}
