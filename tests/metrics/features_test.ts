import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  featureMoments,
  frechetDistance,
  kernelDistance,
  manifoldMetrics,
  MomentAccumulator,
  sampleMatrix,
} from "../../src/metrics/mod.ts";
import { rowRange } from "../../src/metrics/sample_matrix.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { golden, rows } from "./golden.ts";

const real = rows(golden.real, golden.dimensions);
const fake = rows(golden.fake, golden.dimensions);

function normalRows(count: number, dimensions: number, seed: number): ReturnType<typeof rows> {
  return sampleMatrix(
    fillNormal(new Float32Array(count * dimensions), { seed, stream: 0, step: 0 }),
    dimensions,
  );
}

Deno.test("sampleMatrix() names the value that is not finite", () => {
  assertThrows(
    () => sampleMatrix(Float32Array.of(1, 2, 3, NaN), 2),
    RangeError,
    "row 1, column 1 is NaN",
  );
  assertThrows(
    () => sampleMatrix(Float32Array.of(1, 2, 3), 2),
    RangeError,
    "Cannot read 3 values as rows of 2",
  );
});

Deno.test("frechetDistance() gives SciPy's figure", () => {
  assertAlmostEquals(
    frechetDistance(featureMoments(real), featureMoments(fake)),
    golden.frechet,
    1e-8,
  );
});

Deno.test("frechetDistance() gives SciPy's figure when there are fewer samples than features", () => {
  const { dimensions, real, fake, frechet } = golden.singular;
  const found = frechetDistance(
    featureMoments(rows(real, dimensions)),
    featureMoments(rows(fake, dimensions)),
  );
  assertAlmostEquals(found, frechet, 1e-5); // the root of a rounding error of 1e-16 is 1e-8
});

Deno.test("frechetDistance() has the closed form of two known Gaussians", () => {
  const diagonal = (variances: number[]): Float64Array =>
    Float64Array.from({ length: 9 }, (_, i) => i % 4 === 0 ? variances[i / 4] : 0);
  const a = { mean: Float64Array.of(0, 1, 2), covariance: diagonal([1, 4, 9]) };
  const b = { mean: Float64Array.of(1, 1, 0), covariance: diagonal([4, 1, 25]) };
  // |m|^2 = 5, and (1 - 2)^2 + (2 - 1)^2 + (3 - 5)^2 = 6
  assertAlmostEquals(frechetDistance(a, b), 11, 1e-12);
  // In the plane, rotated by an eighth of a turn: C1 = diag(1, 9), C2 = R diag(1, 9) R'
  const upright = { mean: Float64Array.of(0, 0), covariance: Float64Array.of(1, 0, 0, 9) };
  const turned = { mean: Float64Array.of(0, 0), covariance: Float64Array.of(5, -4, -4, 5) };
  // tr sqrt(C1 C2) = sqrt(tr(C1 C2) + 2 sqrt(det C1 det C2)) = sqrt(50 + 18)
  assertAlmostEquals(frechetDistance(upright, turned), 20 - 2 * Math.sqrt(68), 1e-12);
  assertEquals(frechetDistance(a, a) < 1e-12, true);
});

Deno.test("frechetDistance() of samples comes to the known distance", () => {
  const a = normalRows(20_000, 4, 1);
  const b = normalRows(20_000, 4, 2);
  b.data.forEach((x, i) => b.data[i] = 2 * x + 1); // 4 (1 + (2 - 1)^2) = 8
  assertAlmostEquals(frechetDistance(featureMoments(a), featureMoments(b)), 8, 0.25);
});

Deno.test("MomentAccumulator gives the same moments whatever the batches", () => {
  const whole = featureMoments(real);
  const parts = new MomentAccumulator(8);
  for (const [first, count] of [[0, 7], [7, 1], [8, 40], [48, 12]]) {
    parts.add(rowRange(real, first, count));
  }
  const { count, mean, covariance } = parts.moments();
  assertEquals(count, 60);
  for (let i = 0; i < 8; i++) assertAlmostEquals(mean[i], whole.mean[i], 1e-14);
  for (let i = 0; i < 64; i++) assertAlmostEquals(covariance[i], whole.covariance[i], 1e-13);
});

Deno.test("MomentAccumulator keeps its digits far from zero, and refuses what does not fit", () => {
  const far = normalRows(5000, 2, 4);
  far.data.forEach((x, i) => far.data[i] = Math.fround(x) + 4096);
  const { covariance } = featureMoments(far);
  assertAlmostEquals(covariance[0], 1, 0.06);
  const moments = new MomentAccumulator(2);
  assertThrows(() => moments.moments(), RangeError, "needs 2 samples or more: there are 0");
  assertThrows(() => moments.add(real), RangeError, "features of 8 dimensions to moments of 2");
});

Deno.test("kernelDistance() over one full subset gives NumPy's unbiased estimate", () => {
  const few = rowRange(real, 0, 50);
  const all = kernelDistance(few, fake, { subsets: 1, subsetSize: 50 });
  assertEquals(all.deviation, 0);
  assertAlmostEquals(all.mean, golden.kernelDistance, 1e-10);
});

Deno.test("kernelDistance() has no bias: equal distributions scatter around 0", () => {
  const { mean, deviation } = kernelDistance(normalRows(600, 8, 1), normalRows(600, 8, 2), {
    subsets: 60,
    subsetSize: 50,
    seed: 1,
  });
  assertLess(Math.abs(mean), 0.05);
  assert(deviation > 0);
  const moved = normalRows(600, 8, 3);
  moved.data.forEach((x, i) => moved.data[i] = x + 0.5);
  assert(kernelDistance(normalRows(600, 8, 1), moved, { subsets: 10, subsetSize: 50 }).mean > 0.3);
});

Deno.test("kernelDistance() refuses subsets that are not there", () => {
  assertThrows(
    () => kernelDistance(real, fake, { subsetSize: 51 }),
    RangeError,
    "Cannot draw subsets of 51 from 60 and 50 samples: it takes 2 to 50",
  );
});

for (const [k, expected] of Object.entries(golden.manifold)) {
  Deno.test(`manifoldMetrics() gives the reference's figures for k = ${k}`, () => {
    const found = manifoldMetrics(real, fake, Number(k));
    for (const name of ["precision", "recall", "density", "coverage"] as const) {
      assertAlmostEquals(found[name], expected[name], 1e-12, name);
    }
  });
}

Deno.test("manifoldMetrics() is strict: a row on the sphere of a ball is outside", () => {
  const line = (values: number[]): ReturnType<typeof rows> => rows(values, 1);
  // Real balls (k = 1): around 0 and 1 of radius 1, around 3 of radius 2.
  const found = manifoldMetrics(line([0, 1, 3]), line([-1, 5]), 1);
  assertEquals(found, { precision: 0, recall: 1, density: 0, coverage: 0, k: 1 });
});

Deno.test("manifoldMetrics() of equal distributions is near the published level", () => {
  const found = manifoldMetrics(normalRows(700, 64, 1), normalRows(700, 64, 2));
  assertAlmostEquals(found.density, 1, 0.1);
  assertAlmostEquals(found.coverage, 1 - 2 ** -5, 0.03); // Naeem et al. 2020, equation 9, for N >> k
  assertAlmostEquals(found.precision, found.recall, 0.1);
});

Deno.test("manifoldMetrics() gives NumPy's figures for samples of N(0, I_1000), as the paper takes them", () => {
  // By NumPy in float64, from the same numbers. The paper has 10,000 of them and says .4772, .4705,
  // 1.0555 and .9735: docs/measures.md.
  const figures = { precision: 0.566, recall: 0.633, density: 0.8276, coverage: 0.951, k: 5 };
  assertEquals(manifoldMetrics(normalRows(1000, 1000, 1), normalRows(1000, 1000, 2)), figures);
});
