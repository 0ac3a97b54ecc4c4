/** The manifest that goes into a generator's file, with a self-test that the file itself has passed. */
import { sha256 } from "../hash.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import {
  type ConditionInput,
  type GeneratorManifest,
  type LatentDistribution,
  MANIFEST_VERSION,
  PRODUCER,
  type SelfTest,
} from "../manifest.ts";
import type { SampledManifest, TableManifest } from "../model_manifest.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { fillLatent, fillNoise } from "../random/latents.ts";
import { bytesOf } from "../graph/external_data.ts";
import type { OnnxGraph } from "../graph/onnx_graph.ts";
import type { ModelSession } from "../ort/model_session.ts";
import type { ColumnUnits } from "./compare.ts";
import type { InputRoles } from "./generator_roles.ts";
import { LABEL, LATENT, NOISE } from "./target.ts";

/** What the file shall say about the generator; everything has a default. */
export interface GeneratorDescription extends InputRoles {
  /** Where latents come from. Default "normal". */
  distribution?: LatentDistribution;
  /**
   * The smallest and largest meaningful value of the output as the network gives it. Default `[-1, 1]`
   * for images, null (unbounded) otherwise.
   */
  range?: [number, number] | null;
  /** What the values of a sample of points are called, one name each. Default: they have no names. */
  columnNames?: readonly string[];
  /**
   * What 0 and 1 of each value of a sample of points stand for: the file gives `value * scale + mean`.
   * Default: what the network gives.
   */
  columnUnits?: readonly ColumnUnits[];
  /** How rows of a table are read, for a generator of rows. */
  table?: TableManifest;
  /** The words of captions, for a generator with an input `tokens`. */
  vocabulary?: Vocabulary;
  /** Where truncation pulls to. Default 0 for each value of the latent, 1/2 for a uniform one. */
  truncationMean?: readonly number[];
  /** The preset that the run started from. */
  preset?: string;
  /** How many training steps the weights have seen. */
  step?: number;
  /** What the owner says about using the weights. */
  license?: string;
}

/** The facts that a manifest needs besides the description. */
export interface ManifestFacts {
  latentDimension: number;
  /** How many classes, or undefined for a generator without labels. */
  classCount: number | undefined;
  /** Inputs besides latent, label and noise. */
  conditions: ConditionInput[];
  output: GeneratorManifest["output"];
  graph: OnnxGraph;
  /** What the self-test may differ by on other runtimes, for values of size 1. */
  tolerance: number;
}

const SELF_TEST_SEEDS = [0, 1, 2, 3];

/** The self-test looks at this many values of each sample. */
const SELF_TEST_VALUES = 16;

/**
 * Builds the manifest.
 * @param session the file without it
 * @throws {UserError} when the file gives values that are not finite, or columns are named that it lacks
 */
export async function buildManifest(
  description: GeneratorDescription,
  facts: ManifestFacts,
  session: ModelSession,
): Promise<SampledManifest> {
  const { distribution = "normal", preset, step, license, columnNames } = description;
  const { table, vocabulary } = description;
  const { latentDimension: dimension, classCount, conditions, output, graph } = facts;
  if (columnNames && (output.name !== "sample" || columnNames.length !== output.shape[0])) {
    throw new UserError(
      `Cannot export with ${columnNames.length} columnNames: a sample has the shape [${
        output.shape.join(", ")
      }], and names are for the values of points, one each`,
    );
  }
  const noiseSize = noiseSizeOf(graph);
  const center = distribution === "uniform" ? 0.5 : 0;
  return {
    formatVersion: MANIFEST_VERSION,
    producer: PRODUCER,
    latent: { dimension, distribution },
    ...(noiseSize ? { noise: { size: noiseSize } } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    output,
    classNames: classCount === undefined
      ? null
      : [...description.classNames ?? Array.from({ length: classCount }, (_, i) => String(i))],
    ...(columnNames ? { columnNames: [...columnNames] } : {}),
    ...(table ? { table } : {}),
    ...(vocabulary ? { vocabulary } : {}),
    truncationMean: [...description.truncationMean ?? Array<number>(dimension).fill(center)],
    preset: preset ?? null,
    step: step ?? null,
    license: license ?? null,
    weightsSha256: hashWeights(graph),
    selfTest: await runSelfTest(description, facts, session),
  };
}

/** Uniform numbers that a sample takes besides its latent; 0: none. */
function noiseSizeOf({ inputs }: OnnxGraph): number {
  return Number(inputs.find(({ name }) => name === NOISE)?.dims?.[1] ?? 0);
}

/** The noise of some seeds. @returns `[seeds.length, size]` */
export function seededNoise(seeds: ArrayLike<number>, size: number): HostTensor {
  const data = new Float32Array(seeds.length * size);
  for (let i = 0; i < seeds.length; i++) {
    fillNoise(data.subarray(i * size, (i + 1) * size), seeds[i]);
  }
  return { shape: [seeds.length, size], dtype: "float32", data };
}

/** What a condition holds in the self-test and where a file is compared: 0.5, or 0 for whole numbers. */
export function selfTestCondition({ dtype, shape }: ConditionInput, count: number): HostTensor {
  const size = shape.reduce((product, side) => product * side, count);
  const dims = [count, ...shape];
  return dtype === "float32" || dtype === "float16"
    ? { shape: dims, dtype: "float32", data: new Float32Array(size).fill(0.5) }
    : { shape: dims, dtype: "int32", data: new Int32Array(size) };
}

/** SHA-256 of all weights in the order of the file. */
export function hashWeights({ initializers }: OnnxGraph): string {
  return sha256(...initializers.map(bytesOf));
}

async function runSelfTest(
  { distribution = "normal", columnUnits }: GeneratorDescription,
  { latentDimension, classCount, conditions, output, graph, tolerance }: ManifestFacts,
  session: ModelSession,
): Promise<SelfTest> {
  const seeds = SELF_TEST_SEEDS;
  const labels = classCount === undefined ? null : seeds.map((seed) => seed % classCount);
  const latents = new Float32Array(seeds.length * latentDimension);
  seeds.forEach((seed, index) => {
    const latent = latents.subarray(index * latentDimension, (index + 1) * latentDimension);
    fillLatent(latent, { seed, distribution });
  });
  const inputs: HostTensors = {
    [LATENT]: { shape: [seeds.length, latentDimension], dtype: "float32", data: latents },
  };
  if (labels !== null) {
    inputs[LABEL] = { shape: [seeds.length], dtype: "int32", data: Int32Array.from(labels) };
  }
  const noiseSize = noiseSizeOf(graph);
  if (noiseSize) inputs[NOISE] = seededNoise(seeds, noiseSize);
  for (const condition of conditions) {
    inputs[condition.name] = selfTestCondition(condition, seeds.length);
  }
  const { data } = (await session.run(inputs))[output.name];
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new UserError(
      `Cannot export: the file's samples of seeds ${seeds.join(", ")} hold ${
        data[wrong]
      }; the network ` +
        "has diverged, or its values are too large for the precision",
    );
  }
  const size = data.length / seeds.length;
  const values = seeds.map((_, index) => {
    const first = Array.from(data.subarray(index * size, index * size + SELF_TEST_VALUES));
    // Seven digits tell all that a float32 knows, in half of the text.
    return first.slice(0, size).map((value) => Number(value.toPrecision(7)));
  });
  if (columnUnits) {
    const scales = columnUnits.map(({ scale }) => Math.abs(scale));
    const sized = values.flatMap((row) => row.map((value, i) => Math.abs(value) / scales[i]));
    // Far from 0, float32 in these units is coarser than the network.
    const rounding = 2 ** -20 * Math.max(...sized);
    return { seeds, labels, values, tolerance: 4 * tolerance + rounding, scales };
  }
  const largest = Math.max(1, ...values.flat().map(Math.abs));
  const scale = output.dtype === "uint8" ? 1 : largest;
  return { seeds, labels, values, tolerance: tolerance * scale };
}
