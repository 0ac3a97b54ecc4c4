/**
 * Measures samples while a run is trained, by the engine that trains it and with the weights that an
 * export would have. What does not change from one evaluation to the next, the data's side and the
 * network that makes features, is made once. Latents are those of the sampler's seeds 0, 1, 2, ..., and
 * nothing of the step's own random numbers is touched.
 */
import { concatFloats } from "../bytes.ts";
import type { MeasureName } from "../config/evaluation.ts";
import type { LatentSpec } from "../config/update.ts";
import type { DataSource } from "../data/source.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import {
  featureMoments,
  frechetDistance,
  MAX_FEATURES,
  type SampleMatrix,
  sampleMatrix,
  slicedWasserstein,
} from "../metrics/mod.ts";
import type { Network } from "../nn/mod.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";
import type { Evaluator } from "../training/evaluations.ts";
import type { Measured } from "../training/store.ts";
import { trainClassifier } from "./classifier.ts";
import { freshSamples, lineMeasures, modeMeasures } from "./density_measures.ts";
import type { EvaluationPlan } from "./evaluation_plan.ts";
import { affordableKernelDistance } from "./feature_measures.ts";
import { type FeatureExtractor, gatherFeatures, randomConvExtractor } from "./features.ts";
import { compileNetwork, generatorWeights, seededLatents } from "./generate.ts";
import { classifierStore, type WeightsStore } from "./kept_weights.ts";
import { planThumbnails, PROJECTIONS, thumbnails } from "./likeness.ts";
import { openOnnxExtractor } from "./onnx_features.ts";
import { networkBatches, type PixelBatch, realBatches } from "./pixels.ts";

/** What an evaluator is made for. */
export interface EvaluatorSetup {
  plan: EvaluationPlan;
  data: DataSource;
  engine: Engine;
  generator: Network;
  latent: LatentSpec;
  /** The folder of the run that goes on, where there may be what it made ready before. */
  folder?: string;
  /** Called with what is being prepared, where that takes seconds. */
  onStage?: (what: string) => void;
}

/** An evaluator that holds memory. */
export interface OpenEvaluator extends Evaluator {
  /** Writes what was made ready into the run's folder, so that it need not be made again. */
  keep(folder: string): Promise<void>;
  dispose(): Promise<void>;
}

type Figures = Partial<Record<MeasureName, number>>;

/** Measures some samples, `[samples, ...shape]` flat, against the data's side that it knows. */
interface Ruler {
  /** Where features come from. */
  features?: string;
  measure(samples: Float32Array): Promise<Figures>;
  keep?(folder: string): Promise<void>;
  dispose?(): Promise<void>;
}

const SEED = 0;
/** Values of one run's samples, so that a large image's inner layers find room. */
const BATCH_NUMBERS = 1 << 18;

/**
 * Compiles the generator and makes the data's side ready.
 * @throws {UserError} when the extractor's file does not fit
 */
export async function openEvaluator(setup: EvaluatorSetup): Promise<OpenEvaluator> {
  const { plan, data, engine, generator, latent } = setup;
  await using cleanup = new AsyncDisposableStack();
  const indices = permutation(data.count, { seed: SEED, stream: STREAMS.evaluation, step: 0 })
    .subarray(0, Math.min(plan.samples, data.count));
  const ruler = await openRuler(setup, indices);
  cleanup.defer(() => ruler.dispose?.() ?? Promise.resolve());
  const batchSize = Math.min(
    plan.samples,
    Math.max(8, Math.min(2500, Math.floor(BATCH_NUMBERS / data.sampleSize))),
  );
  const runner = await compileNetwork(engine, generator, batchSize);
  cleanup.defer(() => runner.dispose());
  const labels = generator.usesLabels ? labelsOf(data, indices, plan.samples) : undefined;

  async function draw(state: HostTensors, signal?: AbortSignal): Promise<Float32Array> {
    const weights = generatorWeights(state);
    const samples = new Float32Array(plan.samples * data.sampleSize);
    for (let first = 0; first < plan.samples; first += batchSize) {
      signal?.throwIfAborted();
      const count = Math.min(batchSize, plan.samples - first);
      const seeds = Array.from({ length: count }, (_, i) => SEED + first + i);
      const { data: values } = await runner.run(
        weights,
        seededLatents(latent, SEED + first, count),
        { labels: labels?.subarray(first, first + count), seeds },
      );
      samples.set(values as Float32Array, first * data.sampleSize);
    }
    return samples;
  }

  const resources = cleanup.move();
  const how = { samples: plan.samples, ...(ruler.features ? { features: ruler.features } : {}) };
  return {
    measure: plan.measure,
    ...how,
    async evaluate(state, signal): Promise<Measured> {
      const samples = await draw(state, signal);
      signal?.throwIfAborted();
      const figures = samples.every(Number.isFinite) ? await ruler.measure(samples) : {};
      const measures = Object.fromEntries(plan.measures.map((name) => {
        const value = figures[name];
        return [name, value !== undefined && Number.isFinite(value) ? value : null];
      }));
      return { ...how, measures };
    },
    keep: (folder) => ruler.keep?.(folder) ?? Promise.resolve(),
    dispose: () => resources.disposeAsync(),
  };
}

/** The labels of the data's side, so that both have the same mix; for points one class after another. */
function labelsOf(data: DataSource, indices: Uint32Array, count: number): Int32Array {
  const classes = data.classNames?.length ?? 1;
  return Int32Array.from(
    { length: count },
    (_, i) => data.labels ? data.labels[indices[i % indices.length]] : i % classes,
  );
}

async function openRuler(setup: EvaluatorSetup, indices: Uint32Array): Promise<Ruler> {
  const { plan, data } = setup;
  switch (plan.kind) {
    case "1-D":
      return { measure: (samples) => Promise.resolve(measure1d(samples, data)) };
    case "2-D": {
      const fresh = freshSamples(data, plan.samples, SEED);
      return { measure: (samples) => Promise.resolve(measure2d(samples, fresh, data)) };
    }
    case "n-D":
      return pointsRuler(setup, sampleMatrix(data.batch(indices).values, data.sampleSize));
    case "image":
      return await imageRuler(setup, indices);
  }
}

function measure1d(samples: Float32Array, data: DataSource): Figures {
  const { jsd, kl, reverseKl, wasserstein } = lineMeasures(samples, data);
  return { jsd, kl, "reverse-kl": reverseKl, wasserstein };
}

function measure2d(samples: Float32Array, fresh: SampleMatrix, data: DataSource): Figures {
  const matrix = sampleMatrix(samples, data.sampleSize);
  const { jsd, covered, highQuality, reverseKl } = modeMeasures(matrix, data);
  return {
    jsd,
    "modes": covered,
    "high-quality": highQuality,
    "reverse-kl": reverseKl,
    "sliced": sliced(fresh, matrix),
  };
}

function pointsRuler({ plan, data }: EvaluatorSetup, real: SampleMatrix): Ruler {
  const distances = plan.measures.includes("frechet") ? featureDistances(real) : undefined;
  return {
    ...(distances ? { features: "points" } : {}),
    measure(samples) {
      const matrix = sampleMatrix(samples, data.sampleSize);
      return Promise.resolve({ sliced: sliced(real, matrix), ...distances?.(matrix) });
    },
  };
}

async function imageRuler(setup: EvaluatorSetup, indices: Uint32Array): Promise<Ruler> {
  const { data } = setup;
  await using cleanup = new AsyncDisposableStack();
  const extractors: FeatureExtractor[] = [];
  const store = classifierStore(data, setup.folder);
  const extractor = await openExtractor(setup, store, cleanup);
  if (extractor) extractors.push(extractor);
  const thumbnail = planThumbnails(data.shape);
  const gather = async (batches: Iterable<PixelBatch>) => {
    const small: Float32Array[] = [];
    const sets = await gatherFeatures(
      extractors,
      batches,
      (batch) => void small.push(thumbnails(batch, thumbnail)),
    );
    return {
      small: sampleMatrix(concatFloats(small), thumbnail.length),
      features: sets[0]?.features,
    };
  };
  const real = await gather(realBatches(data, indices));
  const distances = real.features && featureDistances(real.features);
  const resources = cleanup.move();
  return {
    ...(extractor ? { features: extractor.name } : {}),
    async measure(samples) {
      const generated = await gather(networkBatches(samples, data.shape));
      const own = generated.features && distances?.(generated.features);
      return { sliced: sliced(real.small, generated.small), ...own };
    },
    keep: (folder) => store.keep(folder),
    dispose: () => resources.disposeAsync(),
  };
}

/** The network that makes features; on the CPU, so that it is the same whatever trains the run. */
async function openExtractor(
  { plan, data, onStage }: EvaluatorSetup,
  store: WeightsStore,
  cleanup: AsyncDisposableStack,
): Promise<FeatureExtractor | undefined> {
  const { features } = plan;
  if (features === undefined) return undefined;
  const own = (extractor: FeatureExtractor): FeatureExtractor => {
    cleanup.defer(() => extractor.dispose());
    return extractor;
  };
  if (features !== "random" && features !== "classifier") {
    return own(await openOnnxExtractor(features, data.shape));
  }
  const { engine } = await openEngine("cpu");
  cleanup.defer(() => engine.dispose());
  if (features === "random") return own(await randomConvExtractor(engine, data.shape));
  onStage?.("a classifier of the data's labels, for features");
  return own(await trainClassifier(engine, data, store));
}

/** Distances to some features whose moments are taken once. */
function featureDistances(real: SampleMatrix): (generated: SampleMatrix) => Figures {
  const moments = real.dimensions > MAX_FEATURES ? undefined : featureMoments(real);
  return (generated) => ({
    frechet: moments ? frechetDistance(moments, featureMoments(generated)) : NaN,
    kernel: affordableKernelDistance(real, generated, SEED).mean,
  });
}

function sliced(real: SampleMatrix, generated: SampleMatrix): number {
  return slicedWasserstein(real, generated, { projections: PROJECTIONS, seed: SEED });
}
