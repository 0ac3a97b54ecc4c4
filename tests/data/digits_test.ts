import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { drawDigit, drawDigits } from "../../src/data/digits/draw_digits.ts";
import { renderLines } from "../../src/data/digits/render.ts";

Deno.test("drawDigits() draws labeled 28 x 28 gray images, each digit as often", () => {
  const source = drawDigits({ count: 40 });
  assertEquals(source.shape, [28, 28, 1]);
  assertEquals([...source.labels!.subarray(0, 12)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  assertEquals(source.classNames, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  assertEquals(source.count, 40);
});

Deno.test("drawDigits() has frozen output", () => {
  assertEquals(
    drawDigits({ count: 100, seed: 0 }).fingerprint,
    "345a03db48bcbf93232c37997f4282cb4c5f903ef77a72388e58485da70efbd5",
  );
});

Deno.test("drawDigits() gives an image by seed and number, however many are drawn", () => {
  const few = drawDigits({ count: 3, seed: 9 }).pixels!;
  const more = drawDigits({ count: 5, seed: 9 }).pixels!;
  assertEquals(few, more.subarray(0, few.length));
  assertNotEquals(few, drawDigits({ count: 3, seed: 10 }).pixels);
});

Deno.test("drawDigits() leaves the border black and uses the full range", () => {
  const { pixels, count } = drawDigits({ count: 500, seed: 2 });
  for (let i = 0; i < count; i++) {
    const image = pixels!.subarray(i * 784, (i + 1) * 784);
    for (let k = 0; k < 28; k++) {
      assertEquals([image[k], image[27 * 28 + k], image[28 * k], image[28 * k + 27]], [
        0,
        0,
        0,
        0,
      ]);
    }
    assertGreater(Math.max(...image), 180, `image ${i}`);
  }
});

Deno.test("drawDigits() draws at other sizes, and gray as RGB", () => {
  const source = drawDigits({ count: 2, size: 16, channels: 3 });
  assertEquals(source.shape, [16, 16, 3]);
  const { values } = source.batch(new Uint32Array([1]));
  assert(values.some((value) => value > 0));
  for (let i = 0; i < values.length; i += 3) {
    assertEquals([values[i + 1], values[i + 2]], [values[i], values[i]]);
  }
});

Deno.test("digits of a class resemble their class mean more than any other", () => {
  // A nearest-mean classifier is weak, but far above chance only if the classes differ by shape
  const train = drawDigits({ count: 2000, seed: 0 });
  const means = Array.from({ length: 10 }, () => new Float64Array(784));
  for (let i = 0; i < train.count; i++) {
    for (let p = 0; p < 784; p++) means[i % 10][p] += train.pixels![i * 784 + p] / 200;
  }
  const test = drawDigits({ count: 500, seed: 1 }).pixels!;
  let right = 0;
  for (let i = 0; i < 500; i++) {
    const distances = means.map((mean) =>
      mean.reduce((sum, value, p) => sum + (value - test[i * 784 + p]) ** 2, 0)
    );
    if (distances.indexOf(Math.min(...distances)) === i % 10) right++;
  }
  assertGreater(right / 500, 0.7);
});

Deno.test("drawDigit() draws a digit anew each time", () => {
  for (let digit = 0; digit < 10; digit++) {
    const different = new Set<string>();
    for (let index = 0; index < 8; index++) {
      const out = new Uint8Array(784);
      drawDigit(out, digit, { seed: 0, index, size: 28 });
      different.add(out.join());
    }
    assertEquals(different.size, 8);
  }
});

Deno.test("renderLines() darkens by distance: full within the line, fading over the softness", () => {
  const out = new Uint8Array(25);
  const line = Float64Array.from([0.5, 2.5, 4.5, 2.5]); // through the centers of the middle row
  renderLines(out, [line], { size: 5, radius: 1, softness: 1 });
  // distance 0 -> full; distance 1 -> (1.5 - 1) / 1 = half; distance 2 -> nothing
  assertEquals([0, 1, 2, 3, 4].map((row) => out[row * 5 + 2]), [0, 128, 255, 128, 0]);
});
