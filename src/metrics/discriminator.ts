/**
 * What theory says about a discriminator (Goodfellow et al., "Generative Adversarial Nets", 2014,
 * propositions 1 and 2 and theorem 1), and what a trained one does, from its logits.
 */

import { type Binning, countSamples, type DensityFunction, densityMasses } from "./histogram.ts";

/** ln(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** `D*(x) = p_data(x) / (p_data(x) + p_g(x))`; 1/2 where both densities are 0. */
export function optimalDiscriminator(dataDensity: number, generatedDensity: number): number {
  const sum = dataDensity + generatedDensity;
  return sum > 0 ? dataDensity / sum : 0.5;
}

/** Estimates of D* over bins; see {@linkcode estimateOptimalDiscriminator}. */
export interface OptimalDiscriminator {
  /** `[bins]` the middle of each bin. */
  x: Float64Array;
  /** `[bins]` D* there, NaN where neither the data nor the generator has enough mass to tell. */
  probability: Float64Array;
}

/** A bin with less than this share of data and of samples says nothing. */
const LITTLE_MASS = 2e-4;

/**
 * Estimates D* of a generator that is known by samples: the data's mass over the data's and the
 * generator's, bin by bin.
 * @throws {RangeError} if the interval makes no sense, or there are no samples
 */
export function estimateOptimalDiscriminator(
  samples: ArrayLike<number>,
  density: DensityFunction,
  binning: Binning,
): OptimalDiscriminator {
  const { range: [low, high], bins } = binning;
  if (samples.length === 0) throw new RangeError("Cannot estimate D* from no samples");
  const data = densityMasses(density, binning);
  const counts = countSamples(samples, binning);
  const x = new Float64Array(bins);
  const probability = new Float64Array(bins);
  for (let i = 0; i < bins; i++) {
    x[i] = low + (high - low) * (i + 0.5) / bins;
    const generated = counts[i] / samples.length;
    probability[i] = Math.max(data[i], generated) < LITTLE_MASS
      ? NaN
      : optimalDiscriminator(data[i], generated);
  }
  return { x, probability };
}

/**
 * `V(G, D) = E ln D(x) + E ln(1 - D(G(z)))` of a discriminator, estimated from its logits.
 * @param realLogits D's logits of data
 * @param fakeLogits D's logits of generated samples
 * @returns at most 0; -ln 4 for a discriminator that cannot tell
 * @throws {RangeError} if either is empty
 */
export function valueFunction(
  realLogits: ArrayLike<number>,
  fakeLogits: ArrayLike<number>,
): number {
  const ofReal = mean(realLogits, (logit) => softplus(-logit)); // -E ln D(x)
  const ofFake = mean(fakeLogits, (logit) => softplus(logit)); // -E ln(1 - D(G(z)))
  return 0 - ofReal - ofFake;
}

/** `V(G, D*) = -ln 4 + 2 JSD(p_data || p_g)`: the value that the best discriminator reaches. */
export function valueAtOptimum(jsd: number): number {
  return -Math.log(4) + 2 * jsd;
}

/**
 * Share of real and fake samples that the sign of the logit classifies correctly, real and fake weighted alike;
 * a logit of 0 is half right.
 * @returns from 0 to 1; 0.5 for a discriminator that cannot tell
 * @throws {RangeError} if either is empty
 */
export function discriminatorAccuracy(
  realLogits: ArrayLike<number>,
  fakeLogits: ArrayLike<number>,
): number {
  const real = mean(realLogits, (logit) => (Math.sign(logit) + 1) / 2);
  const fake = mean(fakeLogits, (logit) => (1 - Math.sign(logit)) / 2);
  return (real + fake) / 2;
}

/** Mean of D = sigmoid(logit). */
export function meanProbability(logits: ArrayLike<number>): number {
  return mean(logits, (logit) => 1 / (1 + Math.exp(-logit)));
}

function mean(values: ArrayLike<number>, f: (value: number) => number): number {
  if (values.length === 0) throw new RangeError("Cannot average over no logits");
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += f(values[i]);
  return sum / values.length;
}
