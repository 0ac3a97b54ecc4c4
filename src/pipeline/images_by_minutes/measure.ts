/**
 * Measures files of samples against the data, all over the same features. The figures depend on the files
 * alone; what was measured is kept beside them, so that a table that grows is measured once.
 */
import type { DataSource } from "../../data/source.ts";
import { openDataSource } from "../../data/open.ts";
import { openEngine } from "../../engine/open.ts";
import { UserError } from "../../errors.ts";
import { canClassify, trainClassifier } from "../../evaluation/classifier.ts";
import type { FeatureFigures } from "../../evaluation/evaluation.ts";
import {
  type FeatureExtractor,
  type FeatureSet,
  gatherFeatures,
  randomConvExtractor,
} from "../../evaluation/features.ts";
import { figuresOf, splitInTwo } from "../../evaluation/feature_measures.ts";
import { openOnnxExtractor } from "../../evaluation/onnx_features.ts";
import { realBatches } from "../../evaluation/pixels.ts";
import { exportOnnx } from "../../export/export.ts";
import { writeFileAtomically } from "../../files.ts";
import { sha256 } from "../../hash.ts";
import { applyNetwork } from "../../nn/mod.ts";
import { permutation, STREAMS } from "../../random/counter_random.ts";
import type { FiguresOverTime, MeasuredMark } from "../../report/quality_over_time.ts";
import { toCpuTensors } from "../../tensor/cpu_tensors.ts";
import { tf } from "../../tensor/tf.ts";
import { readMarks, type SampleSetFolder } from "./sample_sets.ts";

/** What samples are measured with. */
export interface Measuring {
  data: DataSource;
  /** Holds `features.onnx`, the classifier's features, where the data have labels. */
  folder: string;
  /** Samples that each file holds; as many images of the data are compared with them. */
  samples: number;
  signal?: AbortSignal;
  onStage?: (what: string) => void;
}

/** The neighbor of precision, recall, density and coverage, and the seed of subsets. */
const COMPARISON = { k: 5, seed: 0 };
const FEATURES_FILE = "features.onnx";

/** The figures of every set, in their order; undefined where it was interrupted. */
export async function measureSampleSets(
  sets: readonly SampleSetFolder[],
  measuring: Measuring,
): Promise<FiguresOverTime | undefined> {
  const { data, samples, signal, onStage } = measuring;
  await using cleanup = new AsyncDisposableStack();
  const { extractors, remark } = await openExtractors(measuring, cleanup);
  const indices = permutation(data.count, { seed: 0, stream: STREAMS.evaluation, step: 0 })
    .subarray(0, Math.min(samples, data.count));
  onStage?.(`features of ${indices.length} images of the data`);
  const real = await gatherFeatures(extractors, realBatches(data, indices), () => {});
  const measured: MeasuredMark[] = [];
  for (const { recipe, seed, folder } of sets) {
    for (const mark of await readMarks(folder)) {
      if (signal?.aborted) return undefined;
      onStage?.(`measuring ${folder.split("/").at(-1)}/${mark.file}`);
      const path = `${folder}/${mark.file}`;
      const figures = await measureFile(path, { extractors, real, data });
      measured.push({ recipe, seed, ...mark, figures });
    }
  }
  return {
    extractors: extractors.map(({ name }) => name),
    remark,
    reference: real.map(({ features }) => figuresOf(...splitInTwo(features), COMPARISON)),
    measured,
  };
}

interface Opened {
  extractors: FeatureExtractor[];
  /** How good the classifier is, whose features the first are. */
  remark: string;
}

async function openExtractors(
  { data, folder, onStage }: Measuring,
  cleanup: AsyncDisposableStack,
): Promise<Opened> {
  const { engine } = await openEngine("cpu");
  cleanup.defer(() => engine.dispose());
  const random = await randomConvExtractor(engine, data.shape);
  cleanup.defer(() => random.dispose());
  if (!canClassify(data)) {
    const remark = "The data have no labels, or too few images of each, to train a classifier on.";
    return { extractors: [random], remark };
  }
  const file = `${folder}/${FEATURES_FILE}`;
  const about = `${folder}/features.json`;
  if (!await exists(file) || !await exists(about)) {
    onStage?.("training a classifier on the data's labels");
    const classifier = await trainClassifier(engine, data);
    cleanup.defer(() => classifier.dispose());
    const { accuracy, heldOutCount, trainingCount } = classifier;
    const remark =
      `The classifier was trained on ${trainingCount} images of the data and is right on ` +
      `${
        (100 * accuracy).toFixed(1)
      }% of ${heldOutCount} others; its features are in ${FEATURES_FILE}.`;
    await writeFileAtomically(file, await featuresAsOnnx(classifier.featureNetwork));
    await writeFileAtomically(about, new TextEncoder().encode(JSON.stringify({ remark }) + "\n"));
  }
  const known = await openOnnxExtractor(file, data.shape);
  cleanup.defer(() => known.dispose());
  const { remark } = JSON.parse(await Deno.readTextFile(about));
  const digest = sha256(await Deno.readFile(file));
  return { extractors: [known, random], remark: `${remark} SHA-256 ${digest}.` };
}

/** The feature network as a file that `deno task evaluate --features` takes too: images as NCHW. */
async function featuresAsOnnx(
  { network, weights }: Awaited<ReturnType<typeof trainClassifier>>["featureNetwork"],
): Promise<Uint8Array<ArrayBuffer>> {
  const [height, width, channels] = network.spec.inputShape;
  const parameters = toCpuTensors(weights);
  try {
    const { bytes } = await exportOnnx<tf.Tensor>({
      fn({ images }) {
        const last = tf.transpose(images, [0, 2, 3, 1]);
        const { output } = applyNetwork(network, parameters, last, { training: false });
        return { features: output };
      },
      inputs: { images: { shape: [null, channels, height, width] } },
      weights: parameters,
    });
    return bytes;
  } finally {
    tf.dispose(parameters);
  }
}

async function measureFile(
  path: string,
  { extractors, real, data }: {
    extractors: FeatureExtractor[];
    real: FeatureSet[];
    data: DataSource;
  },
): Promise<FeatureFigures[]> {
  const kept = `${path.replace(/\.npy$/, "")}.json`;
  const key = sha256([
    sha256(await Deno.readFile(path)),
    data.fingerprint,
    real[0].features.count,
    ...extractors.map(({ name }) => name),
  ].join());
  const known = await readKept(kept, key);
  if (known) return known;
  const samples = await openDataSource({ source: "auto", path });
  if (samples.shape.join() !== data.shape.join()) {
    throw new UserError(
      `Cannot measure ${path}: its images are ${
        samples.shape.join(" x ")
      }, and those of the data ` +
        data.shape.join(" x "),
    );
  }
  const all = Uint32Array.from({ length: samples.count }, (_, index) => index);
  const generated = await gatherFeatures(extractors, realBatches(samples, all), () => {});
  const figures = generated.map(({ features }, i) =>
    figuresOf(real[i].features, features, COMPARISON)
  );
  await writeFileAtomically(
    kept,
    new TextEncoder().encode(JSON.stringify({ key, figures }) + "\n"),
  );
  return figures;
}

async function readKept(file: string, key: string): Promise<FeatureFigures[] | undefined> {
  try {
    const kept = JSON.parse(await Deno.readTextFile(file));
    return kept.key === key ? kept.figures : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
