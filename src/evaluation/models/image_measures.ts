/** How near generated images are to those that they should be. */
import type { DataSource } from "../../data/source.ts";
import type { Engine } from "../../engine/types.ts";
import { psnr, ssim } from "../../metrics/image_quality.ts";
import { canClassify, likeliest, trainClassifier } from "../classifier.ts";

/** Images of one shape. */
export interface ImageValues {
  /** `[count, height, width, channels]` in [-1, 1] */
  values: Float32Array;
  /** `[height, width, channels]` */
  shape: readonly number[];
}

/** Sides below this have no SSIM. */
const MIN_SSIM_SIDE = 11;

/** The mean absolute difference, of values in [-1, 1]. */
export function meanL1(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += Math.abs(one[i] - other[i]);
  return sum / one.length;
}

/** The mean PSNR of images, dB; Infinity where all are equal to what they should be. */
export function meanPsnr({ values, shape }: ImageValues, reference: Float32Array): number {
  return meanOf(values, {
    reference,
    shape,
    measure: (image, other) => psnr({ image, reference: other }),
  });
}

/** The mean SSIM of images; undefined for sides below 11 pixels. */
export function meanSsim(
  { values, shape }: ImageValues,
  reference: Float32Array,
): number | undefined {
  const [height, width, channels] = shape;
  if (Math.min(height, width) < MIN_SSIM_SIDE) return undefined;
  return meanOf(values, {
    reference,
    shape,
    measure: (image, other) => ssim({ image, reference: other, height, width, channels }),
  });
}

function meanOf(
  values: Float32Array,
  { reference, shape: [height, width, channels], measure }: {
    reference: Float32Array;
    shape: readonly number[];
    measure(image: Uint8Array, reference: Uint8Array): number;
  },
): number {
  const size = height * width * channels;
  const count = values.length / size;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const part = (all: Float32Array) => toBytes(all.subarray(i * size, (i + 1) * size));
    sum += measure(part(values), part(reference));
  }
  return sum / count;
}

/** [-1, 1] to 0 ... 255, rounded; what is beyond is cut. */
function toBytes(values: Float32Array): Uint8Array {
  return Uint8Array.from(Uint8ClampedArray.from(values, (value) => (value + 1) * 127.5));
}

/** How often a classifier is right, and on how many images it was trained. */
export interface ClassAccuracy {
  /** Of the generated images. */
  generated: number;
  /** Of the true ones. */
  real: number;
}

/**
 * Trains a small classifier on images with labels, and asks it for the class of others.
 * @param trained what the classifier learns from
 * @param held labels, generated and true images, `[count, ...shape]` in [-1, 1]
 * @returns undefined where there are no labels, or too few images of a class
 */
export async function classAccuracy(
  trained: DataSource,
  held: { labels: Int32Array; generated: Float32Array; real: Float32Array },
  engine: Engine,
): Promise<ClassAccuracy | undefined> {
  if (!canClassify(trained)) return undefined;
  const classifier = await trainClassifier(engine, trained);
  try {
    const [height, width, channels] = trained.shape;
    const size = trained.sampleSize;
    const share = async (values: Float32Array): Promise<number> => {
      const count = values.length / size;
      let right = 0;
      for (let first = 0; first < count; first += CLASSIFIED) {
        const length = Math.min(CLASSIFIED, count - first);
        const data = toBytes(values.subarray(first * size, (first + length) * size));
        const { probabilities } = await classifier.extract({
          data,
          count: length,
          height,
          width,
          channels: channels as 1 | 3,
        });
        likeliest(probabilities!, classifier.classes).forEach((found, i) => {
          if (found === held.labels[first + i]) right++;
        });
      }
      return right / count;
    };
    return { generated: await share(held.generated), real: await share(held.real) };
  } finally {
    await classifier.dispose();
  }
}

const CLASSIFIED = 100;
