/**
 * ADA's transforms that resample (Karras et al. 2020, appendix B): isotropic scale, and translation by
 * fractions of a pixel. Both work on rows and columns by themselves, so each is two products with a matrix for
 * each sample, which can be differentiated as often as one likes. Beyond the border the image is reflected
 * without repeating its last row, as there; between pixels interpolation is linear, and where an image becomes
 * smaller the triangle is as wide as a new pixel, against aliasing (the paper has a wavelet's filter).
 */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom } from "../tensor/types.ts";

/** Standard deviations: of the binary logarithm of the scale; of the translation, as a share of a side. */
const LOG_SCALE = 0.2;
const TRANSLATION = 0.125;

/** Images on each side of the image that its reflections fill: beyond what 5.7 deviations reach. */
const REFLECTIONS = 2;

/** Where a position beyond the border lies after reflection, `... 2 1 0 1 2 ...`. */
function reflected(position: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const within = ((position % period) + period) % period;
  return Math.min(within, period - within);
}

/**
 * The matrices that resample `size` rows around their middle.
 * @param scale how much larger the image becomes, `[n, 1, 1]`
 * @param shift rows that it moves toward larger numbers, `[n, 1, 1]`
 * @returns `[n, size, size]`
 */
function resamplingMatrices(scale: tf.Tensor, shift: tf.Tensor, size: number): tf.Tensor3D {
  const n = scale.shape[0];
  const middle = (size - 1) / 2;
  const rows = Array.from({ length: size }, (_, i) => i - middle);
  const taps = Array.from(
    { length: (2 * REFLECTIONS + 1) * size },
    (_, i) => i - REFLECTIONS * size,
  );
  // Row i of the result is what was at (i - middle) / scale + middle - shift.
  const source = tf.sub(tf.div(tf.tensor(rows, [1, size, 1]), scale), tf.sub(shift, middle));
  const distance = tf.abs(tf.sub(source, tf.tensor(taps, [1, 1, taps.length]))); // [n, size, taps]
  const reach = tf.maximum(1, tf.div(1, scale));
  const weights = tf.relu(tf.sub(1, tf.div(distance, reach)));
  const shares = tf.div(weights, tf.sum(weights, 2, true));
  const folding = taps.map((tap) => {
    const to = reflected(tap, size);
    return rows.map((_, at): number => at === to ? 1 : 0);
  });
  const folded = tf.matMul(
    tf.reshape(shares, [n * size, taps.length]) as tf.Tensor2D,
    tf.tensor2d(folding),
  );
  return tf.reshape(folded, [n, size, size]);
}

/** Multiplies rows and columns of each image. @param rows `[n, h, h]` @param columns `[n, w, w]` */
function multiplySides(
  images: tf.Tensor4D,
  { rows, columns }: { rows: tf.Tensor3D; columns: tf.Tensor3D },
): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  const byRow = tf.reshape(images, [n, height, width * channels]) as tf.Tensor3D;
  const down = tf.reshape(tf.matMul(rows, byRow), [n, height, width, channels]);
  const byColumn = tf.reshape(tf.transpose(down, [0, 2, 1, 3]), [n, width, height * channels]);
  const across = tf.matMul(columns, byColumn as tf.Tensor3D);
  return tf.transpose(tf.reshape(across, [n, width, height, channels]), [0, 2, 1, 3]);
}

/** Makes an image larger by `2^N(0, 0.2^2)` around its middle. Draws one normal number a sample. */
export function scaleIsotropically(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const [n, height, width] = images.shape;
  const matrices = withoutTape(() => {
    const scale = tf.exp(tf.mul(random.normal([n, 1, 1]), LOG_SCALE * Math.LN2));
    const none = tf.zeros([1, 1, 1]);
    return {
      rows: resamplingMatrices(scale, none, height),
      columns: resamplingMatrices(scale, none, width),
    };
  });
  return multiplySides(images, matrices);
}

/**
 * Moves an image by `N(0, 0.125^2)` of its sides, by fractions of pixels too. Draws two normal numbers a
 * sample: down, right.
 */
export function translateByFractions(images: tf.Tensor4D, random: StepRandom): tf.Tensor4D {
  const [n, height, width] = images.shape;
  const matrices = withoutTape(() => {
    const draw = (size: number): tf.Tensor => tf.mul(random.normal([n, 1, 1]), TRANSLATION * size);
    const one = tf.ones([n, 1, 1]);
    const rows = resamplingMatrices(one, draw(height), height);
    return { rows, columns: resamplingMatrices(one, draw(width), width) };
  });
  return multiplySides(images, matrices);
}
