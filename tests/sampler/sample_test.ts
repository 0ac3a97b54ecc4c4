/** What a sample shows of its values. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertNear, golden, load } from "./helpers.ts";

Deno.test("Sample shows float images in their range and uint8 images as they are", async () => {
  await using gray = await load("gray");
  const [image] = await gray.sample({ seed: 7 });
  assert(image.isImage);
  const raster = image.toRaster();
  assertEquals([raster.width, raster.height, raster.channels], [10, 6, 1]);
  const expected = golden.models.gray.values[1].map((value) => Math.round((value + 1) * 127.5));
  assertNear(raster.data, expected, 1.5); // a value on the edge may round either way
  assertEquals(image.toRgba().length, 6 * 10 * 4);
  await using bytes = await load("uint8");
  const [colored] = await bytes.sample({ seed: 7 });
  const [red, green, blue] = [0, 64, 128].map((at) => golden.models.uint8.values[1][at]);
  assertEquals([...colored.toRaster().data.subarray(0, 3)], [red, green, blue]);
  const bitmap = await colored.toImageBitmap();
  assertEquals([bitmap.width, bitmap.height], [8, 8]);
  bitmap.close();
});

Deno.test("Sample.values and Sample.latent are views of the batch's values, made once", async () => {
  await using sampler = await load("points");
  const [first, second] = await sampler.sample({ count: 2 });
  assertStrictEquals(second.values, second.values);
  assertStrictEquals(second.latent, second.latent);
  assertStrictEquals(second.values.buffer, first.values.buffer);
  assertEquals([second.values.byteOffset, second.latent.byteOffset], [2 * 4, 4 * 4]);
});

Deno.test("SampleList.grid() lays images out, and its slices are plain arrays", async () => {
  await using sampler = await load("gray");
  const images = await sampler.sample({ count: 6 });
  const sheet = images.grid({ columns: 3, padding: 1 });
  assertEquals([sheet.width, sheet.height, sheet.channels], [3 * 11 + 1, 2 * 7 + 1, 1]);
  assertEquals(images.map((image) => image.seed).constructor, Array);
  const png = await images.grid().toPng({ Seed: "0" });
  assertEquals([...png.subarray(1, 4)], [80, 78, 71]);
});

Deno.test("Sample refuses to show values as an image", async () => {
  await using sampler = await load("points");
  const [point] = await sampler.sample();
  assertEquals([point.isImage, point.values.length], [false, 2]);
  assertThrows(
    () => point.toRgba(),
    TypeError,
    "Cannot show a sample of shape [2] as an image: use its values",
  );
  await assertRejects(() => point.toPng(), TypeError, "use its values");
});
