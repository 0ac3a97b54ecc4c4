/** From an array of a .npy file to a data source: which axes are pixels, and which values are. */
import { imageSize } from "../config/data.ts";
import { UserError } from "../errors.ts";
import type { NpyArray } from "./npy.ts";
import { randomSubset } from "./order.ts";
import { type PixelOptions, pixelSource } from "./pixel_set.ts";
import { counted, type DataSource, floatSource, type SourceParts } from "./source.ts";

/** What a user may want of an array, and where it is from. */
export interface ArrayOptions extends PixelOptions {
  /** The source's name. */
  name: string;
  /** Names the array in messages. */
  origin: string;
}

/**
 * The data source that an array means; see the table in npy.ts.
 * @throws {UserError} when its shape is neither that of pictures nor of points, float pictures leave
 * [-1, 1], or an option does not suit it
 */
export async function arraySource(array: NpyArray, options: ArrayOptions): Promise<DataSource> {
  const { name, origin, size, channels } = options;
  const { shape, values } = array;
  if (shape.length <= 2) {
    if (values instanceof Uint8Array) throw unusable(array, origin);
    return pointSource(values, { ...options, shape: shape.length === 1 ? [1] : [shape[1]] });
  }
  const [height, width, depth, planar] = imageLayout(array, origin);
  if (values instanceof Uint8Array) {
    const pixels = planar ? interleave(values, { depth, plane: height * width }) : values;
    const text = `${counted(shape[0])} pictures of ${origin}`;
    return await pixelSource(
      { name, origin: text, shape: [height, width, depth], pixels },
      options,
    );
  }
  const [newHeight, newWidth] = size === undefined ? [height, width] : imageSize(size);
  const isOther = newHeight !== height || newWidth !== width;
  if (isOther || channels !== undefined && channels !== depth) {
    throw new UserError(
      `Cannot resize or recolour ${origin}: that works on uint8 pictures, and it holds floats`,
    );
  }
  const limit = values.findIndex((value) => value < -1 || value > 1);
  if (limit >= 0) {
    throw new UserError(
      `Cannot use ${origin}: picture ${Math.floor(limit / (values.length / shape[0]))} holds ` +
        `${
          values[limit]
        }, and float pictures have to lie within [-1, 1]; scale them, or save uint8`,
    );
  }
  const interleaved = planar ? interleave(values, { depth, plane: height * width }) : values;
  const picked = pickRows(interleaved, height * width * depth, options);
  return floatSource(picked, {
    kind: "image",
    name,
    description:
      `${counted(picked.length / (height * width * depth))} float pictures of ${origin}: ` +
      `${width} x ${height} pixels, ${depth === 1 ? "grey" : "RGB"}, no labels`,
    shape: [height, width, depth],
  });
}

/**
 * A source of points that a file holds.
 * @param values `[N, d]` flat
 */
export function pointSource(
  values: Float32Array,
  options: ArrayOptions & Pick<SourceParts, "shape" | "labels" | "classNames">,
): DataSource {
  const { name, origin, shape, size, channels, labels, classNames } = options;
  if (size !== undefined || channels !== undefined) {
    throw new UserError(
      `Cannot use "size" or "channels" with ${origin}: it holds points, not pictures`,
    );
  }
  const dimension = shape[0];
  const picked = pickRows(values, dimension, options);
  const classes = classNames ? `, ${classNames.length} classes` : "";
  return floatSource(picked, {
    kind: "points",
    name,
    description: `${
      counted(picked.length / dimension)
    } points in ${dimension}-D of ${origin}${classes}`,
    shape,
    labels: labels && Int32Array.from(pickRows(labels, 1, options)),
    classNames,
  });
}

function pickRows<T extends Float32Array | Int32Array>(
  values: T,
  rowSize: number,
  { count, seed, origin }: ArrayOptions,
): T {
  const total = values.length / rowSize;
  if (count === undefined || count === total) return values;
  if (count > total) {
    throw new UserError(
      `Cannot take ${count} samples from ${origin}: there are ${total}; lower "count"`,
    );
  }
  const picked = values.slice(0, count * rowSize) as T;
  for (const [to, from] of randomSubset(total, { wanted: count, seed }).entries()) {
    picked.set(values.subarray(from * rowSize, (from + 1) * rowSize), to * rowSize);
  }
  return picked;
}

/** Height, width, channels, and whether channels come before pixels. */
function imageLayout(array: NpyArray, origin: string): [number, number, 1 | 3, boolean] {
  const [, a, b, c] = array.shape;
  if (array.shape.length === 3) return [a, b, 1, false];
  if (array.shape.length === 4) {
    if (c === 1 || c === 3) return [a, b, c, false];
    if (a === 1 || a === 3) return [b, c, a, true];
  }
  throw unusable(array, origin);
}

function unusable({ shape, values }: NpyArray, origin: string): UserError {
  const type = values instanceof Uint8Array ? "uint8" : "float";
  return new UserError(
    `Cannot use ${origin}: it is a ${type} array of shape (${shape.join(", ")}); pictures are ` +
      `[N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 or 3, points are floats [N] or [N, D]`,
  );
}

/** `[N, C, plane] -> [N, plane, C]` */
function interleave<T extends Uint8Array | Float32Array>(
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
