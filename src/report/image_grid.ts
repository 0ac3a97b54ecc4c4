/**
 * Training's images as one sheet to look at: from the values that networks give to a grid, enlarged by
 * whole pixels where the images are small.
 */
import { grid } from "../raster/grid.ts";
import { Raster, type RasterImage } from "../raster/raster.ts";

/** Images as networks have them. */
export interface ImageBatch {
  /** `[count, height, width, channels]`: floats in [-1, 1] (others are clipped), or bytes. */
  data: Float32Array | Uint8Array | Uint8ClampedArray;
  /** Images. */
  count: number;
  /** Rows of an image. */
  height: number;
  /** Pixels of a row. */
  width: number;
  /** 1 gray, 3 RGB, 4 RGB and alpha. */
  channels: 1 | 3 | 4;
}

/** How {@linkcode imageGrid} lays images out. */
export interface ImageGridOptions {
  /** Images a row; by default as square as can be. */
  columns?: number;
  /** Whole factor of enlargement. By default the largest that keeps the grid within 600 pixels, at least 1. */
  scale?: number;
  /** Pixels between images and around them, before enlargement. Default 1. */
  padding?: number;
}

/** The side, in pixels, that a grid is enlarged toward: half of a laptop's screen. */
const COMFORTABLE_SIDE = 600;

/**
 * Cuts a batch into images of bytes, [-1, 1] to 0 ... 255. NaN becomes 0.
 * @throws {RangeError} if `data` has another length than the shape needs
 */
export function toRasters(batch: ImageBatch): RasterImage[] {
  const { data, count, height, width, channels } = batch;
  const size = height * width * channels;
  if (data.length !== count * size) {
    throw new RangeError(
      `Cannot cut ${data.length} values into ${count} images of ${height} x ${width} x ${channels}: ` +
        `they need ${count * size}`,
    );
  }
  // A Uint8ClampedArray rounds to nearest and clips; NaN becomes 0.
  const bytes = data instanceof Float32Array
    ? Uint8ClampedArray.from(data, (value) => (value + 1) * 127.5)
    : data;
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    channels,
    data: bytes.subarray(i * size, (i + 1) * size),
  }));
}

/**
 * Lays images out in a grid; `(await imageGrid(batch).toPng())` is the file.
 * @throws {RangeError} if there is no image, `data` does not fit the shape, or an option is out of range
 */
export function imageGrid(batch: ImageBatch, options: ImageGridOptions = {}): Raster {
  const sheet = grid(toRasters(batch), {
    columns: options.columns,
    padding: options.padding ?? 1,
  });
  return enlarge(sheet, options.scale ?? gridScale(sheet));
}

/** The whole factor by which a sheet is enlarged where nothing else is asked for. */
export function gridScale({ width, height }: Pick<RasterImage, "width" | "height">): number {
  return Math.max(1, Math.floor(COMFORTABLE_SIDE / Math.max(width, height)));
}

/**
 * Repeats each pixel, so that edges stay sharp.
 * @param factor a positive integer
 * @throws {RangeError} if the factor is not one
 */
export function enlarge(image: RasterImage, factor: number): Raster {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new RangeError(`Cannot enlarge an image ${factor} times: it takes a positive integer`);
  }
  const { width, height, channels, data } = image;
  const stride = width * factor * channels;
  const enlarged = new Uint8Array(stride * height * factor);
  for (let y = 0; y < height; y++) {
    const start = y * factor * stride;
    for (let x = 0; x < width * factor; x++) {
      const from = (y * width + Math.floor(x / factor)) * channels;
      for (let c = 0; c < channels; c++) enlarged[start + x * channels + c] = data[from + c];
    }
    for (let copy = 1; copy < factor; copy++) {
      enlarged.copyWithin(start + copy * stride, start, start + stride);
    }
  }
  return new Raster({
    width: width * factor,
    height: height * factor,
    channels,
    data: enlarged,
  });
}
