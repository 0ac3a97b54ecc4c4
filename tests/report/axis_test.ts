import { checkProperty } from "../properties.ts";
import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { axisScale, extent, tickLabels } from "../../src/report/axis.ts";

Deno.test("axisScale().ticks() and tickLabels() give the labels a person would choose", () => {
  const labels = (domain: [number, number], count: number): string[] =>
    tickLabels(axisScale(domain, [0, 1]).ticks(count));
  assertEquals(labels([0, 1], 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  assertEquals(labels([-4.5, 4.5], 9).join(" "), "\u22124 \u22123 \u22122 \u22121 0 1 2 3 4");
  assertEquals(labels([0, 40_000], 4), ["0", "10k", "20k", "30k", "40k"]);
  assertEquals(labels([0, 3e6], 6).join(" "), "0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M");
  assertEquals(labels([0, 0.004], 4), ["0", "0.001", "0.002", "0.003", "0.004"]);
});

Deno.test("axisScale().ticks() are ascending, inside, and about as many as asked", () => {
  const domain = fc.tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  );
  checkProperty(fc.property(domain, fc.integer({ min: 2, max: 12 }), ([low, span], count) => {
    const high = low + span;
    const found = axisScale([low, high], [0, 1]).ticks(count);
    assertLessOrEqual(found.length, 2 * count + 1);
    assert(found.length >= Math.floor(count / 2) - 1);
    found.forEach((tick, i) => {
      assert(tick >= low - 1e-6 * span && tick <= high + 1e-6 * span);
      if (i > 0) assert(tick > found[i - 1]);
    });
  }));
});

Deno.test("extent() skips what is not finite and widens a single value", () => {
  assertEquals(extent([[1, NaN, 3], [Infinity]]), [1, 3]);
  assertEquals(extent([[0, 10]], 0.1), [-1, 11]);
  assertEquals(extent([[5, 5]]), [4.5, 5.5]);
  assertEquals(extent([[0]]), [-0.5, 0.5]);
  assertEquals(extent([[]]), [0, 1]);
});

Deno.test("axisScale() maps the ends to the ends", () => {
  const scale = axisScale([-2, 6], [300, 100]);
  assertEquals([scale(-2), scale(6)], [300, 100]);
  assertAlmostEquals(scale(2), 200, 1e-12);
});
