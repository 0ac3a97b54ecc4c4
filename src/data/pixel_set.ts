/** 8-bit images as a file holds them, and the last steps from there to a data source. */
import { type ImageSize, imageSize } from "../config/data.ts";
import { UserError } from "../errors.ts";
import { type ImageChannels, type PixelImage, toChannels } from "./images/raster.ts";
import { cropAndResize, RESIZER } from "./images/resize.ts";
import { loadSharp } from "./images/sharp.ts";
import { randomSubset } from "./order.ts";
import { MemorySink, type SampleSink, type SetParts } from "./sample_sink.ts";
import { counted, type DataSource, imageSource } from "./source.ts";

/** Images of one shape. */
export interface PixelSet extends SetParts {
  /** `[count, height, width, channels]` */
  pixels: Uint8Array;
}

/** What a user may want of images. */
export interface PixelOptions {
  /** Pixels to which the middle, cut to their aspect ratio, is resized. */
  size?: ImageSize;
  /** 1 gray, 3 RGB, 4 RGB and alpha. */
  channels?: ImageChannels;
  /** How many to take, picked at random. */
  count?: number;
  /** Seed of the random pick. */
  seed: number;
}

/**
 * Picks, converts and resizes images, and makes them a data source.
 * @throws {UserError} when more are wanted than are there
 */
export async function pixelSource(set: PixelSet, options: PixelOptions): Promise<DataSource> {
  const picked = pickPixels(set, options);
  if (!isReshaped(picked, options)) return setSource(picked.pixels, picked);
  const sink = new MemorySink();
  const parts = await reshapePixels(picked, options, sink);
  return setSource(sink.pixels, parts);
}

/** The data source of decoded images. */
export function setSource(
  pixels: Uint8Array,
  parts: SetParts,
  fingerprint?: string,
): DataSource {
  const { name, shape, labels, classNames, decoding, notes } = parts;
  return imageSource(pixels, {
    name,
    description: describeSet(parts),
    shape,
    labels,
    classNames,
    decoding,
    notes,
    fingerprint,
  });
}

/** One line: what was read, the size of images, their channels and classes. */
export function describeSet({ origin, shape, labels, classNames }: SetParts): string {
  const [height, width, channels] = shape;
  const classes = labels && classNames ? `, ${classNames.length} classes` : ", no labels";
  const colors = { 1: "gray", 3: "RGB", 4: "RGBA" }[channels];
  return `${origin}: ${width} x ${height} pixels, ${colors}${classes}`;
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

/** Whether images have to be resized or converted. */
function isReshaped(
  { shape: [height, width, channels] }: PixelSet,
  { size, channels: wanted = channels }: PixelOptions,
): boolean {
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  return newHeight !== height || newWidth !== width || wanted !== channels;
}

/** Resizes and converts images into a sink, some at a time. */
async function reshapePixels(
  set: PixelSet,
  { size, channels = set.shape[2] }: PixelOptions,
  sink: SampleSink,
): Promise<SetParts> {
  const [height, width, oldChannels] = set.shape;
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  const rowSize = height * width * oldChannels;
  const count = set.pixels.length / rowSize;
  sink.begin([newHeight, newWidth, channels], count);
  const together = 4 * navigator.hardwareConcurrency;
  for (let first = 0; first < count; first += together) {
    const indices = Array.from({ length: Math.min(together, count - first) }, (_, i) => first + i);
    const shaped = await Promise.all(indices.map(async (index) => {
      const data = set.pixels.subarray(index * rowSize, (index + 1) * rowSize);
      const raster: PixelImage = { width, height, channels: oldChannels, data };
      const sized = await cropAndResize(raster, { width: newWidth, height: newHeight });
      return toChannels(sized, channels);
    }));
    for (const { data } of shaped) sink.write(data);
  }
  const isResized = newHeight !== height || newWidth !== width;
  const decoding = isResized ? `${(await loadSharp()).decoder}; ${RESIZER}` : set.decoding;
  return { ...set, shape: [newHeight, newWidth, channels], decoding };
}
