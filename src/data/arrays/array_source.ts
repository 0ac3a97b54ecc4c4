/** From an array to a data source: which axes are pixels, and which values are. */
import { imageSize } from "../../config/data.ts";
import { UserError } from "../../errors.ts";
import { type KeepReshaped, type PixelOptions, pixelSource } from "../pixel_set.ts";
import { pickRows, type PointOptions, pointSource } from "../points.ts";
import { counted, type DataSource, floatSource } from "../source.ts";
import type { ArrayLabels } from "./array_labels.ts";
import { scaleImages } from "./image_range.ts";
import type { NpyArray } from "./npy.ts";

/** What a user may want of an array, and where it is from. */
export interface ArrayOptions extends Omit<PointOptions, "channels">, PixelOptions {
  /** The values of black and white of images. */
  range?: readonly [number, number];
  /** The classes of the samples. */
  classes?: ArrayLabels;
  /** Takes images that are resized or converted; by default they stay in memory. */
  keep?: KeepReshaped;
  /** What was chosen already, for the source's notes. */
  notes?: readonly string[];
}

/**
 * The data source that an array means:
 *
 * | array | data |
 * | --- | --- |
 * | `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`, C 1, 3 or 4 | images |
 * | uint8 or bool `[N, D]`, D a square of 8 or more | gray images, their rows one after another |
 * | any other `[N]` or `[N, D]` | points |
 *
 * @throws {UserError} when its shape is neither, its values lie in no known range, or an option does not
 * suit it
 */
export async function arraySource(
  array: NpyArray,
  options: ArrayOptions,
): Promise<DataSource> {
  const layout = imageLayout(array.shape, {
    isBytes: array.values instanceof Uint8Array,
    origin: options.origin,
  });
  if (layout) return await imagesOfArray(array, layout, options);
  if (options.range) {
    throw new UserError(
      `Cannot use "range" with ${options.origin}: it holds points, and range is for images`,
    );
  }
  const { shape, values } = array;
  return pointSource(Float32Array.from(values), {
    ...options,
    ...options.classes,
    dimension: shape[1] ?? 1,
  });
}

async function imagesOfArray(
  array: NpyArray,
  layout: ImageLayout,
  options: ArrayOptions,
): Promise<DataSource> {
  const { name, origin, size, channels, classes } = options;
  if (options.columns || options.standardize === true) {
    throw new UserError(
      `Cannot use "columns" or "standardize" with ${origin}: it holds images, and these are for points`,
    );
  }
  const { height, width, depth } = layout;
  const scaled = scaleImages(array, options);
  const values = layout.isPlanar
    ? interleave(scaled.values, { depth, plane: height * width })
    : scaled.values;
  const notes = [...options.notes ?? [], ...layout.notes, ...scaled.notes];
  const count = array.shape[0];
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  const isReshaped = newHeight !== height || newWidth !== width ||
    (channels !== undefined && channels !== depth);
  if (values instanceof Float32Array && !isReshaped) {
    const rows = pickRows(values, height * width * depth, options);
    return floatSource(rows, {
      kind: "image",
      name,
      description:
        `${counted(rows.length / (height * width * depth))} float images of ${origin}: ` +
        `${width} x ${height} pixels, ${channelText(depth)}, ${
          classes ? `${classes.classNames.length} classes` : "no labels"
        }`,
      shape: [height, width, depth],
      labels: classes && pickRows(classes.labels, 1, options),
      classNames: classes?.classNames,
      notes,
    });
  }
  if (values instanceof Float32Array) notes.push("rounded to 8 bits, to be resized");
  return await pixelSource(
    {
      name,
      origin: `${counted(count)} images of ${origin}`,
      shape: [height, width, depth],
      pixels: values instanceof Uint8Array ? values : quantize(values),
      ...classes,
      notes,
    },
    options,
    options.keep,
  );
}

function channelText(depth: number): string {
  return depth === 1 ? "gray" : depth === 3 ? "RGB" : "RGBA";
}

/** [-1, 1] to bytes, as images that are resized have them. */
function quantize(values: Float32Array): Uint8Array {
  return Uint8Array.from(values, (value) => Math.round((value + 1) * 127.5));
}

/** How the axes of an array of images are meant. */
export interface ImageLayout {
  height: number;
  width: number;
  depth: 1 | 3 | 4;
  /** Whether channels come before pixels. */
  isPlanar: boolean;
  /** What was guessed. */
  notes: string[];
}

/** The layout of an array of images; nothing for points. */
export function imageLayout(
  shape: readonly number[],
  { isBytes, origin }: { isBytes: boolean; origin: string },
): ImageLayout | undefined {
  const [, a, b, c] = shape;
  const found = { height: a, width: b, isPlanar: false, notes: [] };
  if (shape.length === 3) return { ...found, depth: 1 };
  for (const depth of [3, 1, 4] as const) { // four pixels are likelier a side than an alpha channel
    if (shape.length === 4 && c === depth) return { ...found, depth };
    if (shape.length === 4 && a === depth) {
      return { ...found, height: b, width: c, depth, isPlanar: true };
    }
  }
  if (shape.length > 2) {
    throw new UserError(
      `Cannot use ${origin}: its shape is (${
        shape.join(", ")
      }); images are [N, H, W], [N, H, W, C] or ` +
        `[N, C, H, W] with C 1, 3 or 4, points are [N] or [N, D]`,
    );
  }
  const side = Math.sqrt(a ?? 1);
  if (!isBytes || !Number.isInteger(side) || side < 8) return undefined;
  const notes = [`rows of ${a} bytes were taken as images of ${side} x ${side} pixels`];
  return { ...found, height: side, width: side, depth: 1, notes };
}

/** `[N, C, plane] -> [N, plane, C]` */
export function interleave<T extends Uint8Array | Float32Array>(
  values: T,
  { depth, plane }: { depth: number; plane: number },
): T {
  const interleaved = values.slice() as T;
  const size = depth * plane;
  for (let start = 0; start < values.length; start += size) {
    for (let c = 0; c < depth; c++) {
      for (let i = 0; i < plane; i++) {
        interleaved[start + i * depth + c] = values[start + c * plane + i];
      }
    }
  }
  return interleaved;
}
