import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  sampleMatrix,
  slicedWasserstein,
  wasserstein,
  wassersteinToDensity,
} from "../../src/metrics/mod.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { golden, lineDensity, normalDensity, rows } from "./golden.ts";

const real = rows(golden.real, golden.dimensions);
const fake = rows(golden.fake, golden.dimensions);
const column = (matrix: typeof real, k: number): Float64Array =>
  Float64Array.from({ length: matrix.count }, (_, i) => matrix.data[i * matrix.dimensions + k]);

Deno.test("wasserstein() gives SciPy's figures for sets of different sizes", () => {
  const [a, b] = [column(real, 0), column(fake, 1)];
  assertAlmostEquals(wasserstein(a, b), golden.wasserstein1, 1e-12);
  assertAlmostEquals(wasserstein(a, b, { order: 2 }), golden.wasserstein2, 1e-9);
});

Deno.test("wasserstein() is the shift between a set and itself moved", () => {
  const a = [3, 1, 2];
  assertAlmostEquals(wasserstein(a, a.map((x) => x + 0.25)), 0.25, 1e-15);
  assertAlmostEquals(wasserstein(a, a.map((x) => x - 0.25), { order: 3 }), 0.25, 1e-15);
  assertEquals(wasserstein(a, [1, 2, 3]), 0);
  assertThrows(() => wasserstein([], [1]), RangeError, "Cannot compare 0 samples with 1");
});

Deno.test("wassersteinToDensity() gives SciPy's figure", () => {
  const { samples, wassersteinToDensity: expected } = golden.line;
  const found = wassersteinToDensity(samples, lineDensity, { range: [-6, 6], bins: 4096 });
  assertAlmostEquals(found, expected, 2e-5);
});

Deno.test("wassersteinToDensity() counts samples outside the interval with their distance", () => {
  const uniform = (x: number): number => x >= 0 && x <= 1 ? 1 : 0;
  const binning = { range: [0, 1] as [number, number], bins: 64 };
  assertAlmostEquals(wassersteinToDensity([3], uniform, binning), 2.5, 1e-12);
  assertAlmostEquals(wassersteinToDensity([-1], uniform, binning), 1.5, 1e-12);
  assertAlmostEquals(wassersteinToDensity([0.5], uniform, binning), 0.25, 1e-12);
});

Deno.test("wassersteinToDensity() of a perfect generator falls as 1 / sqrt(N)", () => {
  const draw = (count: number): number =>
    wassersteinToDensity(
      fillNormal(new Float32Array(count), { seed: 2, stream: 0, step: 0 }),
      normalDensity(0, 1),
      { range: [-6, 6], bins: 2048 },
    );
  assertLess(draw(1_000), 0.08);
  assertLess(draw(100_000), 0.008);
});

Deno.test("slicedWasserstein() is the shift's mean projection", () => {
  const moved = sampleMatrix(fake.data.map((x, i) => i % 8 === 0 ? x + 3 : x), 8);
  // E |u_1| for a unit vector of 8 dimensions is Gamma(4) / (sqrt(pi) Gamma(4.5)) = 0.2910
  assertAlmostEquals(slicedWasserstein(fake, moved, { projections: 4000 }), 3 * 0.291, 0.02);
  // E u_1^2 = 1 / 8
  assertAlmostEquals(
    slicedWasserstein(fake, moved, { projections: 4000, order: 2 }),
    3 / Math.sqrt(8),
    0.02,
  );
});

Deno.test("slicedWasserstein() is frozen for a seed", () => {
  assertEquals(slicedWasserstein(real, real), 0);
  assertAlmostEquals(slicedWasserstein(real, fake, { seed: 9 }), 0.461333043, 1e-6);
  assertThrows(
    () => slicedWasserstein(real, rows([1, 2], 2)),
    RangeError,
    "samples of 8 dimensions with samples of 2",
  );
});
