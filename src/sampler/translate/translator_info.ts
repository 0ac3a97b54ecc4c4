/** What a file that makes images from images takes and gives: from its manifest, or from its graph. */
import { UserError } from "../../errors.ts";
import { MAX_SAMPLE_VALUES } from "../../manifest.ts";
import type { TranslatorManifest } from "../../model_manifest.ts";
import { type Assumptions, ELEMENT_TYPES, type ElementType } from "../assumptions.ts";
import { describeTensor, describeTensors, type ModelFile } from "../model_file.ts";

/** What is known about a file that makes images from images. */
export interface TranslatorInfo {
  /** What it takes. */
  input: {
    /** Of an image: 1 gray, 3 RGB, 4 RGBA. */
    channels: number;
    /** Pixels; null where any number will do that `multiple` divides. `translate` takes all sizes. */
    height: number | null;
    /** See `height`. */
    width: number | null;
    /** What divides open heights and widths. */
    multiple: number;
    /** The values that mean black and white. */
    range: [number, number];
  };
  /** What it gives. */
  output: {
    /** Of an image. */
    channels: number;
    /** How much larger it is than the input. */
    factor: number;
    /** The values that mean black and white. */
    range: [number, number];
  };
  /** Pixels of the input from a cut edge that the cut changes; tiles overlap by more than twice as many. */
  reach: number;
  /** The file's own description; null for a file of another program. */
  manifest: TranslatorManifest | null;
}

/** How the graph is fed. */
export interface TranslatorPlan {
  inputName: string;
  inputType: ElementType;
  outputName: string;
  /** Whether channels come last. */
  inputLast: boolean;
  /** The same of the output; undefined until a run tells. */
  outputLast: boolean | undefined;
  /** The uniform values of layers that stay random. */
  noise: { name: string; size: number } | null;
  /** The batch size that the graph insists on; null: any. */
  fixedBatch: number | null;
}

/** A file that makes images from images; what a run must tell is missing. */
export interface DescribedTranslator {
  info: Omit<TranslatorInfo, "output"> & { output: TranslatorInfo["output"] | null };
  plan: TranslatorPlan;
  warnings: string[];
}

const FLOATS = [1, 10, 11];
const BYTES = 2;
const CHANNELS: readonly (number | null)[] = [1, 3, 4];

/** What files of other programs are taken to overlap by. */
const DEFAULT_REACH = 16;

/** A translator that its manifest describes. @throws {UserError} where the graph is another */
export function describeOwnTranslator(
  { inputs, outputs, unsteady }: ModelFile,
  name: string,
  manifest: TranslatorManifest,
): DescribedTranslator {
  const { image, noise, output, reach } = manifest;
  const wanted = [image.channels, image.height, image.width];
  const input = inputs.find((each) => each.name === "image");
  const shape = input?.shape?.slice(1);
  const noiseInput = noise && inputs.find((each) => each.name === "noise");
  const fits = input?.elementType === 1 && shape?.length === 3 &&
    shape.every((size, axis) => size === wanted[axis]) && inputs.length === (noise ? 2 : 1) &&
    (!noise || noiseInput?.shape?.[1] === noise.size) &&
    outputs.some((each) => each.name === "output");
  if (!fits) {
    throw new UserError(
      `Cannot use ${name}: its manifest tells of images [${
        wanted.map((size) => size ?? "any").join(", ")
      }]${noise ? ` and ${noise.size} values of noise` : ""}, and its graph takes ` +
        `${describeTensors(inputs)} and gives ${describeTensors(outputs)}; export the model again`,
    );
  }
  return {
    info: { input: image, output, reach, manifest },
    plan: {
      inputName: "image",
      inputType: "float32",
      outputName: "output",
      inputLast: false,
      outputLast: false,
      noise: noise ? { name: "noise", size: noise.size } : null,
      fixedBatch: input.shape![0],
    },
    warnings: [...unsteady],
  };
}

/** Whether a file of another program takes one image and may give one. */
export function looksLikeTranslator({ inputs, outputs }: ModelFile): boolean {
  const [input] = inputs;
  if (inputs.length !== 1 || ![...FLOATS, BYTES].includes(input.elementType)) return false;
  const { shape } = input;
  if (shape?.length !== 4 || !(CHANNELS.includes(shape[1]) || CHANNELS.includes(shape[3]))) {
    return false;
  }
  const isVector = shape[2] === 1 && shape[3] === 1;
  return !isVector && outputs.some(({ shape }) => shape === null || shape.length === 4);
}

/**
 * A translator of another program.
 * @throws {UserError} where it takes other images than `assume` says
 */
export function describeForeignTranslator(
  { inputs: [input], outputs, unsteady }: ModelFile,
  name: string,
  assume: Assumptions,
): DescribedTranslator {
  const { image = {}, output: outputName } = assume;
  const [batch, ...sizes] = input.shape!;
  const inputLast = image.layout === undefined
    ? !CHANNELS.includes(sizes[0])
    : image.layout === "NHWC";
  const [channels, height, width] = inputLast ? [sizes[2], sizes[0], sizes[1]] : sizes;
  const { multiple = 1, reach = DEFAULT_REACH } = image;
  const output = outputs.find((each) =>
    outputName === undefined
      ? each.shape === null || each.shape.length === 4
      : each.name === outputName
  );
  const refuse = (reason: string): never => {
    throw new UserError(`Cannot use ${name} for images: ${reason} (assume.image says more)`);
  };
  if (!CHANNELS.includes(channels)) {
    refuse(`its input ${describeTensor(input)} has no 1, 3 or 4 channels`);
  }
  if (output === undefined) {
    refuse(`it has no output "${outputName}", only ${describeTensors(outputs)}`);
  }
  for (const [what, value] of [["multiple", multiple], ["reach", reach + 1]] as const) {
    if (!(Number.isInteger(value) && value >= 1 && value <= 4097)) {
      refuse(`assume.image.${what} is no whole number of pixels up to 4096`);
    }
  }
  const pixels = (height ?? multiple) * (width ?? multiple);
  if (!(channels! * pixels <= MAX_SAMPLE_VALUES)) {
    refuse(`its input ${describeTensor(input)} has more than ${MAX_SAMPLE_VALUES} values`);
  }
  const range = image.range ?? (input.elementType === BYTES ? [0, 255] : [0, 1]);
  const warnings = image.range === undefined
    ? [`its images are taken to be ${range[0]} for black and ${range[1]} for white (assume.image)`]
    : [];
  return {
    info: {
      input: { channels: channels!, height, width, multiple, range },
      output: null,
      reach,
      manifest: null,
    },
    plan: {
      inputName: input.name,
      inputType: ELEMENT_TYPES[input.elementType],
      outputName: output!.name,
      inputLast,
      outputLast: image.layout === undefined ? undefined : inputLast,
      noise: null,
      fixedBatch: batch,
    },
    warnings: [...warnings, ...unsteady],
  };
}

/**
 * What a run tells of an output: its channels, where they stand, and how much larger it is.
 * @param shape `[N, ...]` of the output
 * @param size of the input
 * @throws {UserError} where it is no image, or not a whole number of times as large
 */
export function outputOfRun(
  shape: readonly number[],
  size: { height: number; width: number },
  { name, range, last }: { name: string; range: [number, number]; last: boolean | undefined },
): { output: TranslatorInfo["output"]; outputLast: boolean } {
  const sizes = shape.slice(1);
  const options = last === undefined ? [false, true] : [last];
  for (const outputLast of sizes.length === 3 ? options : []) {
    const [channels, height, width] = outputLast ? [sizes[2], sizes[0], sizes[1]] : sizes;
    const factor = height / size.height;
    const fits = CHANNELS.includes(channels) && Number.isInteger(factor) && factor > 0 &&
      width === factor * size.width;
    if (fits) return { output: { channels, factor, range }, outputLast };
  }
  throw new UserError(
    `Cannot use ${name} for images: of ${size.width} x ${size.height} pixels it makes [${
      shape.join(", ")
    }], expected an image of as many pixels or a whole number of times as many a side; ` +
      "assume.image.multiple says what must divide both",
  );
}

/** The input as a text for messages, such as `3 channels of any size`. */
export function describeImageInput({ input }: Pick<TranslatorInfo, "input">): string {
  const { channels, height, width } = input;
  const what = channels === 1 ? "gray images" : `images of ${channels} channels`;
  return height === null || width === null ? what : `${what}, ${width} x ${height} at a time`;
}
