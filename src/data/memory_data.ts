/** Data sources over a program's own typed arrays; everything about them is checked here. */
import { elementCount } from "../bytes.ts";
import { UserError } from "../errors.ts";
import { formatInteger, formatShape } from "../text.ts";
import { type DataSource, floatSource, imageSource } from "./source.ts";

/** What {@linkcode imageData} and {@linkcode tensorData} need to know of the values. */
export interface MemoryDataOptions {
  /** One sample's shape: `[height, width, channels]` for images, `[dimension]` for vectors. */
  shape: readonly number[];
  /** `[count]` class numbers from 0. Default: samples have no labels. */
  labels?: ArrayLike<number>;
  /** The name of each class. Default: its number. */
  classNames?: readonly string[];
  /** A short name, which becomes part of a run folder's name. Default `data`. */
  name?: string;
}

/**
 * Images to train on, from a typed array. The array is not copied: leave it unchanged while it is in use.
 *
 * @example
 * ```ts
 * import { imageData } from "@ganforge/ganforge";
 *
 * const pixels = new Uint8Array(100 * 8 * 8 * 3); // 100 RGB images of 8 x 8 pixels
 * const data = imageData(pixels, { shape: [8, 8, 3] });
 * console.log(data.count); // 100
 * ```
 *
 * @param pixels `[count, height, width, channels]`: bytes from 0 to 255, or floats from -1 to 1
 * @param options.shape `[height, width, channels]` with 1 channel (gray) or 3 (RGB)
 * @throws {UserError} when the type, the length or the range of the values is wrong, or the labels do
 * not fit
 */
export function imageData(
  pixels: Uint8Array | Uint8ClampedArray | Float32Array,
  options: MemoryDataOptions,
): DataSource {
  const what = "images";
  const { shape, name, labels, classNames, count } = checkOptions(pixels, options, {
    what,
    types: [Uint8Array, Uint8ClampedArray, Float32Array],
  });
  const [height, width, channels] = shape;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new UserError(
      `Cannot use the ${what}: their shape is ${
        formatShape(shape)
      }, expected [height, width, channels] ` +
        "with 1 or 3 channels",
    );
  }
  const classes = classNames ? `, ${classNames.length} classes` : ", no labels";
  const description = `${formatInteger(count)} images from memory: ${width} x ${height} pixels, ` +
    `${channels === 1 ? "gray" : "RGB"}${classes}`;
  const parts = { name, description, shape, labels, classNames };
  if (!(pixels instanceof Float32Array)) {
    return imageSource(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length), parts);
  }
  const index = pixels.findIndex((value) => !(value >= -1 && value <= 1));
  if (index < 0) return floatSource(pixels, { ...parts, kind: "image" });
  throw new UserError(
    `Cannot use the ${what}: element ${index} is ${
      pixels[index]
    }, and floats must be from -1 to 1; ` +
      "scale them, or give bytes from 0 to 255",
  );
}

/**
 * Vectors to train on, from a typed array. The array is not copied: leave it unchanged while it is in use.
 *
 * @example
 * ```ts
 * import { tensorData } from "@ganforge/ganforge";
 *
 * const data = tensorData(Float32Array.of(0, 1, 2, 3, 4, 5), { shape: [2] });
 * console.log(data.count); // 3
 * ```
 *
 * @param values `[count, dimension]`
 * @param options.shape `[dimension]`
 * @throws {UserError} when the type or the length of the values is wrong, a value is not finite, or the
 * labels do not fit
 */
export function tensorData(values: Float32Array, options: MemoryDataOptions): DataSource {
  const what = "vectors";
  const { shape, name, labels, classNames, count } = checkOptions(values, options, {
    what,
    types: [Float32Array],
  });
  if (shape.length !== 1) {
    throw new UserError(
      `Cannot use the ${what}: their shape is ${
        formatShape(shape)
      }, expected [dimension]; images go ` +
        "through imageData()",
    );
  }
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) {
    throw new UserError(
      `Cannot use the ${what}: element ${index} is ${
        values[index]
      }, and values must be finite numbers`,
    );
  }
  const classes = classNames ? `, ${classNames.length} classes` : "";
  const description = `${formatInteger(count)} vectors in ${shape[0]}-D from memory${classes}`;
  return floatSource(values, { kind: "points", name, description, shape, labels, classNames });
}

type TypedArray = Uint8Array | Uint8ClampedArray | Float32Array;

interface Checked {
  shape: number[];
  name: string;
  labels: Int32Array | undefined;
  classNames: readonly string[] | undefined;
  count: number;
}

function checkOptions(
  values: TypedArray,
  options: MemoryDataOptions,
  { what, types }: { what: string; types: readonly { name: string }[] },
): Checked {
  const typeName = Object.prototype.toString.call(values).slice(8, -1);
  if (!types.some(({ name }) => name === typeName)) {
    const expected = types.map(({ name }) => name).join(" or ");
    throw new UserError(
      `Cannot use the ${what}: they are of type ${typeName}, expected ${expected}`,
    );
  }
  const { shape, labels, classNames, name = "data" } = options ?? {};
  if (!Array.isArray(shape) || !shape.length || !shape.every(isCount)) {
    throw new UserError(
      `Cannot use the ${what}: shape is ${
        JSON.stringify(shape)
      }, expected the sizes of one sample, ` +
        "such as [28, 28, 1] or [2]",
    );
  }
  if (typeof name !== "string" || !name.trim()) {
    throw new UserError(`Cannot use the ${what}: name is ${JSON.stringify(name)}, expected a text`);
  }
  const sampleSize = elementCount(shape);
  const count = values.length / sampleSize;
  if (!Number.isInteger(count) || count === 0) {
    throw new UserError(
      `Cannot use the ${what}: ${
        formatInteger(values.length)
      } elements are no whole number of samples ` +
        `of shape ${formatShape(shape)}, which have ${formatInteger(sampleSize)} each`,
    );
  }
  return { shape: [...shape], name, count, ...checkLabels({ labels, classNames }, count, what) };
}

function checkLabels(
  { labels, classNames }: Pick<MemoryDataOptions, "labels" | "classNames">,
  count: number,
  what: string,
): Pick<Checked, "labels" | "classNames"> {
  if (labels === undefined) {
    if (classNames === undefined) return { labels, classNames };
    throw new UserError(`Cannot use the ${what}: classNames are given without labels`);
  }
  if (labels.length !== count) {
    throw new UserError(
      `Cannot use the ${what}: there are ${formatInteger(labels.length)} labels for ` +
        `${formatInteger(count)} samples; give one label per sample`,
    );
  }
  const given = Array.from(labels);
  const limit = classNames?.length ?? MAX_CLASSES;
  const index = given.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= limit);
  if (index >= 0) {
    throw new UserError(
      `Cannot use the ${what}: label ${index} is ${
        given[index]
      }, expected a whole number from 0 to ` +
        `${limit - 1}${classNames ? `, as there are ${limit} classNames` : ""}`,
    );
  }
  const classCount = given.reduce((max, label) => Math.max(max, label + 1), 0);
  const names = classNames ?? Array.from({ length: classCount }, (_, label) => String(label));
  return { labels: Int32Array.from(given), classNames: [...names] };
}

const MAX_CLASSES = 65536;

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
