/**
 * Measures of whatever comes: one sample, equal samples, NaN, infinities, huge and tiny numbers, shapes
 * that do not fit. Each gives a number that the measure can have, or a RangeError that says why not.
 */
import { checkProperty } from "../properties.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  classModes,
  countSamples,
  densityDivergences,
  discriminatorAccuracy,
  estimateOptimalDiscriminator,
  featureMoments,
  frechetDistance,
  inceptionScore,
  jensenShannon,
  kernelDistance,
  klDivergence,
  manifoldMetrics,
  meanProbability,
  measureLine,
  memorization,
  modeCoverage,
  nearestNeighbors,
  nearestOthers,
  normalize,
  type SampleMatrix,
  sampleMatrix,
  selectRows,
  slicedWasserstein,
  valueFunction,
  wasserstein,
  wassersteinToDensity,
} from "../../src/metrics/mod.ts";

/** Fixed: what is compared within a tolerance must not fail one day in a hundred. */
const RUNS = { numRuns: 2000, seed: 12 };

/** Numbers of every kind, those that break things often. */
const anyNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, 3.4e38, -3.4e38, 2.5),
  fc.float(),
  fc.integer({ min: -3, max: 3 }),
);
/** Finite numbers that a float32 holds, with many that are equal. */
const finite = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
);
const anyArray = fc.array(anyNumber, { maxLength: 12 }).map((values) => Float32Array.from(values));
const smallCount = fc.constantFrom(-1, 0, 0.5, 1, 2, 3, 5, 40, NaN, Infinity);

function matrixOf(dimensions: number): fc.Arbitrary<SampleMatrix> {
  return fc.array(fc.array(finite, { minLength: dimensions, maxLength: dimensions }), {
    minLength: 1,
    maxLength: 9,
  }).map((rows) => sampleMatrix(Float32Array.from(rows.flat()), dimensions));
}
const dimensions = fc.constantFrom(1, 2, 3, 7);
const pair = dimensions.chain((d) => fc.tuple(matrixOf(d), matrixOf(d)));
/** Mostly of one width, sometimes not. */
const loosePair = fc.oneof(pair, fc.tuple(dimensions.chain(matrixOf), dimensions.chain(matrixOf)));

/** What a measure gives, or undefined where it refuses with a message of one line. */
function attempt<T>(measure: () => T): T | undefined {
  try {
    return measure();
  } catch (error) {
    assert(error instanceof RangeError, `${error}`);
    assert(/^[A-Z].{10,}$/.test(error.message), `not a clear line: ${error.message}`);
    assert(!/typed array|array length|allocation/i.test(error.message), error.message);
    return undefined;
  }
}

/** From `low` to `high`, and no NaN. */
function within(value: number, low: number, high: number): void {
  assert(value >= low && value <= high, `${value} is not in [${low}, ${high}]`);
}

Deno.test("sampleMatrix() and selectRows() refuse what is no matrix and no row", () => {
  checkProperty(
    fc.property(anyArray, smallCount, anyArray, (data, width, rows) => {
      const matrix = attempt(() => sampleMatrix(data, width));
      if (!matrix) return;
      assert(matrix.count * width === data.length && data.every(Number.isFinite));
      const picked = attempt(() => selectRows(matrix, rows));
      if (picked) assertEquals(picked.data.length, rows.length * width);
    }),
    RUNS,
  );
});

Deno.test("distances of sets are 0 or more, and 0 of a set from itself", () => {
  checkProperty(
    fc.property(loosePair, smallCount, ([a, b], projections) => {
      const options = { projections, seed: 1 };
      const sliced = projections === Infinity
        ? undefined
        : attempt(() => slicedWasserstein(a, b, options));
      if (sliced !== undefined) {
        within(sliced, 0, Infinity);
        assertAlmostEquals(slicedWasserstein(b, a, options), sliced, 1e-12 * sliced); // sums turn round
        assertEquals(slicedWasserstein(a, a, options), 0);
      }
      const frechet = attempt(() => frechetDistance(featureMoments(a), featureMoments(b)));
      if (frechet !== undefined) within(frechet, 0, Infinity);
      else assert(a.count < 2 || b.count < 2 || a.dimensions !== b.dimensions);
      const kernel = attempt(() => kernelDistance(a, b, { subsets: 3 }));
      if (kernel !== undefined) assert(Number.isFinite(kernel.mean) && kernel.deviation >= 0);
      else assert(Math.min(a.count, b.count) < 2 || a.dimensions !== b.dimensions);
    }),
    RUNS,
  );
});

Deno.test("kernelDistance() and frechetDistance() refuse subsets and moments that make no sense", () => {
  checkProperty(
    fc.property(pair, smallCount, smallCount, ([a, b], subsets, subsetSize) => {
      const found = attempt(() => kernelDistance(a, b, { subsets, subsetSize }));
      if (found) assertEquals([found.subsets, found.subsetSize], [subsets, subsetSize]);
    }),
    RUNS,
  );
  checkProperty(
    fc.property(fc.array(anyNumber, { maxLength: 3 }), anyArray, (mean, covariance) => {
      const moments = { mean: Float64Array.from(mean), covariance: Float64Array.from(covariance) };
      const distance = attempt(() => frechetDistance(moments, moments));
      if (distance !== undefined) within(distance, 0, Infinity);
    }),
    RUNS,
  );
});

Deno.test("neighbors are those of a plain search, and manifoldMetrics() gives shares", () => {
  checkProperty(
    fc.property(loosePair, smallCount, ([a, b], k) => {
      const found = attempt(() => nearestNeighbors(a, b, k));
      if (found) {
        for (let i = 0; i < a.count; i++) {
          const plain = distancesFrom(a, i, b).sort();
          for (let j = 0; j < k; j++) {
            const scale = Math.max(...a.data.map(Math.abs), ...b.data.map(Math.abs), 1e-30);
            assertAlmostEquals(found.distances[i * k + j], plain[j], 1e-7 * scale);
          }
        }
      } else {assert(
          !(Number.isInteger(k) && k >= 1 && k <= b.count) || a.dimensions !== b.dimensions,
        );}
      const others = attempt(() => nearestOthers(a, k));
      if (others) others.indices.forEach((index, at) => assert(index !== Math.floor(at / k)));
      const metrics = attempt(() => manifoldMetrics(a, b, k));
      if (!metrics) return;
      for (const share of [metrics.precision, metrics.recall, metrics.coverage]) {
        within(share, 0, 1);
      }
      within(metrics.density, 0, a.count / k);
    }),
    RUNS,
  );
});

function distancesFrom(a: SampleMatrix, row: number, b: SampleMatrix): Float64Array {
  const d = a.dimensions;
  return Float64Array.from({ length: b.count }, (_, other) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += (a.data[row * d + k] - b.data[other * d + k]) ** 2;
    return Math.sqrt(sum);
  });
}

Deno.test("memorization() finds copies, and stands training data of doubles", () => {
  checkProperty(
    fc.property(loosePair, ([samples, training]) => {
      const found = attempt(() => memorization(samples, training));
      if (!found) {
        assert(training.count < 2 || samples.dimensions !== training.dimensions);
        return;
      }
      within(found.copies, 0, 1);
      within(found.medianDistance, 0, Infinity);
      found.nearest.forEach((row) => within(row, 0, training.count - 1));
      assert(found.ratio >= 0 || found.medianTrainingDistance === 0);
    }),
    RUNS,
  );
});

Deno.test("wasserstein() refuses what is not finite, and is a distance otherwise", () => {
  checkProperty(
    fc.property(anyArray, anyArray, fc.oneof(fc.constant(1), anyNumber), (a, b, order) => {
      const distance = attempt(() => wasserstein(a, b, { order }));
      const isSane = a.length > 0 && b.length > 0 && [...a, ...b].every(Number.isFinite) &&
        order >= 1 && order < Infinity;
      assertEquals(distance !== undefined, isSane);
      if (distance === undefined) return;
      within(distance, 0, Infinity);
      assertEquals(wasserstein(a, a, { order }), 0);
    }),
    RUNS,
  );
});

Deno.test("divergences are 0 or more, and of shares alone", () => {
  checkProperty(
    fc.property(anyArray, anyArray, (a, b) => {
      const [p, q] = [attempt(() => normalize(a)), attempt(() => normalize(b))];
      assertEquals(
        p !== undefined,
        a.every((value) => value >= 0) && [...a].some((v) => v > 0) &&
          a.every(Number.isFinite),
      );
      if (p && q) {
        const kl = attempt(() => klDivergence(p, q));
        const jsd = attempt(() => jensenShannon(p, q));
        assertEquals([kl === undefined, jsd === undefined], Array(2).fill(p.length !== q.length));
        if (kl !== undefined) within(kl, 0, Infinity);
        if (jsd !== undefined) within(jsd, 0, Math.LN2 + 1e-12);
        assertEquals(klDivergence(p, p), 0);
      }
      attempt(() => klDivergence(a, b));
    }),
    RUNS,
  );
});

const flat = (x: number): number => x >= -1 && x <= 1 ? 0.5 : 0;

Deno.test("measures in 1-D take any samples: what is no number lies outside", () => {
  const binning = { range: [-1, 1] as [number, number], bins: 8 };
  checkProperty(
    fc.property(anyArray, (samples) => {
      const found = attempt(() => densityDivergences(samples, flat, binning));
      assertEquals(found === undefined, samples.length === 0);
      if (!found) return;
      within(found.jsd, 0, Math.LN2 + 1e-12);
      within(found.kl, 0, Infinity);
      within(found.reverseKl, 0, 40);
      const outside = samples.filter((x) => !(x >= -1 && x <= 1)).length / samples.length;
      assertAlmostEquals(found.outside, outside, 1e-12);
      const distance = wassersteinToDensity(samples, flat, binning);
      if (samples.every(Number.isFinite)) within(distance, 0, Infinity);
      else assert(!Number.isFinite(distance));
      assertEquals(measureLine({ samples, density: flat, binning }).jsd, found.jsd);
      const { probability } = estimateOptimalDiscriminator(samples, flat, binning);
      probability.forEach((value) => assert(Number.isNaN(value) || (value >= 0 && value <= 1)));
    }),
    RUNS,
  );
});

Deno.test("countSamples() refuses bins that are none", () => {
  checkProperty(
    fc.property(anyArray, anyNumber, anyNumber, smallCount, (samples, low, high, bins) => {
      const counts = attempt(() => countSamples(samples, { range: [low, high], bins }));
      if (counts) assertEquals(counts.reduce((sum, n) => sum + n, 0), samples.length);
    }),
    RUNS,
  );
});

Deno.test("modeCoverage() gives shares and counts, and refuses modes that are none", () => {
  checkProperty(
    fc.property(
      dimensions.chain((d) =>
        fc.tuple(matrixOf(d), fc.array(fc.array(anyNumber, { maxLength: 3 }), { maxLength: 4 }))
      ),
      anyNumber,
      ([samples, centers], sigma) => {
        const found = attempt(() => modeCoverage(samples, { centers, sigma }));
        if (!found) return;
        within(found.highQuality, 0, 1);
        within(found.jsd, 0, Math.LN2 + 1e-12);
        within(found.covered, 0, found.total);
        assert(Number.isNaN(found.reverseKl) || found.reverseKl >= 0);
      },
    ),
    RUNS,
  );
});

Deno.test("measures of predictions and logits refuse what is none", () => {
  checkProperty(
    fc.property(anyArray, smallCount, smallCount, (values, classes, splits) => {
      const matrix = attempt(() => sampleMatrix(values, classes));
      if (matrix) {
        const score = attempt(() => inceptionScore(matrix, { splits }));
        if (score) within(score.mean, 1 - 1e-2, classes + 1e-2);
      }
      if (splits !== Infinity) {
        const modes = attempt(() => classModes(values, { total: splits, dataShares: values }));
        if (modes) within(modes.kl, 0, Infinity);
      }
      const hasNaN = values.some(Number.isNaN);
      const accuracy = attempt(() => discriminatorAccuracy(values, values));
      const value = attempt(() => valueFunction(values, values));
      const mean = attempt(() => meanProbability(values));
      assertEquals(
        [accuracy, value, mean].every((each) => each === undefined),
        values.length === 0,
      );
      if (values.length === 0 || hasNaN) return;
      within(accuracy!, 0, 1);
      within(value!, -Infinity, 0);
      within(mean!, 0, 1);
    }),
    RUNS,
  );
});

Deno.test("rows of very many values are measured, or refused before they take gigabytes", () => {
  const many = 50_000;
  const rows = (offset: number): SampleMatrix =>
    sampleMatrix(Float32Array.from({ length: 3 * many }, (_, i) => (i * 37 + offset) % 11), many);
  const [a, b] = [rows(0), rows(5)];
  within(slicedWasserstein(a, b, { projections: 2 }), 0, 100);
  assert(Number.isFinite(kernelDistance(a, b, { subsets: 1 }).mean));
  within(manifoldMetrics(a, b, 1).precision, 0, 1);
  assertThrows(() => featureMoments(a), RangeError, "it takes at most 4096; the kernel distance");
});
