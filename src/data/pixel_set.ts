/** 8-bit pictures as a file holds them, and the last steps from there to a data source. */
import { type ImageSize, imageSize } from "../config/data.ts";
import { UserError } from "../errors.ts";
import { cropAndResize, type Raster, toChannels } from "./images/raster.ts";
import { randomSubset } from "./order.ts";
import { counted, type DataSource, imageSource } from "./source.ts";

/** Pictures of one shape. */
export interface PixelSet {
  /** The source's name. */
  name: string;
  /** What was read, for the source's description. */
  origin: string;
  /** `[height, width, channels]` */
  shape: [number, number, 1 | 3];
  /** `[count, height, width, channels]` */
  pixels: Uint8Array;
  /** `[count]` */
  labels?: Int32Array;
  /** Names of the classes, where there are labels. */
  classNames?: readonly string[];
}

/** What a user may want of pictures. */
export interface PixelOptions {
  /** Pixels to which the middle, cut to their aspect ratio, is resized. */
  size?: ImageSize;
  /** 1 for grey, 3 for RGB. */
  channels?: 1 | 3;
  /** How many to take, picked at random. */
  count?: number;
  /** Seed of the random pick. */
  seed: number;
}

/**
 * Picks, converts and resizes pictures, and makes them a data source.
 * @throws {UserError} when more are wanted than are there
 */
export function pixelSource(set: PixelSet, options: PixelOptions): DataSource {
  const { name, origin, shape, pixels, labels, classNames } = reshapePixels(
    pickPixels(set, options),
    options,
  );
  const [height, width, channels] = shape;
  const classes = labels && classNames ? `, ${classNames.length} classes` : ", no labels";
  return imageSource(pixels, {
    name,
    description: `${origin}: ${width} x ${height} pixels, ${
      channels === 1 ? "grey" : "RGB"
    }${classes}`,
    shape,
    labels,
    classNames,
  });
}

function pickPixels(set: PixelSet, { count, seed }: PixelOptions): PixelSet {
  const size = set.shape[0] * set.shape[1] * set.shape[2];
  const total = set.pixels.length / size;
  if (count === undefined || count === total) return set;
  if (count > total) {
    throw new UserError(
      `Cannot take ${count} samples from ${set.origin}: there are ${total}; lower "count"`,
    );
  }
  const chosen = randomSubset(total, { wanted: count, seed });
  const pixels = new Uint8Array(count * size);
  for (const [to, from] of chosen.entries()) {
    pixels.set(set.pixels.subarray(from * size, (from + 1) * size), to * size);
  }
  const picked = {
    ...set,
    pixels,
    origin: `${counted(count)} picked at random from ${set.origin}`,
  };
  const { labels } = set;
  if (labels) picked.labels = Int32Array.from(chosen, (index) => labels[index]);
  return picked;
}

function reshapePixels(set: PixelSet, { size, channels = set.shape[2] }: PixelOptions): PixelSet {
  const [height, width, oldChannels] = set.shape;
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  if (newHeight === height && newWidth === width && channels === oldChannels) return set;
  const from = height * width * oldChannels;
  const to = newHeight * newWidth * channels;
  const count = set.pixels.length / from;
  const pixels = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const data = set.pixels.subarray(i * from, (i + 1) * from);
    const raster: Raster = { width, height, channels: oldChannels, data };
    const shaped = cropAndResize(raster, { width: newWidth, height: newHeight });
    pixels.set(toChannels(shaped, channels).data, i * to);
  }
  return { ...set, pixels, shape: [newHeight, newWidth, channels] };
}
