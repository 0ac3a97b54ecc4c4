/**
 * A target as a function from images to images: its input is called `image`, its output `output`, both NCHW in
 * the file, and what layers that stay random draw from is `noise`.
 */
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";
import { BATCH_AXIS } from "../graph/open/axes.ts";
import { NOISE, type PreparedTarget } from "./target.ts";
import type { FileTarget, TranslatorFacts } from "./traced_target.ts";

/** The names of the input and the output of a file that makes images from images. */
export const IMAGE = "image";
/** See {@linkcode IMAGE}. */
export const TRANSLATED = "output";

/** What the file shall say about a function from images to images; everything has a default. */
export interface TranslatorDescription {
  /** The values of the input that mean black and white. Default `[-1, 1]`. */
  inputRange?: [number, number];
  /** Those of the output. Default: the input's. */
  range?: [number, number];
  /** What must divide height and width, where these are open. Default 1. */
  multiple?: number;
  /** The preset that the run started from. */
  preset?: string;
  /** How many training steps the weights have seen. */
  step?: number;
  /** What the owner says about using the weights. */
  license?: string;
}

/**
 * Takes a target for a function from images to images.
 * @throws {UserError} when it does not take one image and give one
 */
export function translatorTarget(
  prepared: PreparedTarget,
  { multiple = 1 }: TranslatorDescription,
): FileTarget {
  const noise = prepared.isOwn ? prepared.inputs[NOISE] : undefined;
  const inputs = Object.entries(prepared.inputs).filter(([name]) => !(noise && name === NOISE));
  const [name, input] = inputs[0] ?? [];
  const [batch, height, width, channels] = input?.shape ?? [];
  const isImage = inputs.length === 1 && input.shape.length === 4 && batch === BATCH_AXIS &&
    typeof channels === "number" && input.dtype === "float32";
  if (!isImage) {
    const found = inputs.map(([own, { shape, dtype }]) => `${own}: ${dtype} [${shape.join(", ")}]`);
    throw new UserError(
      "Cannot export as a function from images to images: it must take one float32 image " +
        `[N, height, width, channels], and it takes ${found.join("; ") || "nothing"}`,
    );
  }
  const side = (dim: number | string) => typeof dim === "number" ? dim : null;
  const facts: TranslatorFacts = {
    channels,
    height: side(height),
    width: side(width),
    multiple,
    noiseSize: Number(noise?.shape[1] ?? 0),
  };
  return {
    weights: prepared.weights,
    dims: prepared.dims,
    sideMultiple: multiple,
    translator: facts,
    inputs: {
      [IMAGE]: { shape: [batch, channels, height, width], dtype: "float32" },
      ...(noise ? { [NOISE]: noise } : {}),
    },
    apply(given, random) {
      const { [IMAGE]: image, ...others } = given;
      const outputs = Object.values(
        prepared.apply({ ...others, [name]: tf.transpose(image, [0, 2, 3, 1]) }, random),
      );
      const [, , rows, columns] = image.shape;
      const [, outRows, outColumns, outChannels] = outputs[0].shape;
      const factor = outRows / rows;
      if (
        outputs.length !== 1 || outputs[0].rank !== 4 || !Number.isInteger(factor) ||
        outColumns !== factor * columns
      ) {
        throw new UserError(
          `Cannot export as a function from images to images: of ${columns} x ${rows} pixels it makes ${
            outputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ")
          }, expected one image of as many pixels or a whole number of times as many a side`,
        );
      }
      facts.factor = factor;
      facts.outputChannels = outChannels;
      return { [TRANSLATED]: tf.transpose(outputs[0], [0, 3, 1, 2]) };
    },
  };
}
