import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  discriminatorAccuracy,
  estimateOptimalDiscriminator,
  jensenShannon,
  meanProbability,
  measureLine,
  optimalDiscriminator,
  valueAtOptimum,
  valueFunction,
} from "../../src/metrics/mod.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { normalDensity } from "./golden.ts";

Deno.test("optimalDiscriminator() is the data's share of the two densities", () => {
  assertEquals(optimalDiscriminator(0.375, 0.125), 0.75);
  assertEquals(optimalDiscriminator(0, 0.1), 0);
  assertEquals(optimalDiscriminator(0, 0), 0.5);
});

Deno.test("valueFunction() is -ln 4 for logits 0 and stands extreme logits", () => {
  assertAlmostEquals(valueFunction([0, 0], [0]), -Math.log(4), 1e-15);
  assertEquals(valueFunction([1000], [-1000]), 0);
  assertEquals(valueFunction([-1000], [1000]), -2000);
});

Deno.test("valueFunction() of the optimal discriminator comes to -ln 4 + 2 JSD", () => {
  const data = normalDensity(0, 1);
  const generated = normalDensity(1, 1);
  const logit = (x: number): number => Math.log(data(x) / generated(x));
  const draw = (seed: number): Float32Array =>
    fillNormal(new Float32Array(200_000), { seed, stream: 0, step: 0 });
  const value = valueFunction(draw(1).map(logit), draw(2).map((x) => logit(x + 1)));
  const grid = Float64Array.from({ length: 4000 }, (_, i) => -8 + i * 17 / 4000);
  const mass = (density: (x: number) => number): Float64Array =>
    grid.map((x) => density(x) * 17 / 4000);
  assertAlmostEquals(value, valueAtOptimum(jensenShannon(mass(data), mass(generated))), 4e-3);
});

Deno.test("valueFunction() of any other discriminator stays below the optimum", () => {
  const real = fillNormal(new Float32Array(50_000), { seed: 1, stream: 0, step: 0 });
  const fake = fillNormal(new Float32Array(50_000), { seed: 2, stream: 0, step: 0 });
  const valueAt = (k: number): number =>
    valueFunction(real.map((x) => k * (0.5 - x)), fake.map((x) => k * (0.5 - x - 1)));
  assertLess(valueAt(0.3), valueAt(1)); // the logit of D* is exactly 0.5 - x
  assertLess(valueAt(2), valueAt(1));
});

Deno.test("discriminatorAccuracy() weighs real and fake alike and splits ties", () => {
  assertEquals(discriminatorAccuracy([1, 2, -1, 3], [-5]), 0.875);
  assertEquals(discriminatorAccuracy([0], [0]), 0.5);
  assertEquals(discriminatorAccuracy([-1], [1]), 0);
});

Deno.test("meanProbability() averages the sigmoid, and refuses no logits", () => {
  assertAlmostEquals(meanProbability([Math.log(3), -Math.log(3)]), 0.5, 1e-15);
  assertThrows(() => meanProbability([]), RangeError, "Cannot average over no logits");
});

Deno.test("estimateOptimalDiscriminator() comes to D* bin by bin, and is silent where nothing is", () => {
  const data = normalDensity(0, 1);
  const samples = fillNormal(new Float32Array(400_000), { seed: 6, stream: 0, step: 0 })
    .map((x) => x + 1);
  const { x, probability } = estimateOptimalDiscriminator(samples, data, {
    range: [-8, 8],
    bins: 64,
  });
  assertEquals(x[0], -7.875);
  assertEquals(probability[0], NaN);
  x.forEach((at, i) => {
    if (at < -2.5 || at > 3.5) return;
    const expected = optimalDiscriminator(data(at), normalDensity(1, 1)(at));
    assertAlmostEquals(probability[i], expected, 0.02);
  });
});

Deno.test("measureLine() of a perfect generator and an undecided discriminator is the optimum", () => {
  const samples = fillNormal(new Float32Array(20_000), { seed: 8, stream: 0, step: 0 });
  const run = {
    samples,
    density: normalDensity(0, 1),
    binning: { range: [-4, 4] as [number, number], bins: 50 },
  };
  const theory = measureLine({ ...run, logits: { real: [0, 0], fake: [0] } });
  assertAlmostEquals(theory.value, -Math.log(4), 1e-12);
  assertAlmostEquals(theory.valueAtOptimum, -Math.log(4), 4 * theory.jsdFloor);
  assertEquals([theory.accuracy, theory.meanReal, theory.meanFake], [0.5, 0.5, 0.5]);
  assertLess(theory.wasserstein, 0.03);
  assertLess(theory.jsd, 2 * theory.jsdFloor);
  assertEquals(theory.count, 20_000);
  const critic = measureLine(run);
  assertEquals([critic.value, critic.accuracy, critic.meanReal], [NaN, NaN, NaN]);
  assertEquals(critic.jsd, theory.jsd);
});
