import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { classModes, inceptionScore } from "../../src/metrics/mod.ts";
import { golden, rows } from "./golden.ts";

const { classes, probabilities } = golden.inceptionScore;

for (const splits of [1, 3] as const) {
  Deno.test(`inceptionScore() gives NumPy's figure for ${splits} split(s)`, () => {
    const found = inceptionScore(rows(probabilities, classes), { splits });
    assertAlmostEquals(found.mean, golden.inceptionScore[splits].mean, 1e-6);
    assertAlmostEquals(found.deviation, golden.inceptionScore[splits].deviation, 1e-6);
  });
}

Deno.test("inceptionScore() is 1 for equal and the class count for certain, even predictions", () => {
  assertAlmostEquals(inceptionScore(rows([0.3, 0.7, 0.3, 0.7], 2), { splits: 1 }).mean, 1, 1e-12);
  const certain = rows([1, 0, 0, 0, 1, 0, 0, 0, 1], 3);
  assertAlmostEquals(inceptionScore(certain, { splits: 1 }).mean, 3, 1e-12);
});

Deno.test("inceptionScore() refuses logits and too many splits", () => {
  assertThrows(
    () => inceptionScore(rows([2, -1], 2), { splits: 1 }),
    RangeError,
    "Row 0 is no distribution over classes: its sum is 1, its smallest value -1",
  );
  assertThrows(() => inceptionScore(rows([0.5, 0.5], 2)), RangeError, "1 samples in 10 splits");
});

Deno.test("classModes() counts the modes and compares with the data's shares", () => {
  const found = classModes([0, 0, 1, 1, 1, 3], { total: 4 });
  assertEquals(found.covered, 3);
  assertEquals(found.counts, [2, 3, 0, 1]);
  const expected = [2, 3, 1].reduce((sum, n) => sum + n / 6 * Math.log(4 * n / 6), 0);
  assertAlmostEquals(found.kl, expected, 1e-12);
  assertEquals(classModes([0, 1, 1], { total: 2, dataShares: [10, 20] }).kl, 0);
});

Deno.test("classModes() refuses a prediction out of range", () => {
  assertThrows(
    () => classModes([4], { total: 4 }),
    RangeError,
    "Prediction 0 is 4: it must be one of 0 to 3",
  );
  assertThrows(() => classModes([], { total: 4 }), RangeError, "the modes of no predictions");
});
