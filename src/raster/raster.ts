/** Pixels of 8 bits, and the ways to show them: RGBA, PNG, ImageData, ImageBitmap. */
import { encodePng, type PngImage } from "./png.ts";

/** An image of 8 bits a channel: rows from the top, pixels from the left, channels together. */
export interface RasterImage {
  /** Pixels a row. */
  width: number;
  /** Rows. */
  height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. */
  channels: 1 | 2 | 3 | 4;
  /** `height * width * channels` bytes. */
  data: Uint8Array | Uint8ClampedArray;
}

/** A {@linkcode RasterImage} that can be shown and saved. */
export class Raster implements RasterImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray;

  /**
   * Wraps pixels; they are not copied.
   * @throws {RangeError} when `data` has another length than the sizes need
   */
  constructor(image: RasterImage) {
    const { width, height, channels, data } = image;
    if (data.length !== width * height * channels) {
      throw new RangeError(
        `Cannot make an image of ${width} x ${height} x ${channels} channels from ${data.length} ` +
          `bytes: it needs ${width * height * channels}`,
      );
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.data = data;
  }

  /** The pixels as RGBA: `height * width * 4` bytes, opaque where the image has no alpha. */
  toRgba(): Uint8ClampedArray<ArrayBuffer> {
    const { channels, data } = this;
    const pixels = this.width * this.height;
    const rgba = new Uint8ClampedArray(pixels * 4);
    const green = channels >= 3 ? 1 : 0;
    const blue = channels >= 3 ? 2 : 0;
    const alpha = channels === 2 ? 1 : channels === 4 ? 3 : -1;
    for (let i = 0, from = 0, to = 0; i < pixels; i++, from += channels, to += 4) {
      rgba[to] = data[from];
      rgba[to + 1] = data[from + green];
      rgba[to + 2] = data[from + blue];
      rgba[to + 3] = alpha < 0 ? 255 : data[from + alpha];
    }
    return rgba;
  }

  /**
   * The image as a PNG file.
   * @param text text chunks to write: keyword to text
   */
  toPng(text?: PngImage["text"]): Promise<Uint8Array<ArrayBuffer>> {
    return encodePng({
      width: this.width,
      height: this.height,
      channels: this.channels,
      data: this.data,
      text,
    });
  }

  /**
   * The image for a canvas' `putImageData`.
   * @throws {TypeError} where there is no `ImageData`, as in Node
   */
  toImageData(): ImageData {
    if (typeof ImageData === "undefined") {
      throw new TypeError("Cannot make an ImageData: this platform has none; use toRgba or toPng");
    }
    return new ImageData(this.toRgba(), this.width, this.height);
  }

  /**
   * The image for a canvas' `drawImage`. Close it when done.
   * @throws {TypeError} where there is no `createImageBitmap`, as in Node
   */
  async toImageBitmap(): Promise<ImageBitmap> {
    if (typeof createImageBitmap === "undefined") {
      throw new TypeError("Cannot make an ImageBitmap: this platform has none; use toPng");
    }
    return await createImageBitmap(this.toImageData());
  }
}
