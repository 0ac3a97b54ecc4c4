import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { inflateSync } from "node:zlib";
import { encodePng, type PngImage } from "../../src/raster/png.ts";

/** A decoder of the test's own, from the specification: chunks, zlib, filters. */
function decode(file: Uint8Array): { ihdr: number[]; data: Uint8Array; chunks: string[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks: string[] = [];
  let ihdr: number[] = [];
  let packed = new Uint8Array(0);
  for (let at = 8; at < file.length;) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = file.slice(at + 8, at + 8 + size);
    chunks.push(type);
    if (type === "IHDR") ihdr = [view.getUint32(at + 8), view.getUint32(at + 12), ...body.slice(8)];
    if (type === "IDAT") packed = body;
    at += 12 + size;
  }
  const [width, height, , color] = ihdr;
  const channels = { 0: 1, 4: 2, 2: 3, 6: 4 }[color]!;
  const stride = width * channels;
  const raw = inflateSync(packed);
  assertEquals(raw.length, height * (stride + 1));
  const data = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let i = 0; i < stride; i++) {
      const at = y * stride + i;
      const a = i < channels ? 0 : data[at - channels];
      const b = y === 0 ? 0 : data[at - stride];
      const c = i < channels || y === 0 ? 0 : data[at - stride - channels];
      const p = a + b - c;
      const nearest = [a, b, c].sort((u, v) => Math.abs(p - u) - Math.abs(p - v))[0];
      const guess = [0, a, b, (a + b) >> 1, nearest][filter];
      data[at] = raw[y * (stride + 1) + 1 + i] + guess;
    }
  }
  return { ihdr, data, chunks };
}

Deno.test("encodePng() gives back the same pixels for random images of every kind", async () => {
  const images = fc.record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
    smooth: fc.boolean(),
    seed: fc.integer({ min: 0, max: 255 }),
  });
  await checkProperty(
    fc.asyncProperty(images, async ({ width, height, channels, smooth, seed }) => {
      const data = Uint8Array.from(
        { length: width * height * channels },
        (_, i) => smooth ? seed + i : (seed + 1) * (i + 3) * 97 ^ (i * i),
      );
      const { ihdr, data: back } = decode(await encodePng({ width, height, channels, data }));
      assertEquals(ihdr, [width, height, 8, { 1: 0, 2: 4, 3: 2, 4: 6 }[channels], 0, 0, 0]);
      assertEquals(back, data);
    }),
    { numRuns: 60, seed: 4 },
  );
});

Deno.test("encodePng() writes a file that the platform's decoder reads", async () => {
  for (const channels of [1, 3, 4] as const) {
    const data = Uint8Array.from(
      { length: 5 * 3 * channels },
      (_, i) => channels === 4 && i % 4 === 3 ? 255 : i * 7,
    );
    const file = await encodePng({ width: 5, height: 3, channels, data });
    const bitmap = await createImageBitmap(new Blob([file], { type: "image/png" }));
    assertEquals([bitmap.width, bitmap.height], [5, 3]);
    bitmap.close();
  }
});

Deno.test("encodePng() checks its chunks with the specification's CRC", async () => {
  const file = await encodePng({ width: 1, height: 1, channels: 1, data: new Uint8Array(1) });
  assertEquals([...file.slice(-12)], [0, 0, 0, 0, 73, 69, 78, 68, 0xae, 0x42, 0x60, 0x82]);
});

Deno.test("encodePng() filters rows, so that a gradient packs far below its size", async () => {
  const data = Uint8Array.from({ length: 256 * 64 }, (_, i) => (i % 256 + (i >> 8)) & 255);
  const file = await encodePng({ width: 256, height: 64, channels: 1, data });
  assert(file.length < data.length / 20, `${file.length} bytes for ${data.length}`);
});

Deno.test("encodePng() writes Latin-1 text as tEXt and other text as iTXt", async () => {
  const image: PngImage = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) };
  const file = await encodePng({ ...image, text: { seed: "7", Title: "ζ ∈ latent" } });
  assertEquals(decode(file).chunks, ["IHDR", "tEXt", "iTXt", "IDAT", "IEND"]);
  const raw = new TextDecoder("latin1").decode(file);
  assert(raw.includes("tEXtseed\x007"));
  assert(new TextDecoder().decode(file).includes("Title\0\0\0\0\0ζ ∈ latent"));
});

Deno.test("encodePng() refuses sizes, lengths and keywords that make no file", async () => {
  const good: PngImage = { width: 2, height: 2, channels: 3, data: new Uint8Array(12) };
  await assertRejects(
    () => encodePng({ ...good, data: new Uint8Array(11) }),
    RangeError,
    "Cannot write a PNG of 2 x 2 x 3 channels from 11 bytes: it needs 12",
  );
  await assertRejects(() => encodePng({ ...good, width: 0 }), RangeError, "width 0: it takes 1 to");
  await assertRejects(() => encodePng({ ...good, height: 1.5 }), RangeError, "height 1.5");
  await assertRejects(
    () => encodePng({ ...good, channels: 5 as 4 }),
    RangeError,
    "Cannot write a PNG of 5 channels: it takes 1, 2, 3 or 4",
  );
  await assertRejects(
    () => encodePng({ ...good, text: { "": "x" } }),
    TypeError,
    'Cannot write the PNG keyword "": it takes 1 to 79 Latin-1 letters',
  );
});
