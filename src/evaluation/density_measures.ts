/**
 * Samples against a density that is known: the one place that says in which bins and by which modes, for
 * the report, for `deno task evaluate` and for evaluations during training.
 */
import { DEFAULTS } from "../config/defaults.ts";
import { valueInterval } from "../data/samples.ts";
import type { DataSource } from "../data/source.ts";
import {
  type LineTheory,
  measureLine,
  type ModeCoverage,
  modeCoverage,
  type SampleMatrix,
  sampleMatrix,
} from "../metrics/mod.ts";

/** Samples that are measured in the end in 1-D: a perfect generator's JSD reads about 0.0001. */
export const LINE_SAMPLES = 100_000;
/** Samples of the published mode tables (Lin et al. 2018, section 4.1). */
export const MODE_SAMPLES = DEFAULTS.evaluation.samples.modes;

const LINE_BINS = 100;

/** Measures samples in 1-D. @param logits D's, for what it makes of both sides */
export function lineMeasures(
  samples: ArrayLike<number>,
  data: DataSource,
  logits?: { real: ArrayLike<number>; fake: ArrayLike<number> },
): LineTheory {
  const density = data.density!;
  return measureLine({
    samples,
    density: (x) => density.density([x]),
    logits,
    binning: { range: valueInterval(data), bins: LINE_BINS },
  });
}

/** Measures samples against the modes of the data's density. */
export function modeMeasures(samples: SampleMatrix, data: DataSource): ModeCoverage {
  const { modes } = data.density!;
  return modeCoverage(samples, { centers: modes.map(({ mean }) => mean), sigma: modes[0].sigma });
}

/** Samples of the density that training did not see. */
export function freshSamples(data: DataSource, count: number, seed: number): SampleMatrix {
  const other = (seed ^ 0x5eed) >>> 0;
  return sampleMatrix(data.density!.sample(count, { seed: other }), data.sampleSize);
}
