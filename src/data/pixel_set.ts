/** 8-bit images as a file holds them, and the last steps from there to a data source. */
import { elementCount } from "../bytes.ts";
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

/** Where converted and resized images are kept. */
export type KeepReshaped = (
  build: (sink: SampleSink) => Promise<SetParts>,
) => Promise<DataSource>;

/** Keeps them in memory. */
async function keepInMemory(build: (sink: SampleSink) => Promise<SetParts>): Promise<DataSource> {
  const sink = new MemorySink();
  const parts = await build(sink);
  return setSource(sink.pixels, parts);
}

/**
 * Picks, converts and resizes images, and makes them a data source.
 * @param keep takes images that are converted or resized; by default they stay in memory
 * @throws {UserError} when more are wanted than are there
 */
export async function pixelSource(
  set: PixelSet,
  options: PixelOptions,
  keep: KeepReshaped = keepInMemory,
): Promise<DataSource> {
  const picked = pickPixels(set, options);
  if (!isReshaped(picked, options)) return setSource(picked.pixels, picked);
  const size = elementCount(picked.shape);
  const count = picked.pixels.length / size;
  const rows = Array.from(
    { length: count },
    (_, i) => picked.pixels.subarray(i * size, (i + 1) * size),
  );
  return await keep((sink) => reshapeRows(rows, { ...options, set: picked, count, sink }));
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
export function isReshaped(
  { shape: [height, width, channels] }: Pick<SetParts, "shape">,
  { size, channels: wanted = channels }: PixelOptions,
): boolean {
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  return newHeight !== height || newWidth !== width || wanted !== channels;
}

/** Where rows come from and go to. */
export interface ReshapeOptions extends Pick<PixelOptions, "size" | "channels"> {
  /** What is known of the images as they are. */
  set: SetParts;
  /** How many rows there are. */
  count: number;
  sink: SampleSink;
  /** Called after each. */
  onRow?(done: number): void;
}

/** Resizes and converts images into a sink, some at a time. @param rows `[height, width, channels]` each */
export async function reshapeRows(
  rows: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { size, set, channels = set.shape[2], count, sink, onRow }: ReshapeOptions,
): Promise<SetParts> {
  const [height, width, oldChannels] = set.shape;
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  sink.begin([newHeight, newWidth, channels], count);
  const together = 4 * navigator.hardwareConcurrency;
  let waiting: Promise<PixelImage>[] = [];
  let done = 0;
  async function writeAll(): Promise<void> {
    for (const { data } of await Promise.all(waiting)) {
      sink.write(data);
      onRow?.(++done);
    }
    waiting = [];
  }
  const reshape = async (data: Uint8Array): Promise<PixelImage> => {
    const raster: PixelImage = { width, height, channels: oldChannels, data };
    return toChannels(
      await cropAndResize(raster, { width: newWidth, height: newHeight }),
      channels,
    );
  };
  for await (const row of rows) {
    waiting.push(reshape(row));
    if (waiting.length === together) await writeAll();
  }
  await writeAll();
  const isResized = newHeight !== height || newWidth !== width;
  const decoding = isResized ? `${(await loadSharp()).decoder}; ${RESIZER}` : set.decoding;
  const { name, origin, labels, classNames, notes } = set;
  return {
    name,
    origin,
    labels,
    classNames,
    notes,
    shape: [newHeight, newWidth, channels],
    decoding,
  };
}
