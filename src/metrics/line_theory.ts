/** All that theory says about a run on 1-D data of a known density, in one call. */
import {
  discriminatorAccuracy,
  meanProbability,
  valueAtOptimum,
  valueFunction,
} from "./discriminator.ts";
import { type DensityDivergences, densityDivergences } from "./divergence.ts";
import type { Binning, DensityFunction } from "./histogram.ts";
import { wassersteinToDensity } from "./wasserstein.ts";

/** What {@linkcode measureLine} finds; divergences in nats. */
export interface LineTheory extends DensityDivergences {
  /** Wasserstein-1 distance of the samples to the density, in the units of x. */
  wasserstein: number;
  /** V(G, D) of the trained discriminator; NaN, as the next ones, without its logits. */
  value: number;
  /** -ln 4 + 2 JSD: V(G, D*), what the best discriminator would reach. */
  valueAtOptimum: number;
  /** Share that the trained discriminator classifies correctly, 0 to 1. */
  accuracy: number;
  /** Mean D(x) over data. */
  meanReal: number;
  /** Mean D(G(z)). */
  meanFake: number;
  /** The bins of the divergences. */
  binning: Binning;
}

/** What {@linkcode measureLine} measures. */
export interface LineRun {
  /** The generator's samples; 10,000 or more for three digits. */
  samples: ArrayLike<number>;
  /** The data's density. */
  density: DensityFunction;
  /** D's logits of samples of the data, and of the generator's; a critic's values are no logits. */
  logits?: { real: ArrayLike<number>; fake: ArrayLike<number> };
  /** An interval that holds the data, and the number of bins; 100 suits 10,000 samples. */
  binning: Binning;
}

/** Measures a generator of numbers, and its discriminator, against the density that they were to learn. */
export function measureLine(run: LineRun): LineTheory {
  const { samples, density, logits, binning } = run;
  const divergences = densityDivergences(samples, density, binning);
  return {
    ...divergences,
    wasserstein: wassersteinToDensity(samples, density, { range: binning.range, bins: 4096 }),
    value: logits ? valueFunction(logits.real, logits.fake) : NaN,
    valueAtOptimum: valueAtOptimum(divergences.jsd),
    accuracy: logits ? discriminatorAccuracy(logits.real, logits.fake) : NaN,
    meanReal: logits ? meanProbability(logits.real) : NaN,
    meanFake: logits ? meanProbability(logits.fake) : NaN,
    binning,
  };
}
