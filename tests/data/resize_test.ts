import { assert, assertEquals, assertLess, assertLessOrEqual, assertRejects } from "@std/assert";
import fc from "fast-check";
import { checkProperty } from "../properties.ts";
import { type PixelImage, toChannels } from "../../src/data/images/raster.ts";
import { cropAndResize, cropToAspect, resizeToSize } from "../../src/data/images/resize.ts";
import { fromHex, golden } from "./helpers.ts";

Deno.test("resizeToSize() makes images smaller as Pillow's Lanczos filter does, but for a few levels", async () => {
  const { width, height, data, results } = golden.resize;
  const raster: PixelImage = { width, height, channels: 3, data: fromHex(data) };
  for (const expected of results) {
    if (expected.width > width || expected.height > height) continue;
    const { width: w, height: h } = expected;
    const resized = await resizeToSize(raster, { width: w, height: h });
    const wanted = fromHex(expected.data);
    assertEquals(resized.data.length, wanted.length);
    resized.data.forEach((value, i) => assertLessOrEqual(Math.abs(value - wanted[i]), 8)); // noise
  }
});

Deno.test("cropAndResize() enlarges without moving the image", async () => {
  for (const [from, to] of [[4, 8], [4, 6], [28, 32], [5, 23], [28, 64], [28, 29]]) {
    const data = Uint8Array.from({ length: from * from }, (_, i) => 10 + 8 * (i % from));
    const raster: PixelImage = { width: from, height: from, channels: 1, data };
    const larger = await cropAndResize(raster, { width: to, height: to });
    assertEquals([larger.width, larger.height, larger.channels], [to, to, 1]);
    for (let x = 0; x < to; x++) {
      const at = (x + 0.5) * from / to - 0.5; // the place in the small image
      if (at < 1 || at > from - 2) continue; // where the bicubic filter meets an edge
      assertLess(Math.abs(larger.data[to * 2 + x] - (10 + 8 * at)), 0.75, `${from} ${to} ${x}`);
    }
    const turned = await cropAndResize(
      { ...raster, data: data.map((_, i) => data[from * (i % from) + Math.floor(i / from)]) },
      { width: to, height: to },
    );
    assertEquals(
      turned.data,
      larger.data.map((_, i) => larger.data[to * (i % to) + Math.floor(i / to)]),
    );
  }
});

Deno.test("cropAndResize() keeps channels, and refuses data of another length", async () => {
  for (const channels of [1, 2, 3, 4] as const) {
    const data = new Uint8Array(10 * 6 * channels).fill(200);
    for (const size of [{ width: 3, height: 5 }, { width: 17, height: 12 }]) {
      const image = await cropAndResize({ width: 10, height: 6, channels, data }, size);
      assertEquals([image.width, image.height, image.channels], [
        size.width,
        size.height,
        channels,
      ]);
      assert(image.data.every((value) => Math.abs(value - 200) <= 2));
    }
  }
  const short: PixelImage = { width: 2, height: 2, channels: 1, data: new Uint8Array(3) };
  await assertRejects(() => cropAndResize(short, { width: 1, height: 1 }), RangeError, "3 bytes");
});

Deno.test("toChannels() has Pillow's luma, repeats gray, and adds or drops alpha", () => {
  const { width, height, data } = golden.resize;
  const color: PixelImage = { width, height, channels: 3, data: fromHex(data) };
  assertEquals(toChannels(color, 1).data, fromHex(golden.luma.gray));
  const gray: PixelImage = { width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 9) };
  assertEquals([...toChannels(gray, 3).data], [7, 7, 7, 9, 9, 9]);
  assertEquals([...toChannels(gray, 4).data], [7, 7, 7, 255, 9, 9, 9, 255]);
  const both: PixelImage = { width: 1, height: 1, channels: 2, data: Uint8Array.of(7, 50) };
  assertEquals([...toChannels(both, 4).data], [7, 7, 7, 50]);
  const rgba: PixelImage = { width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 4) };
  assertEquals([...toChannels(rgba, 3).data], [1, 2, 3]);
});

Deno.test("cropToAspect() takes the middle", () => {
  const data = Uint8Array.from({ length: 10 }, (_, i) => i); // two rows of five
  const raster: PixelImage = { width: 5, height: 2, channels: 1, data };
  assertEquals([...cropToAspect(raster, { width: 8, height: 8 }).data], [1, 2, 6, 7]);
  assertEquals([...cropToAspect(raster, { width: 3, height: 2 }).data], [1, 2, 3, 6, 7, 8]);
  assertEquals([...cropToAspect(raster, { width: 500, height: 1 }).data], [0, 1, 2, 3, 4]);
  assertEquals(cropToAspect(raster, { width: 10, height: 4 }), raster);
});

Deno.test("cropToAspect() leaves an image of the ratio alone and is never empty", () => {
  const side = fc.integer({ min: 1, max: 40 });
  checkProperty(fc.property(side, side, side, side, (width, height, w, h) => {
    const raster: PixelImage = { width, height, channels: 1, data: new Uint8Array(width * height) };
    const cropped = cropToAspect(raster, { width: w, height: h });
    assertEquals(cropped.data.length, cropped.width * cropped.height);
    assert(cropped.width === width || cropped.height === height); // the largest there is
    assertLessOrEqual(1, Math.min(cropped.width, cropped.height));
    assertLessOrEqual(cropped.width, width);
    assertLessOrEqual(cropped.height, height);
    // Half a pixel off at the most, but that one pixel stays.
    if (cropped.width < width) {
      assertLessOrEqual(Math.abs(cropped.width - Math.max(1, height * w / h)), 0.5 + 1e-9);
    }
    if (cropped.height < height) {
      assertLessOrEqual(Math.abs(cropped.height - Math.max(1, width * h / w)), 0.5 + 1e-9);
    }
    assertEquals(cropToAspect(raster, raster), raster);
  }));
});
