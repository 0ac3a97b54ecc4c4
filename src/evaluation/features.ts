/**
 * What turns images into features, and how features are gathered. Three kinds: an untrained
 * convolutional network (here), a classifier trained on the data (classifier.ts), and any ONNX file
 * (onnx_features.ts).
 */
import { concatFloats } from "../bytes.ts";
import type { LayerSpec, NetworkSpec } from "../config/network.ts";
import type { Engine } from "../engine/types.ts";
import { type SampleMatrix, sampleMatrix } from "../metrics/mod.ts";
import { buildNetwork, initialParameters } from "../nn/mod.ts";
import { compileNetwork } from "./generate.ts";
import { type PixelBatch, toTensor } from "./pixels.ts";

/** What an extractor says about some images. */
export interface Extracted {
  /** `[count, dimensions]` */
  features: Float32Array;
  /** `[count, classes]`, from an extractor that classifies. */
  probabilities?: Float32Array;
}

/** Turns images into features. */
export interface FeatureExtractor {
  /** Names every figure that comes from it, so that it must say what it is and what it is not. */
  readonly name: string;
  /** What it is and how images go in: their size, the resizer, the range. */
  readonly description: string;
  /** Features of an image. */
  readonly dimensions: number;
  /** Classes that it distinguishes; 0 where it does not classify. */
  readonly classes: number;
  /** Turns some images into features. */
  extract(batch: PixelBatch): Promise<Extracted>;
  /** Gives all memory back. */
  dispose(): Promise<void>;
}

/** Features of many images. */
export interface FeatureSet {
  /** A row for each image. */
  features: SampleMatrix;
  /** The same, from an extractor that classifies. */
  probabilities?: SampleMatrix;
}

/** Features of the project's own networks. */
export const OWN_FEATURES = 64;

/** Images that the project's own networks take at once. */
export const EXTRACTION_BATCH = 256;

/**
 * A small stack of convolutions: each halves the image until no side is longer than 4, and a dense layer
 * makes 64 features of the rest.
 * @param shape `[height, width, channels]`
 */
export function featureNetwork(shape: readonly number[]): NetworkSpec {
  const layers: LayerSpec[] = [];
  let [height, width] = shape;
  for (let filters = 16; Math.max(height, width) > 4; filters = Math.min(64, 2 * filters)) {
    layers.push(
      { type: "conv", filters, kernel: 3, stride: 2, padding: 1 },
      { type: "activation", fn: "relu" },
    );
    height = Math.ceil(height / 2);
    width = Math.ceil(width / 2);
  }
  layers.push({ type: "flatten" }, { type: "dense", units: OWN_FEATURES });
  return { inputShape: [...shape], init: "he-normal", layers };
}

/**
 * Features of a network that was never trained: distances in them see shape and contrast without the
 * preferences of a network that was trained on photographs (Naeem et al. 2020 take 64 outputs of an
 * untrained VGG16 for images that are unlike those). The weights are always the same, so figures of equal
 * image shapes compare.
 * @param shape `[height, width, channels]`
 */
export async function randomConvExtractor(
  engine: Engine,
  shape: readonly number[],
): Promise<FeatureExtractor> {
  const network = buildNetwork(featureNetwork(shape));
  const weights = initialParameters(network, 0);
  const runner = await compileNetwork(engine, network, EXTRACTION_BATCH);
  return {
    name: `random-conv-${OWN_FEATURES}`,
    description:
      `an untrained convolutional network of ganforge's own (weights of seed 0), on pixels ` +
      "as they are, in [-1, 1]; not Inception",
    dimensions: OWN_FEATURES,
    classes: 0,
    async extract(batch) {
      return { features: (await runner.run(weights, toTensor(batch))).data as Float32Array };
    },
    dispose: () => runner.dispose(),
  };
}

/**
 * Runs every extractor over every batch.
 * @param onBatch sees each batch too
 * @returns a set for each extractor, in their order
 */
export async function gatherFeatures(
  extractors: readonly FeatureExtractor[],
  batches: AsyncIterable<PixelBatch> | Iterable<PixelBatch>,
  onBatch: (batch: PixelBatch) => void,
): Promise<FeatureSet[]> {
  const parts = extractors.map(() => ({
    features: [] as Float32Array[],
    probabilities: [] as Float32Array[],
  }));
  for await (const batch of batches) {
    onBatch(batch);
    for (const [index, extractor] of extractors.entries()) {
      const { features, probabilities } = await extractor.extract(batch);
      parts[index].features.push(features);
      if (probabilities) parts[index].probabilities.push(probabilities);
    }
  }
  return extractors.map(({ dimensions, classes }, index) => {
    const { features, probabilities } = parts[index];
    const set: FeatureSet = { features: sampleMatrix(concatFloats(features), dimensions) };
    if (classes) set.probabilities = sampleMatrix(concatFloats(probabilities), classes);
    return set;
  });
}

/** Probabilities of rows of logits. @param logits `[n, classes]` @returns the same shape */
export function softmaxRows(logits: ArrayLike<number>, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[start + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[start + c] - largest);
    for (let c = 0; c < classes; c++) {
      probabilities[start + c] = Math.exp(logits[start + c] - largest) / sum;
    }
  }
  return probabilities;
}
