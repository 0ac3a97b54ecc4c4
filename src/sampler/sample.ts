/** What a generator gives: a sample with its values, and the ways to show it when it is an image. */
import type { OutputSpec } from "./generator_info.ts";
import { grid, type GridOptions } from "../raster/grid.ts";
import type { PngImage } from "../raster/png.ts";
import { Raster } from "../raster/raster.ts";
import type { RequestBatch } from "./requests.ts";

/** A run that is done: what it was made from, and what it gave. */
export interface FinishedRun {
  batch: RequestBatch;
  /** The values of all samples, one sample after the other. */
  data: Float32Array | Uint8Array;
  output: OutputSpec;
  /** Values of a sample. */
  sampleLength: number;
  /** Values of a latent. */
  latentLength: number;
}

/** One sample of a generator. */
export class Sample {
  /** Its number in the request, from 0. */
  readonly index: number;
  /** The seed of its latent; null where the latent was given. */
  readonly seed: number | null;
  /** Its class; null where the generator takes none. */
  readonly label: number | null;
  /** `[channels, height, width]` for an image, `[length]` or whatever the model gives otherwise. */
  readonly shape: readonly number[];
  readonly #run: FinishedRun;
  readonly #at: number;
  #values: Float32Array | Uint8Array | null = null;
  #latent: Float32Array | null = null;
  #raster: Raster | null = null;

  /**
   * @param at its place in the run
   * @internal
   */
  constructor(run: FinishedRun, at: number) {
    this.index = run.batch.firstIndex + at;
    this.seed = run.batch.seeds[at];
    this.label = run.batch.labels?.[at] ?? null;
    this.shape = run.output.shape;
    this.#run = run;
    this.#at = at;
  }

  /**
   * The generator's values, in the order of {@linkcode shape}: a view of its batch's, which a sample
   * holds; so of few samples out of many keep copies.
   */
  get values(): Float32Array | Uint8Array {
    const { data, sampleLength } = this.#run;
    return this.#values ??= data.subarray(this.#at * sampleLength, (this.#at + 1) * sampleLength);
  }

  /** The latent that was fed, truncation applied: `[dimension]`; a view like {@linkcode values}. */
  get latent(): Float32Array {
    const { batch: { latents }, latentLength } = this.#run;
    return this.#latent ??= latents.subarray(
      this.#at * latentLength,
      (this.#at + 1) * latentLength,
    );
  }

  /** Whether the sample is an image. */
  get isImage(): boolean {
    return this.#run.output.kind === "image";
  }

  /**
   * The image in 8 bits a channel: values of the generator's range go linearly to 0 ... 255, values
   * beyond it are clamped; without a range, the image's own least and largest value are black and white.
   * @throws {TypeError} if the sample is not an image
   */
  toRaster(): Raster {
    if (this.#run.output.kind !== "image") {
      throw new TypeError(
        `Cannot show a sample of shape [${this.shape.join(", ")}] as an image: use its values`,
      );
    }
    return this.#raster ??= rasterize(this.values, this.#run.output);
  }

  /** See {@linkcode Raster.toRgba}. */
  toRgba(): Uint8ClampedArray<ArrayBuffer> {
    return this.toRaster().toRgba();
  }

  /** See {@linkcode Raster.toPng}. */
  async toPng(text?: PngImage["text"]): Promise<Uint8Array<ArrayBuffer>> {
    return await this.toRaster().toPng(text);
  }

  /** See {@linkcode Raster.toImageData}. */
  toImageData(): ImageData {
    return this.toRaster().toImageData();
  }

  /** See {@linkcode Raster.toImageBitmap}. */
  async toImageBitmap(): Promise<ImageBitmap> {
    return await this.toRaster().toImageBitmap();
  }
}

/** A list of samples that knows how to lay them out. What `map`, `filter` and `slice` give is an array. */
export class SampleList extends Array<Sample> {
  /** @internal */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /**
   * All images as one; see {@linkcode grid}.
   * @throws {TypeError} if the samples are not images
   * @throws {RangeError} if an option is out of range
   */
  grid(options?: GridOptions): Raster {
    return grid(Array.from(this, (sample) => sample.toRaster()), options);
  }
}

/** `[channels, height, width]` of the generator's values to rows of bytes with channels together. */
export function rasterize(values: Float32Array | Uint8Array, output: OutputSpec): Raster {
  const [channels, height, width] = output.shape;
  const plane = height * width;
  const data = new Uint8ClampedArray(values.length);
  const [low, high] = output.range ?? extent(values);
  const scale = high > low ? 255 / (high - low) : 0;
  const asIs = output.dtype === "uint8" && low === 0 && high === 255;
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c * plane, to = c; i < plane; i++, from++, to += channels) {
      // Rounded here: a clamped array would round halves to even.
      data[to] = asIs ? values[from] : Math.floor((values[from] - low) * scale + 0.5);
    }
  }
  return new Raster({ width, height, channels: channels as 1 | 3 | 4, data });
}

function extent(values: Float32Array | Uint8Array): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
