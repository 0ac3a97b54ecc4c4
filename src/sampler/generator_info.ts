/** What a generator takes and gives: from the manifest, or from the graph where there is none. */
import { UserError } from "../errors.ts";
import {
  type GeneratorManifest,
  MANIFEST_KEY,
  MAX_SAMPLE_VALUES,
  parseManifest,
} from "../manifest.ts";
import type { LatentInfo } from "./latents.ts";
import type { ModelFile, TensorInfo } from "./model_file.ts";

/** What a generator gives. */
export interface OutputSpec {
  /** `"image"`: `[channels, height, width]` to show; `"sample"`: numbers. */
  kind: "image" | "sample";
  /** One sample's shape, without N. */
  shape: number[];
  /** The numbers' type. */
  dtype: "float32" | "uint8";
  /** The values that mean black and white; null: unbounded. */
  range: [number, number] | null;
}

/** What is known about a loaded generator. */
export interface GeneratorInfo {
  /** The path or address that it came from, or what stands for it. */
  name: string;
  /** The file's size. */
  sizeBytes: number;
  /** The program that wrote the file. */
  producer: string;
  /** The version of the ONNX operators that it uses. */
  opset: number;
  /** What it takes. */
  latent: LatentInfo;
  /**
   * Uniform numbers that a sample takes besides its latent, for layers that stay random (dropout at
   * sampling). They follow from its seed; a sample of a given latent takes those of seed 0.
   */
  noise: number;
  /** What it gives. */
  output: OutputSpec;
  /** Whether the generator takes a class. */
  conditional: boolean;
  /** The names of the classes, where they are known. */
  classNames: string[] | null;
  /** The batch size that the graph insists on; null: any. */
  fixedBatch: number | null;
  /** The file's own description; null for a file of another program. */
  manifest: GeneratorManifest | null;
  /** What the cache did: `"off"`, `"hit"`, `"stored"`, or `"failed: "` and why. */
  cache: string;
}

/** What to assume of a file that has no manifest. */
export interface Assumptions {
  /** Default `"normal"`. */
  distribution?: LatentInfo["distribution"];
  /** The values that mean black and white. Default `[-1, 1]` for float images. */
  range?: [number, number];
}

/** The inputs as the graph wants them. */
export interface InputSpec {
  latentName: string;
  /** The latent's shape without N: `[dimension]`, or `[dimension, 1, 1]` and the like. */
  latentShape: number[];
  /** The uniform numbers of layers that stay random. */
  noise: { name: string; size: number } | null;
  label: { name: string; type: "int64" | "int32"; rank: number } | null;
  /** The batch size that the graph insists on; null: any. */
  fixedBatch: number | null;
  outputName: string;
}

/** A generator before its first run: `output.shape` is null where only a run tells it. */
export interface DescribedGenerator {
  input: InputSpec;
  info: Omit<GeneratorInfo, "output" | "cache"> & { output: Partial<OutputSpec> };
}

/** The name of the input that a manifest's `noise` tells of. */
const NOISE = "noise";

const TYPE_NAMES: Record<number, string> = {
  0: "unknown",
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  16: "bfloat16",
};

/**
 * Finds latent, label and output of a model.
 * @throws {UserError} if the model does not look like a generator, or its manifest cannot be read, is
 * of a newer format or contradicts the graph
 */
export function describeGenerator(
  file: ModelFile,
  name: string,
  sizeBytes: number,
  assumptions: Assumptions = {},
): DescribedGenerator {
  const manifest = readManifest(file, name);
  const refuse = (reason: string): never => {
    throw new UserError(
      `Cannot sample from ${name}: ${reason}; a generator takes one float32 latent [N, D] and perhaps ` +
        `one integer label [N], and this model takes ${describeAll(file.inputs)}`,
    );
  };
  const noise = findNoise(file, manifest);
  const latents = file.inputs.filter((input) => input.elementType === 1 && input !== noise);
  const labels = file.inputs.filter((input) => input.elementType === 7 || input.elementType === 6);
  if (latents.length !== 1) refuse(`it has ${latents.length} float32 inputs`);
  if (labels.length > 1) refuse(`it has ${labels.length} integer inputs`);
  const known = latents.length + labels.length + (noise ? 1 : 0);
  if (known !== file.inputs.length) {
    refuse("it has an input of another type");
  }
  const [latent] = latents;
  const latentShape = latent.shape?.slice(1) ?? [];
  const isVector = latentShape.length > 0 && latentShape.every((size) => size !== null) &&
    latentShape.slice(1).every((size) => size === 1);
  if (!isVector) refuse(`its input ${describe(latent)} is not a latent of known length`);
  const [label] = labels;
  const labelShape = label?.shape ?? [null];
  if (labelShape.length === 0 || labelShape.slice(1).some((size) => size !== 1)) {
    refuse(`its input ${describe(label)} is not one label a sample`);
  }
  const dimension = latentShape[0]!;
  if (dimension > MAX_SAMPLE_VALUES) {
    refuse(`its latent has ${dimension} values, and at most ${MAX_SAMPLE_VALUES} are allowed`);
  }
  if (file.outputs.length === 0) {
    throw new UserError(`Cannot sample from ${name}: it has no output`);
  }
  const output = manifest === null
    ? guessOutput(file.outputs[0], name, assumptions)
    : declaredOutput(manifest);
  if (manifest !== null) {
    const labelled = manifest.classNames !== null;
    const isMissing = manifest.noise !== undefined && noise === undefined;
    if (
      manifest.latent.dimension !== dimension || labelled !== (label !== undefined) || isMissing
    ) {
      throw new UserError(
        `Cannot sample from ${name}: its manifest tells of a latent of ${manifest.latent.dimension} ` +
          `numbers ${labelled ? "with" : "without"} a label${
            manifest.noise ? ` and of ${manifest.noise.size} numbers of noise` : ""
          }, and its graph takes ` +
          `${describeAll(file.inputs)}; export the model again`,
      );
    }
  }
  return {
    input: {
      latentName: latent.name,
      latentShape: latentShape as number[],
      label: label === undefined ? null : {
        name: label.name,
        type: label.elementType === 7 ? "int64" : "int32",
        rank: labelShape.length,
      },
      noise: noise ? { name: noise.name, size: manifest!.noise!.size } : null,
      fixedBatch: latent.shape![0],
      outputName: file.outputs[0].name,
    },
    info: {
      name,
      sizeBytes,
      producer: manifest?.producer ?? file.producer,
      opset: file.opset,
      latent: {
        dimension,
        distribution: manifest?.latent.distribution ?? assumptions.distribution ?? "normal",
      },
      noise: manifest?.noise?.size ?? 0,
      output,
      conditional: label !== undefined,
      classNames: manifest?.classNames ?? null,
      fixedBatch: latent.shape![0],
      manifest,
    },
  };
}

/** The input that a manifest tells of as noise. */
function findNoise(
  { inputs }: ModelFile,
  manifest: GeneratorManifest | null,
): TensorInfo | undefined {
  const size = manifest?.noise?.size;
  if (size === undefined) return undefined;
  return inputs.find(({ name, elementType, shape }) =>
    name === NOISE && elementType === 1 && shape?.length === 2 && shape[1] === size
  );
}

function readManifest(file: ModelFile, name: string): GeneratorManifest | null {
  const text = file.metadata.get(MANIFEST_KEY);
  if (text === undefined) return null;
  try {
    return parseManifest(text);
  } catch (error) {
    throw new UserError(`Cannot load ${name}: ${(error as Error).message}`, { cause: error });
  }
}

function declaredOutput(manifest: GeneratorManifest): OutputSpec {
  const { name, shape, dtype, range } = manifest.output;
  return { kind: name, shape, dtype, range };
}

function guessOutput(
  output: TensorInfo,
  name: string,
  assumptions: Assumptions,
): Partial<OutputSpec> {
  if (output.elementType !== 1 && output.elementType !== 2) {
    throw new UserError(
      `Cannot sample from ${name}: its output ${describe(output)} is neither float32 nor uint8`,
    );
  }
  const dtype = output.elementType === 1 ? "float32" : "uint8";
  const shape = output.shape?.slice(1);
  if (shape === undefined || !shape.every((size) => size !== null)) return { dtype };
  return { dtype, ...shapedOutput(shape, dtype, assumptions) };
}

/** Kind and range of an output of another program's file: `[C, H, W]` with 1, 3 or 4 channels shows. */
export function shapedOutput(
  shape: number[],
  dtype: OutputSpec["dtype"],
  assumptions: Assumptions,
): Pick<OutputSpec, "kind" | "shape" | "range"> {
  const isImage = shape.length === 3 && [1, 3, 4].includes(shape[0]);
  const bounds: [number, number] = dtype === "uint8" ? [0, 255] : assumptions.range ?? [-1, 1];
  return { kind: isImage ? "image" : "sample", shape, range: isImage ? bounds : null };
}

/** Such as `latent: float32 [N, 100]`. */
function describe({ name, elementType, shape }: TensorInfo): string {
  const type = TYPE_NAMES[elementType] ?? `type ${elementType}`;
  const sizes = shape?.map((size, axis) => size ?? (axis === 0 ? "N" : "?")).join(", ");
  return `"${name}" (${type} ${sizes === undefined ? "of unknown shape" : `[${sizes}]`})`;
}

function describeAll(inputs: TensorInfo[]): string {
  return inputs.length === 0 ? "nothing" : inputs.map(describe).join(", ");
}
