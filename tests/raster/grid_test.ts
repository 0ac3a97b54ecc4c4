import { assertEquals, assertThrows } from "@std/assert";
import { grid } from "../../src/raster/grid.ts";
import { Raster, type RasterImage } from "../../src/raster/raster.ts";

const dot = (value: number): RasterImage => ({
  width: 2,
  height: 1,
  channels: 1,
  data: Uint8Array.of(value, value + 1),
});

Deno.test("grid() places images row by row with padding around each", () => {
  const sheet = grid([dot(10), dot(20), dot(30)], { columns: 2, padding: 1, background: 7 });
  assertEquals([sheet.width, sheet.height, sheet.channels], [7, 5, 1]);
  assertEquals([...sheet.data], [
    ...[7, 7, 7, 7, 7, 7, 7],
    ...[7, 10, 11, 7, 20, 21, 7],
    ...[7, 7, 7, 7, 7, 7, 7],
    ...[7, 30, 31, 7, 7, 7, 7],
    ...[7, 7, 7, 7, 7, 7, 7],
  ]);
});

Deno.test("grid() takes the squarest shape and white by default", () => {
  const sheet = grid(Array.from({ length: 5 }, () => dot(0)));
  assertEquals([sheet.width, sheet.height], [3 * 4 + 2, 2 * 3 + 2]);
  assertEquals(sheet.data[0], 255);
});

Deno.test("grid() keeps colors, with a background of one value a channel", () => {
  const pixel = { width: 1, height: 1, channels: 3 as const, data: Uint8Array.of(1, 2, 3) };
  const sheet = grid([pixel, pixel], { columns: 3, padding: 0, background: [9, 8, 7] });
  assertEquals([...sheet.data], [1, 2, 3, 1, 2, 3, 9, 8, 7]);
});

Deno.test("grid() refuses images that differ and options out of range", () => {
  const wide: RasterImage = { ...dot(0), width: 1, height: 2 };
  const refuse = (make: () => unknown, message: string) => assertThrows(make, RangeError, message);
  refuse(() => grid([]), "Cannot make a grid of 0 images");
  refuse(
    () => grid([dot(0), wide]),
    "Cannot place image 1 of 1 x 2 x 1 channels into a grid of 2 x 1 x 1: all must be alike",
  );
  refuse(() => grid([dot(0)], { columns: 0 }), "Cannot make a grid of 0 columns");
  refuse(() => grid([dot(0)], { padding: -1 }), "Cannot make a grid with padding -1");
  refuse(
    () => grid([dot(0)], { background: [1, 2] }),
    "Cannot fill a grid of 1 channels with a background of 2 values",
  );
});

Deno.test("Raster gives RGBA of every kind of pixel", () => {
  const rgba = (channels: 1 | 2 | 3 | 4, data: number[]) => [
    ...new Raster({ width: 1, height: 1, channels, data: Uint8Array.from(data) }).toRgba(),
  ];
  assertEquals(rgba(1, [5]), [5, 5, 5, 255]);
  assertEquals(rgba(2, [5, 6]), [5, 5, 5, 6]);
  assertEquals(rgba(3, [5, 6, 7]), [5, 6, 7, 255]);
  assertEquals(rgba(4, [5, 6, 7, 8]), [5, 6, 7, 8]);
});

Deno.test("Raster gives ImageData, an ImageBitmap and a PNG of its size", async () => {
  const raster = new Raster(dot(3));
  const shown = raster.toImageData();
  assertEquals([shown.width, shown.height, ...shown.data], [2, 1, 3, 3, 3, 255, 4, 4, 4, 255]);
  const bitmap = await raster.toImageBitmap();
  assertEquals([bitmap.width, bitmap.height], [2, 1]);
  bitmap.close();
  const decoded = await createImageBitmap(new Blob([await raster.toPng()]));
  assertEquals([decoded.width, decoded.height], [2, 1]);
  decoded.close();
});

Deno.test("Raster refuses data of another length", () => {
  assertThrows(
    () => new Raster({ ...dot(0), width: 3 }),
    RangeError,
    "Cannot make an image of 3 x 1 x 1 channels from 2 bytes: it needs 3",
  );
});
