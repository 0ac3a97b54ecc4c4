import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  countSamples,
  densityDivergences,
  densityMasses,
  jensenShannon,
  klDivergence,
} from "../../src/metrics/mod.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { golden, lineDensity, normalDensity } from "./golden.ts";

Deno.test("klDivergence() is infinite where q is 0 or -0 and p is not", () => {
  assertEquals(klDivergence([0.5, 0.5], [0, 1]), Infinity);
  assertEquals(klDivergence([0.5, 0.5], [-0, 1]), Infinity);
  assertEquals(klDivergence([0, 1], [-0, 1]), 0);
});

Deno.test("klDivergence() gives the sum worked out by hand", () => {
  assertAlmostEquals(
    klDivergence([0.5, 0.5], [0.25, 0.75]),
    0.5 * Math.log(2) + 0.5 * Math.log(2 / 3),
    1e-15,
  );
  assertEquals(klDivergence([0, 1], [0, 1]), 0);
  assertEquals(klDivergence([1, 0], [0, 1]), Infinity);
});

Deno.test("klDivergence() refuses distributions over different bins", () => {
  assertThrows(
    () => klDivergence([1], [0.5, 0.5]),
    RangeError,
    "Cannot compare a distribution over 1 bins with one over 2",
  );
});

Deno.test("jensenShannon() is ln 2 for disjoint and 0 for equal distributions", () => {
  assertAlmostEquals(jensenShannon([1, 0], [0, 1]), Math.LN2, 1e-15);
  assertEquals(jensenShannon([0.2, 0.8], [0.2, 0.8]), 0);
});

Deno.test("countSamples() gives edges to the right bin and counts what lies outside", () => {
  const counts = countSamples([0, 0.5, 1, 2, -0.1, 2.1, NaN], { range: [0, 2], bins: 2 });
  assertEquals([...counts], [2, 2, 3]);
});

Deno.test("densityMasses() integrates a normal density to the error function's digits", () => {
  const masses = densityMasses(normalDensity(0, 1), { range: [-1, 1], bins: 3 });
  assertAlmostEquals(masses[0] + masses[1] + masses[2], 0.6826894921370859, 1e-13);
  assertAlmostEquals(masses[3], 1 - 0.6826894921370859, 1e-13);
});

Deno.test("densityMasses() refuses what is no density", () => {
  const binning = { range: [-1, 1] as [number, number], bins: 4 };
  assertThrows(
    () => densityMasses(() => 1, binning),
    RangeError,
    "has the mass 2.00000 in [-1, 1]",
  );
  assertThrows(
    () => densityMasses((x) => x, binning),
    RangeError,
    "The density has the mass -0.37",
  );
  assertThrows(
    () => densityMasses(() => 1, { range: [1, 1], bins: 4 }),
    RangeError,
    "Cannot bin over [1, 1]",
  );
});

Deno.test("densityDivergences() gives SciPy's figures", () => {
  const { samples, range, bins, kl, reverseKl, jsd, outside } = golden.line;
  const found = densityDivergences(samples, lineDensity, { range, bins });
  assertAlmostEquals(found.kl, kl, 1e-9);
  assertAlmostEquals(found.reverseKl, reverseKl, 1e-9);
  assertAlmostEquals(found.jsd, jsd, 1e-9);
  assertAlmostEquals(found.outside, outside, 1e-15);
  assertEquals(found.count, 300);
});

Deno.test("densityDivergences() of a perfect generator has the documented floor", () => {
  const count = 20_000;
  const binning = { range: [-3, 3] as [number, number], bins: 100 };
  const estimates = Array.from({ length: 8 }, (_, seed) => {
    const samples = fillNormal(new Float32Array(count), { seed, stream: 0, step: 0 });
    return densityDivergences(samples, normalDensity(0, 1), binning);
  });
  const mean = (pick: (e: typeof estimates[0]) => number): number =>
    estimates.reduce((sum, estimate) => sum + pick(estimate), 0) / estimates.length;
  assertEquals(estimates[0].jsdFloor, 100 / (8 * count));
  assertAlmostEquals(mean((e) => e.jsd), 100 / (8 * count), 5e-5); // 0.000625
  assertAlmostEquals(mean((e) => e.reverseKl), 100 / (2 * count), 2e-4); // 0.0025
  assertAlmostEquals(mean((e) => e.kl), 100 / (2 * count), 4e-4);
});

Deno.test("densityDivergences() comes to the closed form for two Gaussians", () => {
  const shift = 0.5;
  const samples = fillNormal(new Float32Array(400_000), { seed: 3, stream: 0, step: 0 })
    .map((x) => x + shift);
  const found = densityDivergences(samples, normalDensity(0, 1), { range: [-5, 5.5], bins: 80 });
  assertAlmostEquals(found.kl, shift ** 2 / 2, 4e-3); // 0.125
  assertAlmostEquals(found.reverseKl, shift ** 2 / 2, 4e-3);
  assertAlmostEquals(found.jsd, 0.030327, 1e-3); // by numerical integration
});

Deno.test("densityDivergences() stays finite when no sample meets the data", () => {
  const found = densityDivergences([50, 51], normalDensity(0, 1), { range: [-5, 5], bins: 10 });
  assertAlmostEquals(found.jsd, Math.LN2, 1e-5); // 6e-7 of the data lies outside too
  assertEquals(found.outside, 1);
  assert(found.reverseKl > 14 && found.reverseKl < 28);
  assert(Number.isFinite(found.kl));
});
