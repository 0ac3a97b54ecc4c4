/** The evaluation of a generator of images: features, classes, likeness to the training data. */
import { concatFloats } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import { formatInteger } from "../text.ts";
import type { DataSpec } from "../config/data.ts";
import type { DataSource } from "../data/source.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { classModes, type SampleMatrix, sampleMatrix } from "../metrics/mod.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";
import type { Sampler } from "../sampler/mod.ts";
import { canClassify, type Classifier, likeliest, trainClassifier } from "./classifier.ts";
import type { ClassEvaluation, Evaluation } from "./evaluation.ts";
import { fewestSamples, measureFeatures, sampleSizeWarning } from "./feature_measures.ts";
import {
  type FeatureExtractor,
  type FeatureSet,
  gatherFeatures,
  randomConvExtractor,
} from "./features.ts";
import {
  MAX_TRAINING,
  measureMemorization,
  measureSliced,
  type NeighborImages,
  neighborImages,
  planThumbnails,
  type Thumbnail,
  thumbnails,
} from "./likeness.ts";
import { openOnnxExtractor } from "./onnx_features.ts";
import { generatedBatches, type PixelBatch, realBatches } from "./pixels.ts";
import { joinFeatures, joinRows, joinSeen, ownImages } from "./shared_features.ts";
import { stackedClassifier, trainDigitClassifier } from "./stacked_modes.ts";

/** What every evaluation starts from. */
export interface EvaluationSetup {
  /** The generator. */
  sampler: Sampler;
  /** What it is compared with. */
  data: DataSource;
  /** Where these come from. */
  spec: DataSpec;
  /** Samples to draw; by default as many as the data has, at most the kind's cap. */
  count: number | undefined;
  /** The seed of the first sample. */
  seed: number;
  /** The neighbor that sets the radius of a ball. */
  k: number;
  /** A file to take features from, instead of the project's own networks. */
  features: string | undefined;
  /** The class of all samples, by number or name. Default: those of the data, else by seed. */
  label?: number | string;
  /** Called with what is being done. */
  onStage: (what: string) => void;
  /** The processes that share the images out; each gets all figures. Default: this one alone. */
  ranks?: Communicator;
}

/** The figures of an evaluation; who calls knows the file and the time. */
export type Figures = Omit<Evaluation, "formatVersion" | "model" | "data" | "seconds">;

/** What an evaluation of images makes. */
export interface ImageEvaluation {
  /** The figures. */
  figures: Figures;
  /** The samples nearest to the training data, beside it. */
  neighbors: NeighborImages;
}

/** Samples that are drawn by default: many for 64 features, and compared in seconds. */
export const DEFAULT_COUNT = 5000;
/** The same for an extractor's file, which may have 2048 features. */
const DEFAULT_COUNT_OF_FILE = 10_000;

/** A classifier that is wrong more often is not worth trusting. */
const GOOD_ACCURACY = 0.9;

/**
 * Measures a generator of images.
 * @throws {UserError} when there are too few samples, or the extractor's file does not fit
 */
export async function evaluateImages(setup: EvaluationSetup): Promise<ImageEvaluation> {
  const { sampler, data, seed, k, features: extractorFile, onStage } = setup;
  const usual = extractorFile === undefined ? DEFAULT_COUNT : DEFAULT_COUNT_OF_FILE;
  const count = setup.count ?? Math.min(usual, data.count);
  requireSamples(Math.min(count, data.count), k);
  await using cleanup = new AsyncDisposableStack();
  const warnings: string[] = [];
  const own = <T extends FeatureExtractor>(extractor: T): T => {
    cleanup.defer(() => extractor.dispose());
    return extractor;
  };

  let classifier: Classifier | undefined;
  const extractors: FeatureExtractor[] = [];
  if (extractorFile !== undefined) {
    extractors.push(own(await openOnnxExtractor(extractorFile, data.shape)));
  } else {
    const { engine } = await openEngine("cpu");
    cleanup.defer(() => engine.dispose());
    extractors.push(own(await randomConvExtractor(engine, data.shape)));
    if (canClassify(data)) {
      onStage("training a classifier on the data's labels");
      classifier = own(await openClassifier(engine, setup));
      extractors.push(classifier);
      if (classifier.accuracy < GOOD_ACCURACY) warnings.push(inaccuracy(classifier));
    }
  }

  const realIndices = permutation(data.count, { seed, stream: STREAMS.evaluation, step: 0 })
    .subarray(0, Math.min(count, data.count));
  const thumbnail = planThumbnails(data.shape);
  onStage(`features of ${formatInteger(realIndices.length)} images of the data`);
  const { ranks } = setup;
  const ownReals = ownImages(realIndices.length, ranks);
  const real = await gather(
    extractors,
    realBatches(data, realIndices.subarray(ownReals.first, ownReals.end)),
    { thumbnail, ranks: ownReals.isShared ? ranks : undefined },
  );
  onStage(`features of ${formatInteger(count)} samples`);
  const labels = planLabels(setup, realIndices);
  const { first, end, isShared } = ownImages(count, ranks);
  const request = {
    count: end - first,
    seed: seed + first,
    ...(labels.labelOf ? { label: labels.all(count).slice(first, end) } : {}),
  };
  const generated = await gather(
    extractors,
    generatedBatches(sampler, request),
    { thumbnail, ranks: isShared ? ranks : undefined },
  );

  onStage("distances");
  const features = extractors.map((extractor, i) =>
    measureFeatures({ extractor, real: real.sets[i], generated: generated.sets[i], k, seed })
  );
  for (const each of features) warnings.push(...[sampleSizeWarning(each) ?? []].flat());
  const sliced = measureSliced(real.small, generated.small, { of: thumbnail.description, seed });
  onStage("nearest training images");
  const training = await trainingThumbnails(data, thumbnail);
  const memorization = measureMemorization({
    generated: generated.small,
    training,
    of: thumbnail.description,
    firstSeed: seed,
  });
  if (generated.distinct < 0.9 * count) {
    warnings.push(
      `only ${generated.distinct} of ${count} samples differ: the generator has collapsed`,
    );
  }
  const labelOf = labels.labelOf && ((each: number) => labels.labelOf!(each - seed));
  const neighbors = await neighborImages({
    sampler,
    data,
    training,
    thumbnail,
    memorization,
    labelOf,
  });
  const figures: Figures = {
    samples: { count, firstSeed: seed, labels: labels.from, distinct: generated.distinct },
    features,
    sliced,
    memorization,
    warnings,
  };
  if (classifier) {
    const asked = sampler.info.conditional ? labels.all(count) : undefined;
    figures.classes = classEvaluation(classifier, data, generated.sets[1], asked);
  }
  return { figures, neighbors };
}

/** Stacked digits have a thousand classes, which a network learns by single digits. */
async function openClassifier(
  engine: Engine,
  { data, spec }: EvaluationSetup,
): Promise<Classifier> {
  if (spec.source !== "stacked-mnist") return await trainClassifier(engine, data);
  return stackedClassifier(await trainDigitClassifier(engine, spec), data.classNames!);
}

/**
 * Refuses too few samples.
 * @throws {UserError} naming the least number
 */
export function requireSamples(count: number, k: number): void {
  const needed = fewestSamples(k);
  if (count >= needed) return;
  throw new UserError(
    `Cannot evaluate with ${count} samples on one side: precision and recall by the neighbor ` +
      `k = ${k} need ${needed}; raise --count, lower --k, or use more data`,
  );
}

function inaccuracy({ name, accuracy, heldOutCount }: Classifier): string {
  return `${name} is right on ${
    (100 * accuracy).toFixed(1)
  }% of ${heldOutCount} held-out images only: ` +
    "take its classes and score with care, or give a better network with --features";
}

interface Gathered {
  /** For each extractor. */
  sets: FeatureSet[];
  small: SampleMatrix;
  /** Different images. */
  distinct: number;
}

async function gather(
  extractors: FeatureExtractor[],
  batches: AsyncIterable<PixelBatch> | Iterable<PixelBatch>,
  { thumbnail, ranks }: { thumbnail: Thumbnail; ranks: Communicator | undefined },
): Promise<Gathered> {
  const small: Float32Array[] = [];
  const seen = new Set<string>();
  const sets = await gatherFeatures(extractors, batches, (batch) => {
    small.push(thumbnails(batch, thumbnail));
    const size = batch.data.length / batch.count;
    for (let i = 0; i < batch.count; i++) {
      const image = batch.data.subarray(i * size, (i + 1) * size);
      seen.add(sha256(image));
    }
  });
  const thumbs = sampleMatrix(concatFloats(small), thumbnail.length);
  if (!ranks) return { sets, small: thumbs, distinct: seen.size };
  const all: FeatureSet[] = [];
  for (const set of sets) all.push(await joinFeatures(ranks, set));
  const { size: distinct } = await joinSeen(ranks, seen);
  return { sets: all, small: await joinRows(ranks, thumbs), distinct };
}

export function trainingThumbnails(data: DataSource, thumbnail: Thumbnail): SampleMatrix {
  const length = Math.min(MAX_TRAINING, data.count);
  const indices = Uint32Array.from({ length }, (_, index) => index);
  const parts: Float32Array[] = [];
  for (const batch of realBatches(data, indices)) parts.push(thumbnails(batch, thumbnail));
  return sampleMatrix(concatFloats(parts), thumbnail.length);
}

/** Where a conditional generator's labels come from. */
interface Labels {
  from: Evaluation["samples"]["labels"];
  /** The class of a sample, counted from 0; undefined where the sampler chooses. */
  labelOf?: (index: number) => number;
  /** The classes of the first samples. */
  all(count: number): number[];
}

/** The labels of the real images that the samples are compared with, so that both have the same mix. */
function planLabels(
  { sampler, data, label }: EvaluationSetup,
  realIndices: Uint32Array,
): Labels {
  const { conditional, classNames, name } = sampler.info;
  if (!conditional) {
    if (label === undefined) return { from: "none", all: () => [] };
    throw new UserError(`Cannot evaluate ${name} with a label: it takes none`);
  }
  if (label !== undefined) {
    const one = typeof label === "number" ? label : classNames?.indexOf(label) ?? -1;
    if (!(one >= 0)) {
      throw new UserError(`Cannot evaluate ${name} with label ${label}: no class has that name`);
    }
    return {
      from: "the one asked for",
      labelOf: () => one,
      all: (count) => Array(count).fill(one),
    };
  }
  const known = data.labels;
  // A file without names of classes takes the numbers of the data's.
  if (known && (classNames === null || classNames.length === data.classNames?.length)) {
    const labelOf = (index: number) => known[realIndices[index % realIndices.length]];
    return {
      from: "the data's",
      labelOf,
      all: (count) => Array.from({ length: count }, (_, index) => labelOf(index)),
    };
  }
  return { from: "seed modulo classes", all: () => [] };
}

function classEvaluation(
  classifier: Classifier,
  data: DataSource,
  generated: FeatureSet,
  asked: number[] | undefined,
): ClassEvaluation {
  const { name, classNames, classes, accuracy, heldOutCount } = classifier;
  const predicted = likeliest(generated.probabilities!.data, classes);
  const dataShares = new Float64Array(classes);
  for (const label of data.labels!) dataShares[label]++;
  const { covered, total, kl, counts } = classModes(predicted, { total: classes, dataShares });
  const hits = asked?.filter((label, i) => label === predicted[i]).length ?? 0;
  return {
    classifier: name,
    classNames,
    covered,
    total,
    kl: Number.isFinite(kl) ? kl : null,
    counts,
    accuracy,
    heldOutCount,
    asAsked: asked?.length ? hits / asked.length : null,
  };
}
