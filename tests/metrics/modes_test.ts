import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { modeCoverage, sampleMatrix } from "../../src/metrics/mod.ts";
import { fillNormal } from "../../src/random/counter_random.ts";

const ring = {
  centers: Array.from(
    { length: 8 },
    (_, i) => [Math.cos(i * Math.PI / 4), Math.sin(i * Math.PI / 4)],
  ),
  sigma: 0.01,
};

function perfectRing(count: number, seed: number): Float32Array {
  const samples = fillNormal(new Float32Array(2 * count), { seed, stream: 0, step: 0 });
  return samples.map((noise, i) => ring.centers[(i >> 1) % 8][i & 1] + ring.sigma * noise);
}

Deno.test("modeCoverage() gives a perfect generator 98.89% high quality", () => {
  const found = modeCoverage(sampleMatrix(perfectRing(200_000, 5), 2), ring);
  assertAlmostEquals(found.highQuality, 1 - Math.exp(-4.5), 8e-4); // 0.98889, 3 standard errors
  assertEquals(found.covered, 8);
  assertAlmostEquals(found.reverseKl, 0, 1e-5);
});

Deno.test("modeCoverage() of 2,500 samples is frozen", () => {
  const found = modeCoverage(sampleMatrix(perfectRing(2500, 7), 2), ring);
  assertEquals(found.counts.reduce((sum, number) => sum + number), found.highQuality * 2500);
  assertEquals(found.counts, [310, 311, 308, 313, 309, 309, 309, 306]);
});

Deno.test("modeCoverage() counts modes, strays and shares", () => {
  const square = { centers: [[0, 0], [4, 0], [0, 4], [4, 4]], sigma: 1 };
  const points = [0, 0, 0, 1, 4, 0, 4, 0.5, 4.2, 0, 0, 4, 10, 10, 3, 0]; // the last two: a stray, and (3, 0)
  const found = modeCoverage(sampleMatrix(Float32Array.from(points), 2), square);
  assertEquals(found.counts, [2, 4, 1, 0]);
  assertEquals(found.covered, 3);
  assertEquals(found.total, 4);
  assertEquals(found.highQuality, 7 / 8);
  const kl = (shares: number[]): number =>
    shares.reduce((sum, share) => sum + (share > 0 ? share * Math.log(4 * share) : 0), 0);
  assertAlmostEquals(found.reverseKl, kl([2 / 7, 4 / 7, 1 / 7, 0]), 1e-12);
  assertAlmostEquals(found.nearestReverseKl, kl([2 / 8, 4 / 8, 1 / 8, 1 / 8]), 1e-12);
});

Deno.test("modeCoverage() takes 3 sigma as too far, and has no reverse KL of nothing", () => {
  const found = modeCoverage(sampleMatrix(Float32Array.of(3, 0), 2), {
    centers: [[0, 0]],
    sigma: 1,
  });
  assertEquals(found.highQuality, 0);
  assertEquals(found.covered, 0);
  assertEquals(found.reverseKl, NaN);
  assertEquals(found.nearestReverseKl, 0);
});

Deno.test("modeCoverage() refuses centers of another dimension", () => {
  assertThrows(
    () => modeCoverage(sampleMatrix(Float32Array.of(1, 2, 3), 3), ring),
    RangeError,
    "each of the 8 modes needs a center of 3 values",
  );
});

Deno.test("modeCoverage() gives a perfect generator the JSD of counting noise", () => {
  const found = modeCoverage(sampleMatrix(perfectRing(200_000, 5), 2), ring);
  assertAlmostEquals(found.jsd, 0, 8 / (8 * 200_000) * 3);
  assertEquals(modeCoverage(sampleMatrix(new Float32Array(20), 2), ring).jsd > 0.6, true); // no mode
});

Deno.test("modeCoverage() knows how much of a Gaussian lies within 3 sigma, in any dimension", () => {
  // The chi distribution's table: P(|x| < 3) in 1, 2, 3, 4 and 5 dimensions.
  const shares = [0.9973002, 0.9888910, 0.9707091, 0.9389005, 0.8909358];
  for (const [index, share] of shares.entries()) {
    const dimensions = index + 1;
    const center = new Float32Array(dimensions);
    const { jsd } = modeCoverage(sampleMatrix(center, dimensions), { centers: [center], sigma: 1 });
    // Every sample in the mode, against `share` in it: JSD of (1, 0) and (share, 1 - share).
    const middle = (1 + share) / 2;
    const expected = -Math.log(middle) / 2 + share / 2 * Math.log(share / middle) +
      (1 - share) / 2 * Math.log(2);
    assertAlmostEquals(jsd, expected, 1e-7, `${dimensions} dimensions`);
  }
});
