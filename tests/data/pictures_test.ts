import { checkProperty } from "../properties.ts";
import { crc32 } from "node:zlib";
import { assert, assertEquals, assertLessOrEqual, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeImage } from "../../src/data/images/decode.ts";
import { MAX_PIXELS, readImageHeader } from "../../src/data/images/image_header.ts";
import {
  compositeAlpha,
  cropAndResize,
  cropToAspect,
  type Raster,
  resize,
  toChannels,
} from "../../src/data/images/raster.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden } from "./helpers.ts";

const readFixture = (name: string) => Deno.readFile(`${FIXTURES}/pictures/${name}`);

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

Deno.test("decodeImage() decodes every golden picture as Pillow does", async () => {
  for (const picture of golden.pictures) {
    const { file, width, height, channels, data, tolerance } = picture;
    const raster = await decodeImage(await Deno.readFile(`${FIXTURES}/${file}`), file);
    assertEquals([raster.width, raster.height, raster.channels], [width, height, channels], file);
    assertEquals(raster.data.length, data.length / 2, file);
    assertLessOrEqual(largestDifference(raster.data, fromHex(data)), tolerance, file);
  }
});

Deno.test("readImageHeader() knows format and size of every golden picture", async () => {
  for (const { file, width, height } of golden.pictures) {
    const header = readImageHeader(await Deno.readFile(`${FIXTURES}/${file}`), file);
    const size = file.includes("turned") ? [height, width] : [width, height]; // EXIF turns it later
    assertEquals([header.width, header.height], size, file);
    const ending = file.split(".").pop()!.replace("jpg", "jpeg");
    assertEquals(header.format, ending);
  }
});

Deno.test("decodeImage() names every truncated picture", async () => {
  for (const { file } of golden.pictures) {
    const bytes = await Deno.readFile(`${FIXTURES}/${file}`);
    // the last bytes of a GIF and a WebP hold no pixels of the first frame, so those may be missing
    const most = file.includes("moving") ? 0.2 : /gif|webp/.test(file) ? 0.75 : 1;
    for (const share of [0.02, 0.2, 0.5, 0.75, 1]) {
      if (share > most) continue;
      const part = bytes.subarray(0, Math.floor(bytes.length * share) - 1);
      const error = await assertRejects(() => decodeImage(part, file), UserError);
      assert(error.message.startsWith(`Cannot read ${file}: `), error.message);
    }
  }
});

Deno.test("decodeImage() says what is wrong with a picture", async () => {
  const png = await readFixture("rgb8.png");
  const jpeg = await readFixture("rgb.jpg");
  const webp = await readFixture("lossless.webp");
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const huge = jpeg.slice();
  huge.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "the file is empty (0 bytes)"],
    [new TextEncoder().encode("<html>"), "it starts with 3c 68 74 6d, which is no JPEG, PNG, WebP"],
    [png.subarray(0, 20), "it is truncated: it has 20 bytes"],
    [png.with(25, 5), "its header has colour type 5, bit depth 8"],
    [png.with(20, 1), `and a picture has 1 to ${MAX_PIXELS}`],
    [png.with(23, 7), "its IHDR chunk at byte 8 has a wrong checksum: it is damaged"],
    [png.with(37, 10), "its \\u000aDAT chunk at byte 33 has a wrong checksum"], // one line all the same
    [png.with(60, 1), "its IDAT chunk at byte 33 has a wrong checksum: it is damaged"],
    [png.subarray(0, png.length - 12), "before its IEND chunk"],
    [png.subarray(0, 60), "it is truncated: its IDAT chunk ends at byte"],
    [jpeg.subarray(0, jpeg.length - 2), "without an end-of-image marker"],
    [jpeg.with(2, 0), "there is no JPEG marker at byte 2: it is damaged"],
    [
      jpeg.with(frame + 17, 0x22),
      "component 2 of its frame is sampled 2 x 2 times, the first one 1 x 1",
    ],
    [jpeg.with(frame + 9, 4), "its frame header has a wrong length: it is damaged"],
    [huge, "its header says 65535 x 65535 pixels"],
    [webp.subarray(0, webp.length - 8), `it is truncated: its header says ${webp.length} bytes`],
    [webp.with(12, 65), 'its first WebP chunk is "AP8L", which WebP does not know'],
  ];
  for (const [bytes, message] of cases) {
    const error = await assertRejects(() => decodeImage(bytes, "p"), UserError, message);
    assert(error.message.startsWith("Cannot read p: "), error.message);
  }
});

Deno.test("readImageHeader() refuses a GIF whose frame is larger than its screen", async () => {
  const gif = await readFixture("plain.gif");
  const frame = gif.findIndex((byte, i) => byte === 0x2c && gif[i + 5] === 9 && gif[i + 7] === 6);
  assertThrows(
    () => readImageHeader(gif.with(frame + 6, 255), "a.gif"),
    UserError,
    "its first frame reaches to 65289 x 6, and its screen has 9 x 6 pixels: it is damaged",
  );
});

Deno.test("decodeImage() never fails but by a UserError on random and mutated bytes", async () => {
  const kinds = { png: /png$/, jpeg: /jpe?g$/, "gif and webp": /(gif|webp)$/ };
  for (const [kind, ending] of Object.entries(kinds)) {
    const names = golden.pictures.map(({ file }) => file).filter((file) => ending.test(file));
    const files = await Promise.all(names.map((file) => Deno.readFile(`${FIXTURES}/${file}`)));
    for (const mend of kind === "png" ? [withPngSums, undefined] : [undefined]) {
      const outcome = await fuzz(damagedBytes(files, mend), async (bytes) => {
        const { data, width, height, channels } = await decodeImage(bytes, "p");
        assertEquals(data.length, width * height * channels);
      }, { seed: 1 });
      const readable = kind !== "png" ? 200 : mend ? 50 : 0; // checksums give nearly all away
      assert(
        outcome.read > readable && outcome.refused > 300,
        `${kind} ${JSON.stringify(outcome)}`,
      );
    }
  }
});

/** Gives the chunks of a damaged PNG the checksums of what they now hold, as far as they can be found. */
function withPngSums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

Deno.test("resize() agrees with Pillow's Lanczos filter to rounding", () => {
  const { width, height, data, results } = golden.resize;
  const raster: Raster = { width, height, channels: 3, data: fromHex(data) };
  for (const expected of results) {
    const resized = resize(raster, expected);
    assertEquals(resized.data.length, expected.width * expected.height * 3);
    assertLessOrEqual(largestDifference(resized.data, fromHex(expected.data)), 1);
  }
});

Deno.test("toChannels() has Pillow's luma, and repeats grey", () => {
  const { width, height, data } = golden.resize;
  const colour: Raster = { width, height, channels: 3, data: fromHex(data) };
  const grey = toChannels(colour, 1);
  assertEquals(grey.data, fromHex(golden.luma.grey));
  const repeated = toChannels({ width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 9) }, 3);
  assertEquals([...repeated.data], [7, 7, 7, 9, 9, 9]);
});

Deno.test("compositeAlpha() puts a picture on the background", () => {
  const data = Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 128);
  const flat = compositeAlpha({ width: 3, height: 1, channels: 4, data }, 200);
  // 128 / 255 of the colour, 127 / 255 of 200
  assertEquals([...flat.data], [10, 20, 30, 200, 200, 200, 105, 110, 115]);
  const grey = { width: 2, height: 1, channels: 2 as const, data: Uint8Array.of(50, 255, 50, 0) };
  assertEquals([...compositeAlpha(grey, 0).data], [50, 0]);
});

Deno.test("cropToAspect() and cropAndResize() take the middle", () => {
  const data = Uint8Array.from({ length: 10 }, (_, i) => i); // two rows of five
  const raster: Raster = { width: 5, height: 2, channels: 1, data };
  assertEquals([...cropToAspect(raster, { width: 8, height: 8 }).data], [1, 2, 6, 7]);
  assertEquals([...cropToAspect(raster, { width: 3, height: 2 }).data], [1, 2, 3, 6, 7, 8]);
  assertEquals([...cropToAspect(raster, { width: 500, height: 1 }).data], [0, 1, 2, 3, 4]);
  assertEquals(cropToAspect(raster, { width: 10, height: 4 }), raster);
  const tall: Raster = { width: 1, height: 4, channels: 1, data: Uint8Array.of(5, 6, 7, 8) };
  assertEquals([...cropAndResize(tall, { width: 1, height: 1 }).data], [6]);
  assertEquals([...cropAndResize(tall, { width: 2, height: 4 }).data], [6, 6, 6, 6, 7, 7, 7, 7]);
});

Deno.test("cropToAspect() leaves a picture of the ratio alone and is never empty", () => {
  const side = fc.integer({ min: 1, max: 40 });
  checkProperty(fc.property(side, side, side, side, (width, height, w, h) => {
    const raster: Raster = { width, height, channels: 1, data: new Uint8Array(width * height) };
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
