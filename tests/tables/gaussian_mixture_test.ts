/** The mixture of a column beside scikit-learn's numbers and against samples of known mixtures. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  digamma,
  fitGaussianMixture,
  logGamma,
  variationalFit,
} from "../../src/tables/gaussian_mixture.ts";
import { counterNormals } from "./normals.ts";
import golden from "../../fixtures/tables/gaussian_mixture.json" with { type: "json" };

for (const { name, values, clusters, weights, means, stds } of golden.cases) {
  Deno.test(`variationalFit() gives scikit-learn's mixture: ${name}`, () => {
    const responsibilities = weights.map((_, k) =>
      Float64Array.from(clusters, (cluster) => cluster === k ? 1 : 0)
    );
    const modes = variationalFit(Float64Array.from(values), responsibilities);
    for (const [k, mode] of modes.entries()) {
      assertAlmostEquals(mode.weight, weights[k], 1e-9);
      assertAlmostEquals(mode.mean, means[k], 1e-9);
      assertAlmostEquals(mode.std, stds[k], 1e-9);
    }
  });
}

Deno.test("fitGaussianMixture() finds the modes that samples came from", () => {
  const values = Float64Array.from([
    ...counterNormals(4000, 1).map((x) => 1000 + 50 * x),
    ...counterNormals(1000, 2).map((x) => 5000 + 200 * x),
  ]);
  const modes = fitGaussianMixture(values);
  const share = (near: number, within: number) =>
    modes.filter(({ mean }) => Math.abs(mean - near) < within)
      .reduce((total, { weight }) => total + weight, 0);
  assertAlmostEquals(share(1000, 150), 0.8, 0.01);
  assertAlmostEquals(share(5000, 600), 0.2, 0.01);
  assert(modes.every(({ std }) => std > 20 && std < 400), JSON.stringify(modes));
});

Deno.test("fitGaussianMixture() takes columns without spread, and few distinct values", () => {
  assertEquals(fitGaussianMixture(Float64Array.of(3, 3, 3)), [{ weight: 1, mean: 3, std: 1 }]);
  const modes = fitGaussianMixture(Float64Array.from({ length: 200 }, (_, i) => i % 2));
  assertEquals(modes.length, 2);
  assertAlmostEquals(modes[0].mean, 0, 0.02);
  assertAlmostEquals(modes[1].mean, 1, 0.02);
});

Deno.test("fitGaussianMixture() throws when there is no value", () => {
  assertThrows(
    () => fitGaussianMixture(new Float64Array(0)),
    RangeError,
    "Cannot fit a mixture to no values",
  );
});

Deno.test("digamma() and logGamma() have their known values", () => {
  assertAlmostEquals(digamma(1), -0.5772156649015329, 1e-10);
  assertAlmostEquals(digamma(0.5), -1.9635100260214235, 1e-10);
  assertAlmostEquals(digamma(0.001), -1000.5755719318103, 1e-7);
  assertAlmostEquals(logGamma(0.5), Math.log(Math.PI) / 2, 1e-10);
  assertAlmostEquals(logGamma(11), Math.log(3628800), 1e-10);
});
