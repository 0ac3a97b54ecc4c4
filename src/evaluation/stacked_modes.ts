/**
 * How many of the thousand modes of stacked digits a generator found: a classifier of single digits, trained
 * on the digits that the images are stacked from, reads each channel by itself.
 */
import type { DataSpec } from "../config/data.ts";
import type { LatentSpec } from "../config/update.ts";
import { openDataSource } from "../data/open.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { type ClassModes, classModes } from "../metrics/class_probabilities.ts";
import type { Network } from "../nn/mod.ts";
import { type Classifier, likeliest, trainClassifier } from "./classifier.ts";
import { compileNetwork, generatorWeights, seededLatents } from "./generate.ts";
import { networkBatches, type PixelBatch } from "./pixels.ts";

/** Samples of the published tables (Metz et al. 2017; Lin et al. 2018, section 4.2). */
const STACKED_SAMPLES = 25_600;
const CHANNELS = 3;
const DIGITS = 10;
/** Images that are made and read at once. */
const BATCH = 256;

/** The modes of stacked digits, and how far to trust them. */
export interface StackedModes extends ClassModes {
  /** Samples that were read. */
  samples: number;
  /** The classifier's share of right answers on digits that it had not seen. */
  accuracy: number;
}

/**
 * Trains the classifier for {@linkcode countStackedModes} on single digits.
 * @param spec the stacked data; its digits are those at its path, or synthetic ones
 * @throws {UserError} when the digits cannot be opened or have no ten classes
 */
export async function trainDigitClassifier(engine: Engine, spec: DataSpec): Promise<Classifier> {
  const { path, size, split, seed } = spec;
  const digits = await openDataSource({
    source: path === undefined ? "digits" : "auto",
    channels: 1,
    ...(path === undefined ? {} : { path, ...(split ? { split } : {}) }),
    ...(size === undefined ? {} : { size }),
    ...(seed === undefined ? {} : { seed }),
  });
  if (digits.kind !== "image" || digits.classNames?.length !== DIGITS) {
    throw new UserError(
      `Cannot count stacked digits with ${digits.name}: it takes labeled images of ten classes`,
    );
  }
  return await trainClassifier(engine, digits);
}

/** What {@linkcode countStackedModes} looks at. */
export interface StackedSetup {
  engine: Engine;
  /** Makes images of three channels. */
  generator: Network;
  latent: LatentSpec;
  /** The trained run's. */
  state: HostTensors;
  /** Reads single digits. */
  classifier: Classifier;
  /** Images to read; {@linkcode STACKED_SAMPLES} by default. */
  samples?: number;
}

/**
 * Counts the modes that a trained generator's images have: digits a, b and c in the channels are the mode
 * `100 a + 10 b + c`, and all modes have equal shares of the data.
 */
export async function countStackedModes(setup: StackedSetup): Promise<StackedModes> {
  const { engine, generator, latent, state, classifier, samples = STACKED_SAMPLES } = setup;
  const runner = await compileNetwork(engine, generator, BATCH);
  const modes: number[] = [];
  try {
    const weights = generatorWeights(state);
    for (let first = 0; first < samples; first += BATCH) {
      const count = Math.min(BATCH, samples - first);
      const seeds = Array.from({ length: count }, (_, i) => first + i);
      const { data } = await runner.run(weights, seededLatents(latent, first, count), { seeds });
      const [images] = networkBatches(data as Float32Array, generator.outputShape);
      const { probabilities } = await classifier.extract(separateChannels(images));
      const digits = likeliest(probabilities!, DIGITS); // [count * 3], the channels of an image in a row
      for (let i = 0; i < count; i++) {
        modes.push(100 * digits[3 * i] + 10 * digits[3 * i + 1] + digits[3 * i + 2]);
      }
    }
  } finally {
    await runner.dispose();
  }
  return { ...classModes(modes, { total: 1000 }), samples, accuracy: classifier.accuracy };
}

/**
 * A classifier of stacked digits made of one of single digits: its features are those of the three channels
 * side by side, and an image's probability of the mode `100 a + 10 b + c` is the product of its digits'.
 * @param digits of {@linkcode trainDigitClassifier}; disposed with the result
 * @param classNames the modes'
 */
export function stackedClassifier(digits: Classifier, classNames: readonly string[]): Classifier {
  return {
    ...digits,
    name: `own-classifier-${CHANNELS}x${digits.dimensions}`,
    description:
      `a small network that ganforge trained on ${digits.trainingCount} single digits, on each of the ` +
      "three channels, on pixels as they are, in [-1, 1]; not Inception",
    dimensions: CHANNELS * digits.dimensions,
    classes: DIGITS ** CHANNELS,
    classNames,
    accuracy: digits.accuracy ** CHANNELS, // of all three digits
    async extract(batch) {
      const { features, probabilities } = await digits.extract(separateChannels(batch));
      return { features, probabilities: productOfDigits(probabilities!) };
    },
  };
}

/** @param digits `[3 n, 10]`, the channels of an image in a row @returns `[n, 1000]` */
function productOfDigits(digits: Float32Array): Float32Array {
  const modes = DIGITS ** CHANNELS;
  const product = new Float32Array(digits.length / (CHANNELS * DIGITS) * modes);
  for (let at = 0; at < product.length; at++) {
    const image = Math.floor(at / modes) * CHANNELS * DIGITS;
    const mode = at % modes;
    const [a, b, c] = [Math.floor(mode / 100), Math.floor(mode / 10) % 10, mode % 10];
    product[at] = digits[image + a] * digits[image + DIGITS + b] *
      digits[image + 2 * DIGITS + c];
  }
  return product;
}

/** Each channel as a gray image. @param images `[n, h, w, 3]` @returns `[3 n, h, w, 1]` */
function separateChannels({ data, count, height, width }: PixelBatch): PixelBatch {
  const size = height * width;
  const gray = new Uint8Array(count * CHANNELS * size);
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let pixel = 0; pixel < size; pixel++) {
        gray[(i * CHANNELS + channel) * size + pixel] =
          data[(i * size + pixel) * CHANNELS + channel];
      }
    }
  }
  return { data: gray, count: count * CHANNELS, height, width, channels: 1 };
}
