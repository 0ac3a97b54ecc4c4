import { crc32 } from "node:zlib";
import { assert, assertEquals, assertLess, assertLessOrEqual, assertRejects } from "@std/assert";
import sharp, { type Sharp } from "sharp";
import { type DecodedImage, decodeImage } from "../../src/data/images/decode.ts";
import { MAX_PIXELS, readImageHeader } from "../../src/data/images/image_header.ts";
import { loadSharp } from "../../src/data/images/sharp.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden } from "./helpers.ts";

const readFixture = (name: string) => Deno.readFile(`${FIXTURES}/images/${name}`);

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

/** What the golden file holds, laid on white where it has alpha. */
function flattened(data: Uint8Array, channels: number, background: number): number[] {
  const colors = channels <= 2 ? 1 : 3;
  if (channels === colors) return [...data];
  const flat: number[] = [];
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + colors] / 255;
    for (let c = 0; c < colors; c++) flat.push(data[at + c] * alpha + background * (1 - alpha));
  }
  return flat;
}

Deno.test("decodeImage() decodes every golden image as Pillow does, on a background", async () => {
  for (const { file, width, height, channels, data, tolerance } of golden.images) {
    const bytes = await Deno.readFile(`${FIXTURES}/${file}`);
    const expected = fromHex(data);
    const isGray = channels <= 2;
    for (const background of [255, 40]) {
      const image = await decodeImage(bytes, file, { background });
      assertEquals([image.width, image.height, image.channels], [width, height, isGray ? 1 : 3]);
      assertEquals(image.original, { width, height });
      flattened(expected, channels, background).forEach((value, i) => {
        const allowed = tolerance + (channels % 2 === 0 ? 2 : 0); // libvips rounds alpha down
        assertLessOrEqual(Math.abs(image.data[i] - value), allowed, `${file} ${i}`);
      });
    }
    const rgba = await decodeImage(bytes, file, { background: 0, channels: 4 });
    assertEquals(rgba.data.length, width * height * 4, file);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const alpha = channels % 2 === 0 ? expected[(pixel + 1) * channels - 1] : 255;
      assertEquals(rgba.data[4 * pixel + 3], alpha, file);
    }
  }
});

Deno.test("readImageHeader() knows format, size and channels of every golden image", async () => {
  for (const { file, width, height, channels } of golden.images) {
    const header = readImageHeader(await Deno.readFile(`${FIXTURES}/${file}`), file);
    const size = file.includes("turned") ? [height, width] : [width, height]; // EXIF turns it later
    assertEquals([header.width, header.height], size, file);
    const ending = file.split(".").pop()!.replace("jpg", "jpeg");
    assertEquals(header.format, ending as typeof header.format);
    assertEquals(header.channels! <= 2, channels <= 2, file);
  }
});

Deno.test("decodeImage() names every truncated image", async () => {
  for (const { file } of golden.images) {
    const bytes = await Deno.readFile(`${FIXTURES}/${file}`);
    // the last bytes of a GIF and a WebP hold no pixels of the first frame, so those may be missing
    const most = file.includes("moving") ? 0.2 : /gif|webp/.test(file) ? 0.5 : 1;
    for (const share of [0.02, 0.2, 0.5, 0.75, 1]) {
      if (share > most) continue;
      const part = bytes.subarray(0, Math.floor(bytes.length * share) - 1);
      const error = await assertRejects(() => decodeImage(part, file), UserError);
      assert(error.message.startsWith(`Cannot read ${file}: `), error.message);
    }
  }
});

Deno.test("decodeImage() says what is wrong with an image", async () => {
  const png = await readFixture("rgb8.png");
  const jpeg = await readFixture("rgb.jpg");
  const webp = await readFixture("lossless.webp");
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const huge = jpeg.slice();
  huge.set([0xff, 0xff, 0xff, 0xff], frame + 5);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "the file is empty (0 bytes)"],
    [
      new TextEncoder().encode("<html>"),
      "it starts with 3c 68 74 6d, which is no JPEG, PNG, WebP, GIF, AVIF or TIFF",
    ],
    [png.subarray(0, 20), "it is truncated: it has 20 bytes"],
    [png.with(25, 5), "its header has the unknown color type 5"],
    [png.with(16, 1), "and a side may have 65536"],
    [png.with(18, 250).with(22, 250), `and such a PNG may have 1 to ${MAX_PIXELS}`],
    [png.with(23, 7), "it is damaged ("],
    [png.with(60, 1), "it is damaged ("],
    [png.subarray(0, png.length - 12), "without its IEND chunk"],
    [jpeg.subarray(0, jpeg.length - 2), "without an end-of-image marker"],
    [jpeg.with(frame, 0), `there is no JPEG marker at byte ${frame}: it is damaged`],
    [huge, "its header says 65535 x 65535 pixels"],
    [webp.subarray(0, webp.length - 8), `it is truncated: its header says ${webp.length} bytes`],
    [webp.with(12, 10), 'its first WebP chunk is "\\nP8L", which WebP does not know'], // one line
  ];
  for (const [bytes, message] of cases) {
    const error = await assertRejects(() => decodeImage(bytes, "p"), UserError, message);
    assert(/^Cannot read p: [^\n]+$/.test(error.message), error.message);
  }
});

/** An image of 12 x 6 pixels: red at the top left, blue at the bottom right, gray between. */
function cornered(): Sharp {
  const data = new Uint8Array(12 * 6 * 3).fill(128);
  data.set([255, 0, 0]);
  data.set([0, 0, 255], data.length - 3);
  return sharp(data, { raw: { width: 12, height: 6, channels: 3 } });
}

Deno.test("decodeImage() reads AVIF, TIFF and CMYK, and turns what EXIF says is turned", async () => {
  const plain = await decodeImage(await cornered().png().toBuffer(), "p");
  assertEquals([plain.width, plain.height, [...plain.data.subarray(0, 3)]], [12, 6, [255, 0, 0]]);
  const tiff = await decodeImage(await cornered().tiff({ compression: "lzw" }).toBuffer(), "p");
  assertEquals(tiff.data, plain.data);
  const avif = await decodeImage(await cornered().avif({ lossless: true }).toBuffer(), "p");
  assertEquals([avif.width, avif.height, avif.channels], [12, 6, 3]);
  const flat = { create: { width: 32, height: 16, channels: 3, background: "#c04020" } } as const;
  const cmyk = await sharp(flat).toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
  assertEquals((await sharp(cmyk).metadata()).channels, 4);
  const ink = await decodeImage(cmyk, "p");
  assertEquals([ink.width, ink.height, ink.channels], [32, 16, 3]);
  assert(ink.data[0] > 150 && ink.data[2] < 90, `${ink.data.subarray(0, 3)}`);
  const jpeg = await cornered().jpeg().withMetadata({ orientation: 6 }).toBuffer();
  for (const turned of [jpeg, withExif(await cornered().png().toBuffer(), 6)]) {
    const image = await decodeImage(turned, "p");
    assertEquals([image.width, image.height], [6, 12]);
    assertEquals(image.original, { width: 6, height: 12 });
    const small = await decodeImage(turned, "p", { size: { width: 3, height: 6 }, background: 0 });
    assertEquals([small.width, small.height], [3, 6]);
    const corner = [...small.data.subarray(6, 9)]; // the top left has gone to the top right
    assert(corner[0] > corner[2] + 10, `${corner}`);
  }
});

/** A PNG with an eXIf chunk after its header. */
function withExif(png: Uint8Array, orientation: number): Uint8Array {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation];
  const body = Uint8Array.from([...new TextEncoder().encode("eXIf"), ...tiff, 0, 0, 0, 0, 0, 0]);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, body.length - 4);
  ends.setUint32(4, crc32(body));
  const [length, sum] = [new Uint8Array(ends.buffer, 0, 4), new Uint8Array(ends.buffer, 4, 4)];
  return Uint8Array.from([...png.subarray(0, 33), ...length, ...body, ...sum, ...png.subarray(33)]);
}

Deno.test("decodeImage() shrinks photos as Pillow's Lanczos filter does, about", async () => {
  const wave = new Uint8Array(1600 * 1200 * 3);
  for (let i = 0; i < wave.length; i++) {
    const [x, y] = [Math.floor(i / 3) % 1600, Math.floor(i / 4800)];
    wave[i] = 128 + 100 * Math.sin(x / 150 + i % 3) * Math.cos(y / 110);
  }
  const jpeg = await sharp(wave, { raw: { width: 1600, height: 1200, channels: 3 } })
    .jpeg({ quality: 95 }).toBuffer();
  const size = { width: 64, height: 64 };
  const small = await decodeImage(jpeg, "p", { size, background: 0 });
  assertEquals([small.original, small.data.length], [{ width: 1600, height: 1200 }, 64 * 64 * 3]);
  for (let y = 0; y < 64; y += 9) {
    for (let x = 0; x < 64; x += 9) { // the middle 1200 x 1200, each pixel 18.75 wide
      const expected = 128 + 100 * Math.sin((200 + 18.75 * (x + 0.5)) / 150) *
          Math.cos(18.75 * (y + 0.5) / 110);
      assertLess(Math.abs(small.data[3 * (64 * y + x)] - expected), 8);
    }
  }
});

Deno.test("decodeImage() scales 16-bit values by range, and says the largest", async () => {
  const samples = Uint16Array.from({ length: 64 }, (_, i) => Math.min(4095, 65 * i));
  const png = await sharp(samples, { raw: { width: 8, height: 8, channels: 1 } })
    .toColourspace("grey16").png().toBuffer();
  assertEquals(readImageHeader(png, "p").depth, 16);
  const plain = await decodeImage(png, "p");
  assertEquals([plain.peak, plain.channels, Math.max(...plain.data)], [4095, 1, 16]);
  const scaled = await decodeImage(png, "p", { background: 0, range: [0, 4095] });
  const expected = Array.from(samples, (value) => Math.round(255 * value / 4095));
  assertLessOrEqual(largestDifference(scaled.data, Uint8Array.from(expected)), 0);
  const bytes = await decodeImage(await readFixture("gray8.png"), "p", {
    background: 0,
    range: [100, 101],
  });
  assert(bytes.data.every((value) => value === 0 || value === 255));
});

Deno.test("loadSharp() names versions; where there is no --allow-ffi it says so and pixels are alike", async () => {
  const { decoder, fallback } = await loadSharp();
  assert(/^sharp \d+\.\d+\.\d+, libvips \d+\.\d+\.\d+$/.test(decoder), decoder);
  assertEquals(fallback, undefined);
  const script = `
    import { decodeImage } from "./src/data/images/decode.ts";
    import { loadSharp } from "./src/data/images/sharp.ts";
    const bytes = Deno.readFileSync("fixtures/data/images/rgb.jpg");
    const { data } = await decodeImage(bytes, "p", { size: { width: 3, height: 2 }, background: 0 });
    console.log(JSON.stringify({ ...await loadSharp(), data: [...data] }));`;
  const root = new URL("../../", import.meta.url).pathname;
  const path = `${root}tests/data/.no_ffi.ts`;
  await Deno.writeTextFile(
    path,
    script.replaceAll('"./', `"${root}`).replace("fixtures", `${root}fixtures`),
  );
  try {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-check",
        "--allow-read",
        "--allow-env",
        "--allow-sys",
        path,
      ],
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert(stdout.length > 0, decode(stderr));
    const found = JSON.parse(decode(stdout));
    assertEquals(found.decoder, `${decoder}, WebAssembly`);
    assert(found.fallback.endsWith("Deno was not given --allow-ffi"), found.fallback);
    const native: DecodedImage = await decodeImage(await readFixture("rgb.jpg"), "p", {
      size: { width: 3, height: 2 },
      background: 0,
    });
    assertLessOrEqual(largestDifference(native.data, Uint8Array.from(found.data)), 2);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("decodeImage() never fails but by a UserError on random and mutated bytes", async () => {
  const extra = [
    new Uint8Array(await cornered().avif().toBuffer()),
    new Uint8Array(await cornered().tiff({ compression: "lzw" }).toBuffer()),
  ];
  const kinds = { png: /png$/, jpeg: /jpe?g$/, "gif and webp": /(gif|webp)$/, others: /^$/ };
  for (const [kind, ending] of Object.entries(kinds)) {
    const names = golden.images.map(({ file }) => file).filter((file) => ending.test(file));
    const files = kind === "others"
      ? extra
      : await Promise.all(names.map((file) => Deno.readFile(`${FIXTURES}/${file}`)));
    for (const fix of kind === "png" ? [withPngSums, undefined] : [undefined]) {
      const outcome = await fuzz(damagedBytes(files, fix), async (bytes) => {
        const size = { width: 4, height: 4 };
        const { data, channels } = await decodeImage(bytes, "p", { size, background: 0 });
        assertEquals(data.length, 16 * channels);
      }, { seed: 1, runs: 400, ...(kind === "others" ? { maxBytes: 3e9 } : {}) }); // AV1's frames
      const readable = kind === "jpeg" ? 25 : kind === "png" && !fix ? 0 : 5;
      assert(
        outcome.read >= readable && outcome.refused > 40,
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

Deno.test("decodeImage() reads a JPEG with arithmetic coding", async () => {
  const file = "arithmetic.jpg"; // by fixtures/data/make_arithmetic.py
  const bytes = await Deno.readFile(`${FIXTURES}/${file}`);
  assert(bytes.some((byte, i) => byte === 0xff && bytes[i + 1] === 0xc9), "it is not arithmetic");
  const header = readImageHeader(bytes, file);
  assertEquals([header.format, header.width, header.height], ["jpeg", 24, 16]);
  const { data } = await decodeImage(bytes, file);
  for (let pixel = 0; pixel < 24 * 16; pixel++) {
    const [x, y] = [pixel % 24, Math.floor(pixel / 24)];
    for (const [c, value] of [10 * x, 15 * y, 6 * (x + y)].entries()) {
      assertLessOrEqual(Math.abs(data[3 * pixel + c] - value), 12, `${x}, ${y}`);
    }
  }
});
