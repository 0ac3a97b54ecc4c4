/** The manifest of a file that makes images from images, with a self-test that the file has passed. */
import { UserError } from "../errors.ts";
import type { OnnxGraph } from "../graph/onnx_graph.ts";
import { MANIFEST_VERSION, PRODUCER } from "../manifest.ts";
import type { TranslatorManifest } from "../model_manifest.ts";
import type { ModelSession, OutputTensor } from "../ort/model_session.ts";
import { fillSelfTestImage } from "../random/latents.ts";
import type { HostTensors } from "../tensor/types.ts";
import { hashWeights, seededNoise } from "./generator_manifest.ts";
import { NOISE } from "./target.ts";
import type { TranslatorFacts } from "./traced_target.ts";
import { IMAGE, TRANSLATED, type TranslatorDescription } from "./translator_target.ts";

const SELF_TEST_SEEDS = [0, 1];

/** The self-test looks at this many values of each image. */
const SELF_TEST_VALUES = 16;

/** Images of tests have at least this many pixels a side, where sizes are open. */
const TEST_SIDE = 16;

/** How far a cut edge is looked for, in pixels of the input. */
const MAX_REACH = 64;

/** What a change may be for nobody to see it, as a share of the range: half a gray level of 256. */
const VISIBLE = 0.5 / 255;

/** What the manifest needs besides the description. */
export interface TranslatorManifestFacts {
  translator: TranslatorFacts;
  graph: OnnxGraph;
  /** What the self-test may differ by on other runtimes, for values of size 1. */
  tolerance: number;
}

/**
 * Builds the manifest.
 * @param session the file without it
 * @throws {UserError} when the file gives values that are not finite
 */
export async function buildTranslatorManifest(
  description: TranslatorDescription,
  { translator, graph, tolerance }: TranslatorManifestFacts,
  session: ModelSession,
): Promise<TranslatorManifest> {
  const { inputRange = [-1, 1], range = inputRange, preset, step, license } = description;
  const { channels, height, width, multiple, noiseSize, factor, outputChannels } = translator;
  const side = Math.ceil(TEST_SIDE / multiple) * multiple;
  const size = { height: height ?? side, width: width ?? side };
  const inputs: ImageInputs = { session, channels, noiseSize };
  const images = testImages(SELF_TEST_SEEDS, { channels, ...size, range: inputRange });
  const { data } = await runImages(inputs, images);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new UserError(
      `Cannot export: the file makes images that hold ${data[wrong]}; the network has diverged`,
    );
  }
  const length = data.length / SELF_TEST_SEEDS.length;
  const values = SELF_TEST_SEEDS.map((_, index) =>
    Array.from(data.subarray(index * length, index * length + SELF_TEST_VALUES))
      .slice(0, length)
      .map((value) => Number(value.toPrecision(7)))
  );
  const isOpen = height === null && width === null;
  return {
    formatVersion: MANIFEST_VERSION,
    kind: "translator",
    producer: PRODUCER,
    image: { channels, height, width, multiple, range: [inputRange[0], inputRange[1]] },
    ...(noiseSize ? { noise: { size: noiseSize } } : {}),
    output: { channels: outputChannels!, range: [range[0], range[1]], factor: factor! },
    reach: isOpen
      ? await measureReach(inputs, {
        multiple,
        factor: factor!,
        range: inputRange,
        visible: VISIBLE * (range[1] - range[0]),
      })
      : Math.floor(Math.min(height ?? Infinity, width ?? Infinity, 4 * MAX_REACH) / 8),
    preset: preset ?? null,
    step: step ?? null,
    license: license ?? null,
    weightsSha256: hashWeights(graph),
    selfTest: {
      seeds: SELF_TEST_SEEDS,
      ...size,
      values,
      tolerance: tolerance * Math.max(1, ...values.flat().map(Math.abs)),
    },
  };
}

/** What images are made of: channels and noise. */
interface ImageInputs {
  session: ModelSession;
  channels: number;
  noiseSize: number;
}

/** Some images of one size. */
interface TestImages {
  /** `[seeds, channels, height, width]` */
  data: Float32Array;
  height: number;
  width: number;
  /** Of their noise. */
  seeds: readonly number[];
}

/** The images of the self-test. */
function testImages(
  seeds: readonly number[],
  { channels, height, width, range }: {
    channels: number;
    height: number;
    width: number;
    range: [number, number];
  },
): TestImages {
  const size = channels * height * width;
  const data = new Float32Array(seeds.length * size);
  seeds.forEach((seed, index) => {
    fillSelfTestImage(data.subarray(index * size, (index + 1) * size), { seed, range });
  });
  return { data, height, width, seeds };
}

/** Runs the file. */
async function runImages(
  { session, channels, noiseSize }: ImageInputs,
  { data, height, width, seeds }: TestImages,
): Promise<OutputTensor> {
  const shape = [seeds.length, channels, height, width];
  const inputs: HostTensors = { [IMAGE]: { shape, dtype: "float32", data } };
  if (noiseSize) inputs[NOISE] = seededNoise(seeds, noiseSize);
  return (await session.run(inputs))[TRANSLATED];
}

/**
 * How far from an edge where an image is cut the output differs visibly: compares an image with its right
 * part. A network that normalizes over the whole image differs everywhere, up to what is looked at.
 * @returns pixels of the input
 */
async function measureReach(
  inputs: ImageInputs,
  { multiple, factor, range, visible }: {
    multiple: number;
    factor: number;
    range: [number, number];
    visible: number;
  },
): Promise<number> {
  const side = Math.ceil(MAX_REACH / multiple) * multiple;
  const { channels } = inputs;
  const whole = testImages([0], { channels, height: side, width: 2 * side, range });
  const data = new Float32Array(channels * side * side);
  for (let row = 0; row < channels * side; row++) {
    data.set(whole.data.subarray((2 * row + 1) * side, (2 * row + 2) * side), row * side);
  }
  const ofWhole = (await runImages(inputs, whole)).data;
  const ofPart = (await runImages(inputs, { data, height: side, width: side, seeds: [0] })).data;
  const outSide = factor * side;
  let reach = 0;
  for (let at = 0; at < ofPart.length; at++) {
    const column = at % outSide;
    const row = (at - column) / outSide;
    const difference = Math.abs(ofPart[at] - ofWhole[(2 * row + 1) * outSide + column]);
    if (difference > visible) reach = Math.max(reach, column + 1);
  }
  return Math.min(MAX_REACH, Math.ceil(reach / factor));
}
