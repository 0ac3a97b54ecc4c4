/**
 * How many of the thousand modes of stacked digits a generator found: a classifier of single digits, trained
 * on the digits that the pictures are stacked from, reads each channel by itself.
 */
import type { DataSpec } from "../config/data.ts";
import { openDataSource } from "../data/open.ts";
import type { Engine, HostTensors } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { type ClassModes, classModes } from "../metrics/class_probabilities.ts";
import type { Network } from "../nn/mod.ts";
import { type Classifier, likeliest, trainClassifier } from "./classifier.ts";
import { compileNetwork, generatorWeights, seededLatents } from "./generate.ts";
import type { PixelBatch } from "./pixels.ts";
import type { LatentSpec } from "../config/update.ts";

/** Samples of the published tables (Metz et al. 2017; Lin et al. 2018, section 4.2). */
export const STACKED_SAMPLES = 25_600;
const CHANNELS = 3;
const DIGITS = 10;
/** Pictures that are made and read at once. */
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
 * @param spec the stacked data; its digits are those at its path, or drawn ones
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
      `Cannot count stacked digits with ${digits.name}: it takes labelled pictures of ten classes`,
    );
  }
  return await trainClassifier(engine, digits);
}

/** What {@linkcode countStackedModes} looks at. */
export interface StackedSetup {
  engine: Engine;
  /** Makes pictures of three channels. */
  generator: Network;
  latent: LatentSpec;
  /** The trained run's. */
  state: HostTensors;
  /** Reads single digits. */
  classifier: Classifier;
  /** Pictures to read; {@linkcode STACKED_SAMPLES} by default. */
  samples?: number;
}

/**
 * Counts the modes that a trained generator's pictures have: digits a, b and c in the channels are the mode
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
      const [height, width] = generator.outputShape;
      const batch = separateChannels(data as Float32Array, { count, height, width });
      const { probabilities } = await classifier.extract(batch);
      const digits = likeliest(probabilities!, DIGITS); // [count * 3], the channels of a picture in a row
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
 * Each channel as a grey picture, in 8 bits as it would be saved.
 * @param pictures `[count, height, width, 3]` in [-1, 1] @returns `[3 count, height, width, 1]`
 */
function separateChannels(
  pictures: Float32Array,
  { count, height, width }: { count: number; height: number; width: number },
): PixelBatch {
  const size = height * width;
  const grey = new Uint8ClampedArray(count * CHANNELS * size);
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let pixel = 0; pixel < size; pixel++) {
        const value = pictures[(i * size + pixel) * CHANNELS + channel];
        grey[(i * CHANNELS + channel) * size + pixel] = (value + 1) * 127.5;
      }
    }
  }
  return {
    data: new Uint8Array(grey.buffer),
    count: count * CHANNELS,
    height,
    width,
    channels: 1,
  };
}
