/**
 * How samples resemble the training data pixel by pixel: small copies of the images, the distance by
 * random projections, and the nearest training images.
 */
import type { DataSource } from "../data/source.ts";
import {
  memorization,
  nearestNeighbors,
  type SampleMatrix,
  sampleMatrix,
  selectRows,
  slicedWasserstein,
} from "../metrics/mod.ts";
import type { Sampler } from "../sampler/mod.ts";
import type { MemorizationEvaluation, SlicedEvaluation } from "./evaluation.ts";
import { splitInTwo } from "./feature_measures.ts";
import { generatedBatches, type PixelBatch, pixelsOf } from "./pixels.ts";

/** Values of a small copy, at most: 28 x 28 gray images stay as they are. */
const THUMBNAIL_NUMBERS = 1024;
/** Products that looking samples up may take: about 2 seconds on a core of 2025. */
const LOOKUP_PRODUCTS = 5e9;
/** Samples that are looked up, whatever it takes, and at most. */
const LOOKUPS = { min: 64, max: 1000 };
/** Training samples that they are looked up in, at most: 400 MB. */
export const MAX_TRAINING = 100_000;
/** Random directions of the sliced distance. */
export const PROJECTIONS = 100;
/** Samples that are shown beside their nearest training images. */
const SHOWN = 10;
/** Training images in a row. */
const SHOWN_NEIGHBORS = 5;

/** How an image is made small. */
export interface Thumbnail {
  /** Whole pixels that become one, along either axis; 1: none. */
  factor: number;
  /** Values of a small copy. */
  length: number;
  /** For a person: what is measured. */
  description: string;
}

/** Chooses the smallest whole factor that gives at most 1,024 values. @param shape `[h, w, c]` */
export function planThumbnails([height, width, channels]: readonly number[]): Thumbnail {
  const length = (factor: number) =>
    Math.ceil(height / factor) * Math.ceil(width / factor) * channels;
  let factor = 1;
  while (length(factor) > THUMBNAIL_NUMBERS && factor < Math.max(height, width)) factor++;
  const description = factor === 1
    ? `pixels in [-1, 1], ${length(1)} an image`
    : `pixels in [-1, 1], means of ${factor} x ${factor}, ${length(factor)} an image`;
  return { factor, length: length(factor), description };
}

/** Small copies of images: means over squares. @returns `[count, thumbnail.length]` in [-1, 1] */
export function thumbnails(batch: PixelBatch, { factor, length }: Thumbnail): Float32Array {
  const { data, count, height, width, channels } = batch;
  const small = new Float32Array(count * length);
  let to = 0;
  for (let i = 0; i < count; i++) {
    const image = i * height * width * channels;
    for (let top = 0; top < height; top += factor) {
      const bottom = Math.min(height, top + factor);
      for (let left = 0; left < width; left += factor) {
        const right = Math.min(width, left + factor);
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) sum += data[image + (y * width + x) * channels + c];
          }
          small[to++] = sum / ((bottom - top) * (right - left)) / 127.5 - 1;
        }
      }
    }
  }
  return small;
}

/** The sliced Wasserstein-1 distance of samples to data, and of one half of the data to the other. */
export function measureSliced(
  real: SampleMatrix,
  generated: SampleMatrix,
  { of, seed }: { of: string; seed: number },
): SlicedEvaluation {
  const options = { projections: PROJECTIONS, seed };
  return {
    of,
    projections: PROJECTIONS,
    figures: {
      generated: slicedWasserstein(real, generated, options),
      data: slicedWasserstein(...splitInTwo(real), options),
    },
  };
}

/** What {@linkcode measureMemorization} looks at. */
export interface Lookup {
  /** Samples in the order of their seeds. */
  generated: SampleMatrix;
  /** `[n]` rows of training data. */
  training: SampleMatrix;
  /** What the rows are. */
  of: string;
  /** The seed of the first sample. */
  firstSeed: number;
}

/** Looks the first samples up in the training data. */
export function measureMemorization(lookup: Lookup): MemorizationEvaluation {
  const { generated, training, of, firstSeed } = lookup;
  const affordable = LOOKUP_PRODUCTS / (2 * training.count * training.dimensions);
  const asked = Math.floor(Math.min(
    generated.count,
    LOOKUPS.max,
    Math.max(LOOKUPS.min, affordable),
  ));
  const rows = Uint32Array.from({ length: asked }, (_, i) => i);
  const found = memorization(selectRows(generated, rows), training);
  const closest = rows.sort((a, b) => found.distances[a] - found.distances[b]).subarray(0, SHOWN);
  return {
    of,
    samples: asked,
    training: training.count,
    medianDistance: found.medianDistance,
    medianTrainingDistance: found.medianTrainingDistance,
    ratio: found.ratio,
    copies: found.copies,
    closest: Array.from(closest, (row) => ({
      seed: firstSeed + row,
      trainingIndex: found.nearest[row],
      distance: found.distances[row],
    })),
  };
}

/** What {@linkcode neighborImages} takes images from. */
export interface NeighborSetup {
  /** Makes the samples again. */
  sampler: Sampler;
  /** The training images. */
  data: DataSource;
  /** Small copies of the first training images. */
  training: SampleMatrix;
  /** How they were made small. */
  thumbnail: Thumbnail;
  /** Whose `closest` are shown. */
  memorization: MemorizationEvaluation;
  /** The class of a sample, for a conditional generator. */
  labelOf?: (seed: number) => number;
}

/** Samples beside their nearest training images, row by row. */
export interface NeighborImages {
  /** In each row the sample, then its nearest training images, nearest first. */
  images: PixelBatch;
  /** Images of a row. */
  columns: number;
  /** The seed of each row's sample. */
  seeds: number[];
}

/** Takes the samples that are nearest to the training data, each with its nearest training images. */
export async function neighborImages(setup: NeighborSetup): Promise<NeighborImages> {
  const { sampler, data, training, thumbnail, memorization, labelOf } = setup;
  const seeds = memorization.closest.map(({ seed }) => seed);
  const samples = (await Array.fromAsync(
    generatedBatches(sampler, { seeds, label: labelOf && seeds.map(labelOf) }),
  ))[0]; // SHOWN fit into one batch
  const small = sampleMatrix(thumbnails(samples, thumbnail), thumbnail.length);
  const k = Math.min(SHOWN_NEIGHBORS, training.count);
  const { indices } = nearestNeighbors(small, training, k);
  const size = data.sampleSize;
  const neighbors = pixelsOf(data, indices).data;
  const images = new Uint8Array(seeds.length * (1 + k) * size);
  for (let row = 0; row < seeds.length; row++) {
    const start = row * (1 + k) * size;
    images.set(samples.data.subarray(row * size, (row + 1) * size), start);
    images.set(neighbors.subarray(row * k * size, (row + 1) * k * size), start + size);
  }
  return {
    images: { ...samples, data: images, count: seeds.length * (1 + k) },
    columns: 1 + k,
    seeds,
  };
}
