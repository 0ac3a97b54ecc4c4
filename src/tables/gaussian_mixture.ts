/**
 * The modes of a column of numbers: a variational Gaussian mixture in one dimension with a truncated
 * Dirichlet-process prior, which leaves weights near zero to the components that it does not need.
 *
 * Source: Blei and Jordan, "Variational inference for Dirichlet process mixtures" (2006), with the
 * Normal-Wishart updates of Bishop, "Pattern Recognition and Machine Learning" (2006), section 10.2. Xu
 * et al., "Modeling tabular data using conditional GAN" (2019), section 4.2, use it for mode-specific
 * normalization. Priors and stopping rule are those of scikit-learn's `BayesianGaussianMixture` with
 * `weight_concentration_prior=0.001`, whose numbers the tests compare.
 */

/** One Gaussian of a mixture. */
export interface GaussianMode {
  /** Share of the samples, in (0, 1]. */
  weight: number;
  mean: number;
  /** Standard deviation, above 0. */
  std: number;
}

/** Options of {@linkcode fitGaussianMixture}. */
export interface GaussianMixtureOptions {
  /** Components at most. Default 10. */
  maxModes?: number;
  /** Components of a smaller weight are dropped. Default 0.005. */
  minWeight?: number;
}

const CONCENTRATION = 1e-3;
const MAX_ITERATIONS = 100;
const TOLERANCE = 1e-3;
/** Added to each variance, relative to values that were standardized first. */
const MIN_VARIANCE = 1e-6;

/**
 * Fits a mixture to finite values.
 * @param values at least one; all equal values give one mode with `std` 0 replaced by 1
 * @returns modes by ascending mean; their weights sum to at most 1
 * @throws {RangeError} when there is no value
 */
export function fitGaussianMixture(
  values: Float64Array,
  { maxModes = 10, minWeight = 0.005 }: GaussianMixtureOptions = {},
): GaussianMode[] {
  if (values.length === 0) throw new RangeError("Cannot fit a mixture to no values");
  const { mean, std } = momentsOf(values);
  if (!(std > 0)) return [{ weight: 1, mean, std: 1 }];
  const standardized = values.map((value) => (value - mean) / std);
  const components = Math.min(maxModes, countDistinct(standardized, maxModes));
  const responsibilities = clusterByMeans(standardized, components);
  return variationalFit(standardized, responsibilities)
    .filter(({ weight }) => weight > minWeight)
    .map((mode) => ({ weight: mode.weight, mean: mode.mean * std + mean, std: mode.std * std }))
    .sort((a, b) => a.mean - b.mean);
}

/**
 * The variational updates from given responsibilities until the lower bound settles.
 * @param values `[n]`
 * @param responsibilities one `[n]` array for each component; changed in place
 * @returns one mode for each component, in their order
 */
export function variationalFit(
  values: Float64Array,
  responsibilities: Float64Array[],
): GaussianMode[] {
  const prior = momentsOf(values);
  const priorVariance = prior.std ** 2 * values.length / Math.max(1, values.length - 1);
  let posterior = maximize(values, responsibilities, prior.mean, priorVariance);
  let bound = -Infinity;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const entropy = expect(values, responsibilities, posterior);
    posterior = maximize(values, responsibilities, prior.mean, priorVariance);
    const next = entropy + boundOf(posterior);
    const isSettled = Math.abs(next - bound) < TOLERANCE;
    bound = next;
    if (isSettled) break;
  }
  const weights = stickWeights(posterior);
  return posterior.map(({ mean, variance }, k) => ({
    weight: weights[k],
    mean,
    std: Math.sqrt(variance),
  }));
}

/** What is known of a component after an update. */
interface Component {
  /** Parameters of the Beta distribution of its stick length. */
  stick: [number, number];
  mean: number;
  /** Weight of the mean, in samples. */
  meanPrecision: number;
  degreesOfFreedom: number;
  variance: number;
}

function maximize(
  values: Float64Array,
  responsibilities: Float64Array[],
  priorMean: number,
  priorVariance: number,
): Component[] {
  const counts = responsibilities.map((row) => sum(row) + 10 * Number.EPSILON);
  return responsibilities.map((row, k) => {
    const count = counts[k];
    let weighted = 0;
    for (let i = 0; i < values.length; i++) weighted += row[i] * values[i];
    const center = weighted / count;
    let spread = 0;
    for (let i = 0; i < values.length; i++) spread += row[i] * (values[i] - center) ** 2;
    const variance = spread / count + MIN_VARIANCE;
    const meanPrecision = 1 + count;
    const degreesOfFreedom = 1 + count;
    const later = sum(Float64Array.from(counts.slice(k + 1)));
    return {
      stick: [1 + count, CONCENTRATION + later],
      mean: (priorMean + count * center) / meanPrecision,
      meanPrecision,
      degreesOfFreedom,
      variance: (priorVariance + count * (variance + (center - priorMean) ** 2 / meanPrecision)) /
        degreesOfFreedom,
    };
  });
}

/** Updates responsibilities. @returns their entropy */
function expect(
  values: Float64Array,
  responsibilities: Float64Array[],
  components: Component[],
): number {
  let stickLeft = 0;
  const offsets = components.map(({ stick: [a, b], degreesOfFreedom, variance, meanPrecision }) => {
    const both = digamma(a + b);
    const logWeight = digamma(a) - both + stickLeft;
    stickLeft += digamma(b) - both;
    const logLambda = Math.LN2 + digamma(degreesOfFreedom / 2);
    return logWeight - 0.5 * (Math.log(2 * Math.PI * variance) + Math.log(degreesOfFreedom)) +
      0.5 * (logLambda - 1 / meanPrecision);
  });
  let entropy = 0;
  const logs = new Float64Array(components.length);
  for (let i = 0; i < values.length; i++) {
    let largest = -Infinity;
    for (const [k, { mean, variance }] of components.entries()) {
      logs[k] = offsets[k] - 0.5 * (values[i] - mean) ** 2 / variance;
      largest = Math.max(largest, logs[k]);
    }
    let total = 0;
    for (const log of logs) total += Math.exp(log - largest);
    const norm = largest + Math.log(total);
    for (const [k, row] of responsibilities.entries()) {
      const share = Math.exp(logs[k] - norm);
      row[i] = share;
      if (share > 0) entropy -= share * (logs[k] - norm);
    }
  }
  return entropy;
}

/** The lower bound without the responsibilities' entropy and without constants. */
function boundOf(components: Component[]): number {
  let bound = 0;
  for (const { stick: [a, b], degreesOfFreedom, variance, meanPrecision } of components) {
    const logPrecision = -0.5 * Math.log(variance) - 0.5 * Math.log(degreesOfFreedom);
    bound += degreesOfFreedom * (logPrecision + 0.5 * Math.LN2) + logGamma(degreesOfFreedom / 2);
    bound += logGamma(a) + logGamma(b) - logGamma(a + b);
    bound -= 0.5 * Math.log(meanPrecision);
  }
  return bound;
}

/** Expected weights of a truncated stick-breaking process. */
function stickWeights(components: Component[]): number[] {
  let left = 1;
  const weights = components.map(({ stick: [a, b] }) => {
    const weight = left * a / (a + b);
    left *= b / (a + b);
    return weight;
  });
  const total = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Lloyd's algorithm from evenly spaced quantiles. @returns one-hot responsibilities */
function clusterByMeans(values: Float64Array, clusters: number): Float64Array[] {
  const sorted = values.toSorted();
  let centers = Array.from(
    { length: clusters },
    (_, k) => sorted[Math.floor((k + 0.5) * sorted.length / clusters)],
  );
  const nearest = new Uint8Array(values.length);
  for (let round = 0; round < 50; round++) {
    const sums = new Float64Array(clusters);
    const counts = new Float64Array(clusters);
    for (let i = 0; i < values.length; i++) {
      let best = 0;
      for (let k = 1; k < clusters; k++) {
        if (Math.abs(values[i] - centers[k]) < Math.abs(values[i] - centers[best])) best = k;
      }
      nearest[i] = best;
      sums[best] += values[i];
      counts[best]++;
    }
    const moved = centers.map((center, k) => counts[k] ? sums[k] / counts[k] : center);
    if (moved.every((center, k) => center === centers[k])) break;
    centers = moved;
  }
  return centers.map((_, k) => Float64Array.from(nearest, (cluster) => cluster === k ? 1 : 0));
}

function momentsOf(values: Float64Array): { mean: number; std: number } {
  const mean = sum(values) / values.length;
  let spread = 0;
  for (const value of values) spread += (value - mean) ** 2;
  return { mean, std: Math.sqrt(spread / values.length) };
}

function countDistinct(values: Float64Array, limit: number): number {
  const distinct = new Set<number>();
  for (const value of values) {
    distinct.add(value);
    if (distinct.size >= limit) break;
  }
  return distinct.size;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The logarithmic derivative of the gamma function for x > 0 (recurrence, then its asymptotic series). */
export function digamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 6; at++) shift -= 1 / at;
  const inverse = 1 / (at * at);
  const series = inverse *
    (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))));
  return shift + Math.log(at) - 0.5 / at - series;
}

/** The logarithm of the gamma function for x > 0 (recurrence, then Stirling's series). */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 8; at++) shift -= Math.log(at);
  const inverse = 1 / (at * at);
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) /
    at;
  return shift + (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series;
}
