/** Enlargement by fixed filters, against Pillow's. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { enlargeBy } from "../../src/evaluation/models/enlarge.ts";

const small = {
  values: Float32Array.of(0, 1, 4, 9, 2, 8, 3, -5, 7, 7, 1, 0),
  height: 3,
  width: 4,
  channels: 1,
};

/** Rows 1 and 5 of Pillow 9's `Image.resize((8, 6))` of the same values in mode "F". */
const PILLOW = {
  lanczos: [
    [-0.1798, 0.4263, 1.6791, 2.8581, 3.4693, 4.5784, 5.756, 6.3176],
    [7.4821, 7.714, 7.4297, 5.2097, 1.8799, 0.3427, 0.7953, 1.4629],
  ],
  bicubic: [
    [0.0865, 0.6319, 1.7865, 2.7463, 3.43, 4.4841, 5.8149, 6.4435],
    [7.4879, 7.474, 7.4472, 5.6468, 2.0747, 0.3206, 0.3804, 0.4074],
  ],
};

for (const filter of ["lanczos", "bicubic"] as const) {
  Deno.test(`enlargeBy() gives Pillow's values by ${filter}`, () => {
    const large = enlargeBy(filter, small, 2);
    assertEquals(large.length, 48);
    for (const [place, row] of [1, 5].entries()) {
      for (const [x, value] of PILLOW[filter][place].entries()) {
        assertAlmostEquals(large[8 * row + x], value, 1e-3);
      }
    }
  });
}

Deno.test("enlargeBy() keeps images and channels apart", () => {
  const values = Float32Array.from({ length: 2 * 4 * 2 }, (_, i) => i < 8 ? i % 2 : 5 + i % 2);
  const large = enlargeBy("bicubic", { values, height: 2, width: 2, channels: 2 }, 3);
  for (const [i, value] of large.entries()) {
    assertAlmostEquals(value, (i < 72 ? 0 : 5) + i % 2, 1e-6);
  }
});
