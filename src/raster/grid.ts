/** Several images of one size as one image. */
import { Raster, type RasterImage } from "./raster.ts";

/** How {@linkcode grid} places images. */
export interface GridOptions {
  /** Images a row; by default the number that makes the grid nearest to a square. */
  columns?: number;
  /** Pixels between images and around them. Default 2. */
  padding?: number;
  /** Value of every channel, or one value a channel, of the space between. Default 255, white. */
  background?: number | readonly number[];
}

/**
 * Places images row by row, from the top left, into one image.
 * @param images at least one; all of the same width, height and channels
 * @returns `rows * (height + padding) + padding` rows of `columns * (width + padding) + padding` pixels
 * @throws {RangeError} if there is no image, one differs from the first, or an option is out of range
 *
 * @example
 * ```ts
 * import { grid } from "@ganforge/ganforge/sampler";
 *
 * const dot = { width: 1, height: 1, channels: 1 as const, data: new Uint8Array([0]) };
 * const sheet = grid([dot, dot, dot, dot], { padding: 1 });
 * console.log(sheet.width, sheet.height); // 5 5
 * ```
 */
export function grid(images: readonly RasterImage[], options: GridOptions = {}): Raster {
  if (images.length === 0) {
    throw new RangeError("Cannot make a grid of 0 images: it takes 1 or more");
  }
  const { width, height, channels } = images[0];
  const columns = options.columns ?? Math.ceil(Math.sqrt(images.length));
  const padding = options.padding ?? 2;
  const background = options.background ?? 255;
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`Cannot make a grid of ${columns} columns: it takes a positive integer`);
  }
  if (!Number.isInteger(padding) || padding < 0) {
    throw new RangeError(`Cannot make a grid with padding ${padding}: it takes whole pixels >= 0`);
  }
  const fill = typeof background === "number" ? Array(channels).fill(background) : background;
  if (fill.length !== channels) {
    throw new RangeError(
      `Cannot fill a grid of ${channels} channels with a background of ${fill.length} values`,
    );
  }
  const rows = Math.ceil(images.length / columns);
  const outWidth = columns * (width + padding) + padding;
  const outHeight = rows * (height + padding) + padding;
  const data = new Uint8Array(outWidth * outHeight * channels);
  if (channels === 1) data.fill(fill[0]);
  else for (let i = 0; i < data.length; i++) data[i] = fill[i % channels];
  images.forEach((image, index) => {
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new RangeError(
        `Cannot place image ${index} of ${image.width} x ${image.height} x ${image.channels} ` +
          `channels into a grid of ${width} x ${height} x ${channels}: all must be alike`,
      );
    }
    const left = padding + (index % columns) * (width + padding);
    const top = padding + Math.floor(index / columns) * (height + padding);
    const stride = width * channels;
    for (let y = 0; y < height; y++) {
      const row = image.data.subarray(y * stride, (y + 1) * stride);
      data.set(row, ((top + y) * outWidth + left) * channels);
    }
  });
  return new Raster({ width: outWidth, height: outHeight, channels, data });
}
