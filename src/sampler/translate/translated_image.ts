/** What `translate` gives: an image with its values, and the ways to show and save it. */
import type { PngImage } from "../../raster/png.ts";
import { Raster } from "../../raster/raster.ts";
import { rasterize } from "../sample.ts";

/** What a {@linkcode TranslatedImage} is made of. */
export interface TranslatedParts {
  values: Float32Array;
  channels: number;
  width: number;
  height: number;
  range: [number, number];
  /** `[height, width]` of 8 bits, where the image given was transparent somewhere. */
  alpha: Uint8Array | null;
  tiles: number;
  notes: string[];
}

/** An image that was made from an image. */
export class TranslatedImage {
  /** Pixels a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Of the model's output. */
  readonly channels: number;
  /** The model's values, `[channels, height, width]`, in its own range. */
  readonly values: Float32Array;
  /** In how many tiles it was made; 1: as a whole. */
  readonly tiles: number;
  /** What was done to fit the image to the model: channels, padding, tiles, transparency; one line each. */
  readonly notes: readonly string[];
  readonly #range: [number, number];
  readonly #alpha: Uint8Array | null;
  #raster: Raster | null = null;

  /** @internal */
  constructor({ values, channels, width, height, range, alpha, tiles, notes }: TranslatedParts) {
    this.values = values;
    this.channels = channels;
    this.width = width;
    this.height = height;
    this.tiles = tiles;
    this.notes = notes;
    this.#range = range;
    this.#alpha = alpha;
  }

  /**
   * The image in 8 bits a channel: values of the model's range go linearly to 0 ... 255. It is transparent
   * where the image given was.
   * @throws {TypeError} if the model makes no image of 1, 3 or 4 channels
   */
  toRaster(): Raster {
    return this.#raster ??= this.#rasterize();
  }

  #rasterize(): Raster {
    const { channels, width, height } = this;
    if (![1, 3, 4].includes(channels)) {
      throw new TypeError(`Cannot show an image of ${channels} channels: use its values`);
    }
    const shape = [channels, height, width];
    const color = rasterize(this.values, {
      kind: "image",
      shape,
      dtype: "float32",
      range: this.#range,
    });
    const alpha = this.#alpha;
    if (alpha === null || channels === 4) return color;
    const own = channels + 1;
    const data = new Uint8Array(width * height * own);
    for (let pixel = 0; pixel < alpha.length; pixel++) {
      for (let c = 0; c < channels; c++) data[pixel * own + c] = color.data[pixel * channels + c];
      data[pixel * own + channels] = alpha[pixel];
    }
    return new Raster({ width, height, channels: own as 2 | 4, data });
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
