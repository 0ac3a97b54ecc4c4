/** How near a generated image is to the image that it should be: PSNR and SSIM of 8-bit images. */

/** Two images of the same shape. */
export interface ImagePair {
  /** `[height, width, channels]` */
  image: Uint8Array;
  /** `[height, width, channels]` */
  reference: Uint8Array;
  /** Rows of pixels. */
  height: number;
  /** Pixels of a row. */
  width: number;
  /** Values of a pixel. */
  channels: number;
}

const PEAK = 255;

/**
 * The peak signal-to-noise ratio in decibels, `10 log10(255^2 / MSE)`, the mean squared error taken over
 * all channels. Equal images give Infinity.
 * @throws {RangeError} when the images differ in length
 */
export function psnr({ image, reference }: Pick<ImagePair, "image" | "reference">): number {
  if (image.length !== reference.length || image.length === 0) {
    throw new RangeError(
      `Cannot compare images of ${image.length} and ${reference.length} values`,
    );
  }
  let squares = 0;
  for (let i = 0; i < image.length; i++) squares += (image[i] - reference[i]) ** 2;
  return 10 * Math.log10(PEAK ** 2 / (squares / image.length));
}

const RADIUS = 5;
const SIGMA = 1.5;
const C1 = (0.01 * PEAK) ** 2;
const C2 = (0.03 * PEAK) ** 2;

/**
 * The structural similarity (Wang et al. 2004): Gaussian windows of 11 x 11 pixels with standard
 * deviation 1.5, K1 0.01, K2 0.03, the mean over all windows inside the image and over channels.
 * @returns in [-1, 1]; 1 for equal images
 * @throws {RangeError} when a side is shorter than 11 pixels
 */
export function ssim(pair: ImagePair): number {
  const { image, reference, height, width, channels } = pair;
  if (Math.min(height, width) < 2 * RADIUS + 1) {
    throw new RangeError(`Cannot take the SSIM of ${height} x ${width} pixels: it needs 11 x 11`);
  }
  let total = 0;
  for (let channel = 0; channel < channels; channel++) {
    const planeOf = (values: Uint8Array) =>
      Float64Array.from({ length: height * width }, (_, at) => values[at * channels + channel]);
    total += planeSsim(planeOf(image), planeOf(reference), [height, width]);
  }
  return total / channels;
}

function planeSsim(x: Float64Array, y: Float64Array, size: [number, number]): number {
  const meanOf = (values: Float64Array) => blurred(values, size);
  const meanX = meanOf(x);
  const meanY = meanOf(y);
  const squareX = meanOf(x.map((value) => value * value));
  const squareY = meanOf(y.map((value) => value * value));
  const product = meanOf(x.map((value, at) => value * y[at]));
  let total = 0;
  for (let at = 0; at < meanX.length; at++) {
    const [a, b] = [meanX[at], meanY[at]];
    const variances = squareX[at] - a * a + squareY[at] - b * b;
    const covariance = product[at] - a * b;
    total += (2 * a * b + C1) * (2 * covariance + C2) /
      ((a * a + b * b + C1) * (variances + C2));
  }
  return total / meanX.length;
}

const WINDOW = gaussianWindow();

function gaussianWindow(): number[] {
  const weights = Array.from(
    { length: 2 * RADIUS + 1 },
    (_, at) => Math.exp(-((at - RADIUS) ** 2) / (2 * SIGMA ** 2)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Weighted means of the windows that lie inside. `[h, w] -> [h - 10, w - 10]` */
function blurred(plane: Float64Array, [height, width]: [number, number]): Float64Array {
  const inner = width - 2 * RADIUS;
  const rows = new Float64Array(height * inner);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < inner; x++) {
      let sum = 0;
      for (const [at, weight] of WINDOW.entries()) sum += weight * plane[y * width + x + at];
      rows[y * inner + x] = sum;
    }
  }
  const result = new Float64Array((height - 2 * RADIUS) * inner);
  for (let at = 0; at < result.length; at++) {
    let sum = 0;
    for (const [row, weight] of WINDOW.entries()) sum += weight * rows[at + row * inner];
    result[at] = sum;
  }
  return result;
}
