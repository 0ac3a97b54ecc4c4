import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { DEFAULTS } from "../../src/config/defaults.ts";
import {
  type Density,
  grid2dDensity,
  mixture1dDensity,
  normal1dDensity,
  ring2dDensity,
} from "../../src/data/densities.ts";
import { drawToyData } from "../../src/data/toy.ts";

const DENSITIES = [
  mixture1dDensity(DEFAULTS.data.components),
  normal1dDensity(),
  ring2dDensity(),
  grid2dDensity(),
];

/** The integral of a density near one mode, by the midpoint rule. */
function massNear(density: Density, mean: readonly number[], sigma: number): number {
  const pieces = 60;
  const side = 12 * sigma;
  const step = side / pieces;
  const at = (k: number, axis: number) => mean[axis] - side / 2 + (k + 0.5) * step;
  let sum = 0;
  for (let i = 0; i < pieces; i++) {
    if (density.dimension === 1) sum += density.density([at(i, 0)]) * step;
    else {for (let j = 0; j < pieces; j++) {
        sum += density.density([at(i, 0), at(j, 1)]) * step * step;
      }}
  }
  return sum;
}

Deno.test("density() integrates to each mode's weight around separate modes", () => {
  for (const density of [normal1dDensity(), ring2dDensity(), grid2dDensity()]) {
    for (const { mean, sigma, weight } of density.modes) {
      assertAlmostEquals(massNear(density, mean, sigma), weight, 1e-8, density.name);
    }
  }
});

Deno.test("density() of a 1-D mixture is the weighted sum of normal densities", () => {
  const density = mixture1dDensity([{ weight: 1, mean: -1, sigma: 0.5 }, {
    weight: 3,
    mean: 2,
    sigma: 2,
  }]);
  const normal = (x: number, mean: number, sigma: number) =>
    Math.exp(-((x - mean) ** 2) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
  for (const x of [-3, -1, 0, 0.7, 5]) {
    const expected = 0.25 * normal(x, -1, 0.5) + 0.75 * normal(x, 2, 2);
    assertAlmostEquals(density.density([x]), expected, 1e-14);
    assertAlmostEquals(density.logDensity([x]), Math.log(expected), 1e-12);
  }
  assertEquals(density.bounds, [[-8, 12]]);
});

Deno.test("logDensity() stays finite where the density underflows", () => {
  assertEquals(ring2dDensity().density([3, 3]), 0);
  assert(Number.isFinite(ring2dDensity().logDensity([3, 3])));
});

Deno.test("the ring has 8 modes on the unit circle, the grid 25 at {-4, -2, 0, 2, 4}^2", () => {
  const ring = ring2dDensity().modes;
  assertEquals(ring.length, 8);
  for (const [k, { mean, sigma, weight }] of ring.entries()) {
    assertAlmostEquals(mean[0], Math.cos(k * Math.PI / 4), 1e-15);
    assertAlmostEquals(mean[1], Math.sin(k * Math.PI / 4), 1e-15);
    assertEquals([sigma, weight], [0.01, 1 / 8]);
  }
  const grid = grid2dDensity().modes;
  assertEquals(new Set(grid.map(({ mean }) => mean.join())).size, 25);
  for (const { mean, sigma } of grid) {
    assert(mean.every((coordinate) => [-4, -2, 0, 2, 4].includes(coordinate)));
    assertEquals(sigma, 0.05);
  }
});

Deno.test("sample() has the mean, the variance and the shares of its density", () => {
  const count = 40_000;
  for (const density of DENSITIES) {
    const { dimension, modes } = density;
    const samples = density.sample(count, { seed: 5 });
    for (let axis = 0; axis < dimension; axis++) {
      const mean = modes.reduce((sum, mode) => sum + mode.weight * mode.mean[axis], 0);
      const second = modes.reduce(
        (sum, mode) => sum + mode.weight * (mode.mean[axis] ** 2 + mode.sigma ** 2),
        0,
      );
      const deviation = Math.sqrt(second - mean * mean);
      let sum = 0;
      let squares = 0;
      for (let i = axis; i < samples.length; i += dimension) {
        sum += samples[i];
        squares += (samples[i] - mean) ** 2;
      }
      // five standard errors
      assertLess(Math.abs(sum / count - mean), 5 * deviation / Math.sqrt(count), density.name);
      assertAlmostEquals(Math.sqrt(squares / count), deviation, 0.02 * deviation, density.name);
    }
  }
});

Deno.test("sample() of the grid is of high quality as often as the true distribution", () => {
  // within 3 sigma of a mode, in two dimensions: 1 - exp(-9 / 2) = 98.89%
  const { modes, sample } = grid2dDensity();
  const samples = sample(20_000, { seed: 1 });
  let good = 0;
  for (let i = 0; i < samples.length; i += 2) {
    const nearest = Math.min(
      ...modes.map(({ mean }) => Math.hypot(samples[i] - mean[0], samples[i + 1] - mean[1])),
    );
    if (nearest < 3 * 0.05) good++;
  }
  assertAlmostEquals(good / 20_000, 1 - Math.exp(-4.5), 0.003);
});

Deno.test("drawToyData() has frozen output and carries its density", () => {
  for (const [name, fingerprint] of Object.entries(FROZEN)) {
    const source = drawToyData(name as keyof typeof FROZEN, { count: 1000, seed: 3 });
    assertEquals(source.fingerprint, fingerprint, name);
    assertEquals([source.density?.name, source.kind], [name, "points"]);
    assertEquals(source.shape, [source.density!.dimension]);
  }
});

const FROZEN = {
  "mixture-1d": "8d2241f6ae4b6d64e4045e5cf1f1769e81d15a27739b882bee17d1718c32e561",
  "normal-1d": "f93d45dbb3658426ee0a822be546338696cca3a49f0dcb4a5972ba6344591d06",
  "ring-2d": "a6a5123a826a11048e9bc38578303ee771a67230eb53ba34820484116fce1442",
  "grid-2d": "47df31c41aaea8bdd777afc015a33670b68b6c1bacce8787c85b3e4c5c817846",
};

Deno.test("drawToyData() draws 100,000 points by default", () => {
  const source = drawToyData("ring-2d");
  assertEquals(source.count, 100_000);
  assertEquals(
    source.description,
    "100,000 points in 2-D from 8 Gaussians (ring-2d, seed 0)",
  );
});
