/** PSNR and SSIM beside scikit-image's figures and closed forms. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { psnr, ssim } from "../../src/metrics/image_quality.ts";
import golden from "../../fixtures/metrics/image_quality.json" with { type: "json" };

for (const { image, reference, height, width, channels, ...expected } of golden.cases) {
  const pair = {
    image: Uint8Array.from(image),
    reference: Uint8Array.from(reference),
    height,
    width,
    channels,
  };
  Deno.test(`psnr() and ssim() are scikit-image's on ${height} x ${width} x ${channels}`, () => {
    assertAlmostEquals(psnr(pair), expected.psnr, 1e-9);
    assertAlmostEquals(ssim(pair), expected.ssim, 1e-9);
  });
}

Deno.test("psnr() and ssim() of equal images", () => {
  const image = Uint8Array.from({ length: 144 }, (_, at) => at);
  const pair = { image, reference: image, height: 12, width: 12, channels: 1 };
  assertEquals(psnr(pair), Infinity);
  assertAlmostEquals(ssim(pair), 1, 1e-12);
});

Deno.test("psnr() of a constant difference is its closed form", () => {
  const reference = new Uint8Array(50).fill(100);
  const image = new Uint8Array(50).fill(105);
  assertAlmostEquals(psnr({ image, reference }), 20 * Math.log10(255 / 5), 1e-12);
});

Deno.test("psnr() and ssim() throw when images do not compare", () => {
  const image = new Uint8Array(9);
  assertThrows(() => psnr({ image, reference: new Uint8Array(8) }), RangeError, "9 and 8 values");
  const pair = { image, reference: image, height: 3, width: 3, channels: 1 };
  assertThrows(() => ssim(pair), RangeError, "3 x 3 pixels: it needs 11 x 11");
});
