/** What a generator takes and gives: from the manifest, or from the graph where there is none. */
import { UserError } from "../errors.ts";
import { MANIFEST_KEY, MAX_SAMPLE_VALUES } from "../manifest.ts";
import {
  isTranslatorManifest,
  parseFileManifest,
  type SampledManifest,
  type TranslatorManifest,
} from "../model_manifest.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { arrangeOutput, type Assumptions, type OutputPlan } from "./assumptions.ts";
import { findInputs, type FoundInputs, type GeneratorInputSpec } from "./generator_inputs.ts";
import type { LatentInfo } from "./latents.ts";
import { describeTensor, describeTensors, type ModelFile, type TensorInfo } from "./model_file.ts";
import { type TableInfo, tableInfo } from "./rows/table_info.ts";
import type { TranslatorInfo } from "./translate/translator_info.ts";

/** What a generator gives. */
export interface OutputSpec {
  /** `"image"`: `[channels, height, width]` to show; `"sample"`: values. */
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
  /** The names of inputs that the app can give values for, besides latent and label. */
  feeds: string[];
  /** The batch size that the graph insists on; null: any. */
  fixedBatch: number | null;
  /** What was guessed, and what makes samples depend on more than their latent; one line each. */
  warnings: string[];
  /** The file's own description; null for a file of another program, and for a translator. */
  manifest: SampledManifest | null;
  /**
   * For a file that makes images from images: what it takes and gives, and `translate` is for it. It has no
   * latent (its dimension is 0), and `output.shape` has 0 where a side is open. Null for a generator.
   */
  translator: TranslatorInfo | null;
  /** For a generator of rows: its columns, and `rows` is for it. */
  table: TableInfo | null;
  /** For a generator of images from captions: the words that `sample({ text })` takes. */
  vocabulary: Vocabulary | null;
  /** What the cache did: `"off"`, `"hit"`, `"stored"`, or `"failed: "` and why. */
  cache: string;
}

/** A generator before its first run: parts of `output`, and its plan, are missing where a run must tell. */
export interface DescribedGenerator {
  input: GeneratorInputSpec;
  info: Omit<GeneratorInfo, "output" | "cache"> & { output: Partial<OutputSpec> };
  plan: OutputPlan | null;
  /** Values of `input.feeds` to begin with. */
  defaults: FoundInputs["defaults"];
}

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
  const found = readManifest(file, name);
  const manifest = isTranslatorManifest(found) ? null : found;
  const { defaults, guesses, ...inputs } = findInputs(file.inputs, {
    name,
    manifest,
    assume: assumptions,
  });
  const { latentShape: [dimension], label, noise, feeds, fixedBatch } = inputs;
  if (manifest !== null) {
    const labeled = manifest.classNames !== null;
    const isMissing = manifest.noise !== undefined && noise === null ||
      feeds.length < (manifest.conditions?.length ?? 0);
    if (manifest.latent.dimension !== dimension || labeled !== (label !== null) || isMissing) {
      throw new UserError(
        `Cannot sample from ${name}: its manifest declares a latent of ${manifest.latent.dimension} ` +
          `values ${labeled ? "with" : "without"} a label${
            manifest.noise ? ` and of ${manifest.noise.size} values of noise` : ""
          }, and its graph takes ` +
          `${describeTensors(file.inputs)}; export the model again`,
      );
    }
  }
  const output = findOutput(file.outputs, name, { manifest, assume: assumptions });
  const classNames = manifest?.classNames ??
    (label === null || label.classes === null
      ? null
      : Array.from({ length: label.classes }, (_, index) => `${index}`));
  return {
    input: { ...inputs, outputName: output.name },
    defaults,
    plan: output.plan,
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
      output: output.spec,
      conditional: label !== null,
      classNames,
      feeds: feeds.map((feed) => feed.name),
      fixedBatch,
      warnings: [...guesses, ...output.guesses, ...file.unsteady],
      manifest,
      translator: null,
      table: manifest?.table ? tableInfo(manifest.table) : null,
      vocabulary: manifest?.vocabulary ?? null,
    },
  };
}

/**
 * Reads a file's manifest.
 * @returns null where it has none
 * @throws {UserError} when it cannot be read, or is of a newer format
 */
export function readManifest(
  file: ModelFile,
  name: string,
): SampledManifest | TranslatorManifest | null {
  const text = file.metadata.get(MANIFEST_KEY);
  if (text === undefined) return null;
  try {
    return parseFileManifest(text);
  } catch (error) {
    throw new UserError(`Cannot load ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** An output and what is known of it before a run. */
interface FoundOutput {
  name: string;
  spec: Partial<OutputSpec>;
  plan: OutputPlan | null;
  guesses: string[];
}

function findOutput(
  outputs: TensorInfo[],
  name: string,
  { manifest, assume }: { manifest: SampledManifest | null; assume: Assumptions },
): FoundOutput {
  const [first] = outputs;
  if (first === undefined) throw new UserError(`Cannot sample from ${name}: it has no output`);
  if (manifest !== null) {
    const { name: kind, shape, dtype, range } = manifest.output;
    const plan = { fileShape: shape, channelsLast: false };
    return { name: first.name, spec: { kind, shape, dtype, range }, plan, guesses: [] };
  }
  const named = outputs.find((output) => output.name === assume.output);
  if (assume.output !== undefined && named === undefined) {
    throw new UserError(
      `Cannot sample from ${name}: it has no output "${assume.output}"; it has ${
        describeTensors(outputs)
      }`,
    );
  }
  const found = named ?? outputs.find((output) => looksLikeImage(output, assume)) ?? first;
  const guesses = named === undefined && found !== first
    ? [`its output "${found.name}" is shown, as "${first.name}" is no image`]
    : [];
  if (![1, 2, 10, 11].includes(found.elementType)) {
    throw new UserError(
      `Cannot sample from ${name}: its output ${describeTensor(found)} is neither float nor uint8`,
    );
  }
  const dtype = found.elementType === 2 ? "uint8" : "float32";
  const shape = found.shape?.slice(1);
  if (shape === undefined || !shape.every((size) => size !== null)) {
    return { name: found.name, spec: { dtype }, plan: null, guesses };
  }
  const { spec, plan, guesses: ofShape } = shapedOutput(shape, dtype, { name, assume });
  return { name: found.name, spec: { dtype, ...spec }, plan, guesses: [...guesses, ...ofShape] };
}

function looksLikeImage({ elementType, shape }: TensorInfo, assume: Assumptions): boolean {
  if (![1, 2, 10, 11].includes(elementType) || shape === null) return false;
  const sizes = shape.slice(1).map((size) => size ?? 64); // an open height or width
  return arrangeOutput(sizes, assume)?.kind === "image";
}

/**
 * Kind, shape and range of an output of another program's file.
 * @param shape as the file gives it, without N
 * @throws {UserError} where `assume.shape` has another number of values
 */
export function shapedOutput(
  shape: number[],
  dtype: OutputSpec["dtype"],
  { name, assume }: { name: string; assume: Assumptions },
): { spec: Pick<OutputSpec, "kind" | "shape" | "range">; plan: OutputPlan; guesses: string[] } {
  const arranged = arrangeOutput(shape, assume);
  if (arranged === null) {
    throw new UserError(
      `Cannot sample from ${name}: a sample has [${
        shape.join(", ")
      }] values, and assume.shape is ` +
        `[${assume.shape!.join(", ")}]`,
    );
  }
  const { kind, fileShape, channelsLast } = arranged;
  const size = arranged.shape.reduce((product, length) => product * length, 1);
  if (!(size <= MAX_SAMPLE_VALUES)) {
    throw new UserError(
      `Cannot sample from ${name}: a sample has [${shape.join(", ")}] values, and at most ` +
        `${MAX_SAMPLE_VALUES} are allowed`,
    );
  }
  const bounds: [number, number] = dtype === "uint8" ? [0, 255] : assume.range ?? [-1, 1];
  return {
    spec: { kind, shape: arranged.shape, range: kind === "image" ? bounds : null },
    plan: { fileShape, channelsLast },
    guesses: channelsLast && assume.layout === undefined
      ? [
        `the last axis of its output [N, ${
          shape.join(", ")
        }] is taken for channels (assume.layout)`,
      ]
      : [],
  };
}
