/**
 * Images as measures see them: 8 bits a channel, as they would be saved, real and generated alike. Here
 * they come in batches, from the data and from a sampler, so that no measure holds all images at once.
 */
import type { DataSource } from "../data/source.ts";
import type { HostTensor } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import type { SampleOptions, Sampler } from "../sampler/mod.ts";

/** Some images. */
export interface PixelBatch {
  /** `[count, height, width, channels]` */
  data: Uint8Array;
  /** Images. */
  count: number;
  /** Rows of an image. */
  height: number;
  /** Pixels of a row. */
  width: number;
  /** 1 gray, 3 RGB, 4 RGB and alpha. */
  channels: 1 | 3 | 4;
}

/** Images of a batch. */
export const PIXEL_BATCH = 256;

/** Images of the data. @param indices which, in order */
export function* realBatches(data: DataSource, indices: Uint32Array): Generator<PixelBatch> {
  for (let first = 0; first < indices.length; first += PIXEL_BATCH) {
    yield pixelsOf(data, indices.subarray(first, first + PIXEL_BATCH));
  }
}

/** Images of the data at once. */
export function pixelsOf(data: DataSource, indices: Uint32Array): PixelBatch {
  const [height, width, channels] = data.shape;
  const size = data.sampleSize;
  const shape = { count: indices.length, height, width, channels: channels as 1 | 3 | 4 };
  const { pixels } = data;
  if (!pixels) {
    const bytes = Uint8ClampedArray.from(data.batch(indices).values, (x) => (x + 1) * 127.5);
    return { data: new Uint8Array(bytes.buffer), ...shape };
  }
  const bytes = new Uint8Array(indices.length * size);
  indices.forEach((from, to) => {
    bytes.set(pixels.subarray(from * size, (from + 1) * size), to * size);
  });
  return { data: bytes, ...shape };
}

/** Images that a network gave, as they would be saved. @param samples `[n, ...shape]` flat, in [-1, 1] */
export function* networkBatches(
  samples: Float32Array,
  [height, width, channels]: readonly number[],
): Generator<PixelBatch> {
  const size = height * width * channels;
  for (let first = 0; first < samples.length; first += PIXEL_BATCH * size) {
    const part = samples.subarray(first, first + PIXEL_BATCH * size);
    yield {
      data: new Uint8Array(Uint8ClampedArray.from(part, (x) => (x + 1) * 127.5).buffer),
      count: part.length / size,
      height,
      width,
      channels: channels as 1 | 3 | 4,
    };
  }
}

/**
 * Images that a generator draws.
 * @throws {UserError} when one of them holds NaN or infinity
 */
export async function* generatedBatches(
  sampler: Sampler,
  options: SampleOptions,
): AsyncGenerator<PixelBatch> {
  const [channels, height, width] = sampler.info.output.shape;
  const size = height * width * channels;
  let bytes = new Uint8Array(PIXEL_BATCH * size);
  let count = 0;
  const batch = (): PixelBatch => ({
    data: bytes.subarray(0, count * size),
    count,
    height,
    width,
    channels: channels as 1 | 3 | 4,
  });
  for await (const sample of sampler.stream(options)) {
    requireFinite(sample.values, sample.seed);
    bytes.set(sample.toRaster().data, count++ * size);
    if (count < PIXEL_BATCH) continue;
    yield batch();
    bytes = new Uint8Array(PIXEL_BATCH * size);
    count = 0;
  }
  if (count) yield batch();
}

/**
 * Refuses a sample that is no sample.
 * @throws {UserError} naming its seed
 */
export function requireFinite(values: Float32Array | Uint8Array, seed: number | null): void {
  if (values instanceof Uint8Array) return;
  const fault = values.findIndex((value) => !Number.isFinite(value));
  if (fault < 0) return;
  throw new UserError(
    `Cannot evaluate the generator: the sample of seed ${seed} holds ${
      values[fault]
    }; its training ` +
      "has diverged, so export an earlier checkpoint or train again with a smaller learning rate",
  );
}

/** A batch as networks take it. @returns `[count, height, width, channels]` in [-1, 1] */
export function toTensor({ data, count, height, width, channels }: PixelBatch): HostTensor {
  return {
    shape: [count, height, width, channels],
    dtype: "float32",
    data: Float32Array.from(data, (value) => value / 127.5 - 1),
  };
}
