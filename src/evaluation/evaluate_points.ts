/**
 * The evaluation of a generator of points: against an exact density in 1-D or in 2-D, or
 * against the points that it learned from, which are their own features.
 */
import { formatInteger } from "../text.ts";
import type { DataSource } from "../data/source.ts";
import { fromUnits, unitsOf } from "../data/units.ts";
import { type SampleMatrix, sampleMatrix } from "../metrics/mod.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";
import type { Sampler } from "../sampler/mod.ts";
import {
  freshSamples,
  LINE_SAMPLES,
  lineMeasures,
  MODE_SAMPLES,
  modeMeasures,
} from "./density_measures.ts";
import {
  DEFAULT_COUNT,
  type EvaluationSetup,
  type Figures,
  requireSamples,
} from "./evaluate_images.ts";
import type { LineFigures } from "./evaluation.ts";
import { measureFeatures, sampleSizeWarning } from "./feature_measures.ts";
import { MAX_TRAINING, measureMemorization, measureSliced } from "./likeness.ts";
import { requireFinite } from "./pixels.ts";

/** Samples of a run of the generator. */
const BATCH = 1000;

/** Measures a generator of points. */
export async function evaluatePoints(setup: EvaluationSetup): Promise<Figures> {
  const { data } = setup;
  const density = data.density;
  if (density?.dimension === 1) return await evaluateLine(setup);
  if (density?.dimension === 2) return await evaluateModes(setup);
  return await evaluateFeatures(setup);
}

async function evaluateLine(setup: EvaluationSetup): Promise<Figures> {
  const { data, seed, onStage } = setup;
  const count = setup.count ?? LINE_SAMPLES;
  onStage(`${formatInteger(count)} samples`);
  const generated = await drawPoints(setup, count);
  const figuresOf = (samples: Float32Array): LineFigures => {
    const { kl, reverseKl, jsd, jsdFloor, wasserstein, outside } = lineMeasures(samples, data);
    return { kl, reverseKl, jsd, jsdFloor, wasserstein, outside };
  };
  return {
    samples: samplesOf(setup.sampler, generated, seed),
    line: {
      generated: figuresOf(generated.data),
      data: figuresOf(freshSamples(data, count, seed).data),
    },
    features: [],
    warnings: [],
  };
}

async function evaluateModes(setup: EvaluationSetup): Promise<Figures> {
  const { data, seed, onStage } = setup;
  const count = setup.count ?? MODE_SAMPLES;
  onStage(`${formatInteger(count)} samples`);
  const generated = await drawPoints(setup, count);
  const fresh = freshSamples(data, count, seed);
  const warnings = setup.count === undefined || count === MODE_SAMPLES
    ? []
    : [`the published mode tables take ${MODE_SAMPLES} samples, and these are ${count}`];
  return {
    samples: samplesOf(setup.sampler, generated, seed),
    modes: {
      sigma: data.density!.modes[0].sigma,
      generated: modeMeasures(generated, data),
      data: modeMeasures(fresh, data),
    },
    sliced: count > 1 ? measureSliced(fresh, generated, { of: "points", seed }) : undefined,
    features: [],
    warnings,
  };
}

async function evaluateFeatures(setup: EvaluationSetup): Promise<Figures> {
  const { data, seed, k, onStage } = setup;
  const count = setup.count ?? Math.min(DEFAULT_COUNT, data.count);
  requireSamples(Math.min(count, data.count), k);
  onStage(`${formatInteger(count)} samples`);
  const generated = await drawPoints(setup, count);
  const order = permutation(data.count, { seed, stream: STREAMS.evaluation, step: 0 });
  const real = pointsOf(data, order.subarray(0, Math.min(count, data.count)));
  onStage("distances");
  const features = measureFeatures({
    extractor: {
      name: "points",
      description: unitsOf(data)
        ? "the points themselves, their columns standardized as for training"
        : "the points themselves, as they are",
    },
    real: { features: real },
    generated: { features: generated },
    k,
    seed,
  });
  const length = Math.min(MAX_TRAINING, data.count);
  const training = pointsOf(data, Uint32Array.from({ length }, (_, index) => index));
  const warning = sampleSizeWarning(features);
  return {
    samples: samplesOf(setup.sampler, generated, seed),
    features: [features],
    sliced: measureSliced(real, generated, { of: "points", seed }),
    memorization: measureMemorization({ generated, training, of: "points", firstSeed: seed }),
    warnings: warning === undefined ? [] : [warning],
  };
}

/** Samples of a generator, standardized as the data are. @throws {UserError} when one holds NaN or infinity */
async function drawPoints(
  { sampler, data, seed }: EvaluationSetup,
  count: number,
): Promise<SampleMatrix> {
  const points = new Float32Array(count * data.sampleSize);
  let at = 0;
  for await (const { values, seed: own } of sampler.stream({ count, seed, batchSize: BATCH })) {
    requireFinite(values, own);
    points.set(values, at);
    at += values.length;
  }
  return sampleMatrix(fromUnits(points, data), data.sampleSize);
}

function pointsOf(data: DataSource, indices: Uint32Array): SampleMatrix {
  return sampleMatrix(data.batch(indices).values, data.sampleSize);
}

function samplesOf(
  sampler: Sampler,
  { data, count, dimensions }: SampleMatrix,
  firstSeed: number,
): Figures["samples"] {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    seen.add(data.subarray(i * dimensions, (i + 1) * dimensions).join());
  }
  const labels = sampler.info.conditional ? "seed modulo classes" : "none";
  return { count, firstSeed, labels, distinct: seen.size };
}
