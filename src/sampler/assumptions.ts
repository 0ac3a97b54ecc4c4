/** What an app says about a file of another program, where the file itself does not tell. */
import type { LatentDistribution } from "../manifest.ts";

/** A value for an input: one number for all of its elements, or one sample's elements. */
export type FeedValue = number | ArrayLike<number>;

/** What to assume of a file that has no manifest. */
export interface Assumptions {
  /** Where latents come from. Default `"normal"`. */
  distribution?: LatentDistribution;
  /** The values that mean black and white. Default `[-1, 1]` for float images. */
  range?: [number, number];
  /**
   * Whether images have their channels first or last. Default: first where the first axis has 1, 3 or 4
   * elements, else last where the last one has.
   */
  layout?: "NCHW" | "NHWC";
  /**
   * One sample's shape without N, in the file's order, such as `[28, 28, 1]` for an output of
   * `[N, 784]`.
   */
  shape?: readonly number[];
  /** The name of the latent's input, where several could be it. */
  latent?: string;
  /**
   * `"one-hot"`: the class is a float input `[N, classes]`; `"int"`: an integer input `[N]`, the
   * default.
   */
  label?: "one-hot" | "int";
  /** Values of other inputs, by name, such as `{ truncation_psi: 0.7 }`. A request can give others. */
  feeds?: Readonly<Record<string, FeedValue>>;
  /** What to assume of a file that makes images from images; its output's range is `range`, or the input's. */
  image?: ImageAssumptions;
  /** The name of the output to show. Default: the first that looks like an image, else the first. */
  output?: string;
}

/** What to assume of the images that a file takes. */
export interface ImageAssumptions {
  /** The values that mean black and white. Default `[0, 1]`, and `[0, 255]` for bytes. */
  range?: [number, number];
  /** Whether channels come first or last, in input and output. Default: where there are 1, 3 or 4. */
  layout?: "NCHW" | "NHWC";
  /** What must divide height and width, where these are open. Default 1. */
  multiple?: number;
  /** Pixels from a cut edge that the cut changes; tiles overlap by more than twice as many. Default 16. */
  reach?: number;
}

/** A type that a value can have on its way in or out. */
export type ElementType =
  | "float32"
  | "float16"
  | "float64"
  | "int64"
  | "int32"
  | "uint8"
  | "bool";

/** The types' numbers in onnx.proto. */
export const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: "float32",
  2: "uint8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
};

/** How an output becomes samples. */
export interface OutputPlan {
  /** One sample's shape as the file gives it, without N. */
  fileShape: readonly number[];
  /** Whether channels come last and have to be brought to the front. */
  channelsLast: boolean;
}

/** The shape of a sample: `[channels, height, width]` for an image, the file's own otherwise. */
export interface ArrangedShape extends OutputPlan {
  kind: "image" | "sample";
  shape: number[];
}

const CHANNELS = [1, 3, 4];

/**
 * Decides what one sample of an output is.
 * @param shape as the file gives it, without N
 * @returns null where `assume.shape` does not fit
 */
export function arrangeOutput(
  shape: readonly number[],
  { layout, shape: told }: Assumptions,
): ArrangedShape | null {
  const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
  if (told !== undefined && count(told) !== count(shape)) return null;
  const sizes = told ?? shape;
  const plain = {
    kind: "sample",
    shape: [...sizes],
    fileShape: shape,
    channelsLast: false,
  } as const;
  if (sizes.length !== 3) return { ...plain, shape: [...sizes] };
  const isFirst = CHANNELS.includes(sizes[0]) && layout !== "NHWC";
  const isLast = CHANNELS.includes(sizes[2]) && layout !== "NCHW";
  if (isFirst) return { ...plain, kind: "image", shape: [...sizes] };
  if (!isLast) return { ...plain, shape: [...sizes] };
  const [height, width, channels] = sizes;
  return { ...plain, kind: "image", shape: [channels, height, width], channelsLast: true };
}

/** Brings channels to the front: `[N, height, width, channels]` to `[N, channels, height, width]`. */
export function channelsToFront<T extends Float32Array | Uint8Array>(
  values: T,
  [channels, height, width]: readonly number[],
): T {
  const moved = values.slice() as T;
  const area = height * width;
  for (let start = 0; start < values.length; start += area * channels) {
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        moved[start + channel * area + pixel] = values[start + pixel * channels + channel];
      }
    }
  }
  return moved;
}
