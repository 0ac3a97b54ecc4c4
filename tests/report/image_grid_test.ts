import { checkProperty } from "../properties.ts";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodePng } from "../png.ts";
import { enlarge, imageGrid } from "../../src/report/image_grid.ts";
import { toRasters } from "../../src/report/image_grid.ts";
import { encodePng } from "../../src/raster/png.ts";

Deno.test("toRasters() maps [-1, 1] to bytes, clips, and shows NaN as black", () => {
  const data = Float32Array.of(-1, 0, 1, 7, -9, NaN);
  const [first, second] = toRasters({ data, count: 2, height: 1, width: 3, channels: 1 });
  assertEquals([...first.data], [0, 128, 255]);
  assertEquals([...second.data], [255, 0, 0]);
});

Deno.test("toRasters() leaves bytes alone and refuses a wrong length", () => {
  const data = Uint8Array.of(1, 2, 3);
  assertEquals(
    [...toRasters({ data, count: 1, height: 1, width: 1, channels: 3 })[0].data],
    [1, 2, 3],
  );
  assertThrows(
    () => toRasters({ data, count: 2, height: 1, width: 1, channels: 3 }),
    RangeError,
    "Cannot cut 3 values into 2 images of 1 x 1 x 3: they need 6",
  );
});

Deno.test("enlarge() repeats each pixel", () => {
  const sheet = enlarge(
    { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    2,
  );
  assertEquals([sheet.width, sheet.height], [4, 2]);
  const row = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6];
  assertEquals([...sheet.data], [...row, ...row]);
  assertThrows(() => enlarge(sheet, 1.5), RangeError, "Cannot enlarge an image 1.5 times");
});

Deno.test("imageGrid() enlarges small images to a comfortable size, large ones not", () => {
  const batch = (side: number) => ({
    data: new Float32Array(16 * side * side),
    count: 16,
    height: side,
    width: side,
    channels: 1 as const,
  });
  assertEquals(imageGrid(batch(28)).width, 5 * (4 * 29 + 1)); // 585
  assertEquals(imageGrid(batch(256)).width, 4 * 257 + 1);
  assertEquals(imageGrid(batch(28), { scale: 1, padding: 2, columns: 8 }).width, 8 * 30 + 2);
});

Deno.test("encodePng() writes what decodePng() reads back", async () => {
  const image = fc.record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
    smooth: fc.boolean(),
    seed: fc.integer(),
  });
  await checkProperty(
    fc.asyncProperty(image, async ({ width, height, channels, smooth, seed }) => {
      // Smooth images make the encoder use its other filters.
      const data = Uint8Array.from(
        { length: width * height * channels },
        (_, i) => smooth ? i * 3 + seed : Math.imul(i + seed, 2654435761) >>> 24,
      );
      const png = await encodePng({ width, height, channels, data });
      const decoded = await decodePng(png);
      assertEquals([decoded.width, decoded.height, decoded.channels], [width, height, channels]);
      assertEquals(Uint8Array.from(decoded.data), data);
    }),
    { numRuns: 200 },
  );
});
