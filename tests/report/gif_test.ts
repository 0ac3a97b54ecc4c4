import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { decodePng } from "../png.ts";
import { animatedGif, gifOfFiles } from "../../src/report/gif.ts";
import { encodePng } from "../../src/raster/png.ts";
import type { RasterImage } from "../../src/raster/raster.ts";
import { decodeGif } from "./gif_decoder.ts";

function grayFrame(seed: number, side = 20): RasterImage {
  const data = Uint8Array.from(
    { length: side * side },
    (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
  );
  return { width: side, height: side, channels: 1, data };
}

function colorFrame(phase: number): RasterImage {
  const data = new Uint8Array(32 * 32 * 3);
  for (let i = 0; i < data.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % 32, Math.floor(i / 96), i % 3];
    data[i] = 127.5 + 120 * Math.sin(x / 9 + 2 * c + phase) * Math.cos(y / 11 - c);
  }
  return { width: 32, height: 32, channels: 3, data };
}

Deno.test("animatedGif() keeps gray levels exactly, with one palette and a long last frame", () => {
  const frames = [1, 2, 3].map((seed) => grayFrame(seed));
  const gif = decodeGif(animatedGif(frames));
  assertEquals([gif.width, gif.height, gif.repeat], [20, 20, 0]);
  assertEquals(gif.frames.map((frame) => frame.delayMs), [200, 200, 2000]);
  assertEquals(gif.frames.map((frame) => frame.hasOwnPalette), [false, false, false]);
  gif.frames.forEach(({ rgb }, f) => {
    assertEquals(rgb.filter((_, i) => i % 3 === 1), Uint8Array.from(frames[f].data));
  });
});

Deno.test("animatedGif() keeps colors near, in one shared palette", () => {
  const frames = [0, 1, 2, 3].map(colorFrame);
  const gif = decodeGif(animatedGif(frames, { delayMs: 50, lastDelayMs: 500 }));
  assertEquals(gif.frames.map((frame) => frame.delayMs), [50, 50, 50, 500]);
  assertEquals(gif.frames.some((frame) => frame.hasOwnPalette), false);
  gif.frames.forEach(({ rgb }, f) => {
    const meanError = rgb.reduce((sum, v, i) => sum + Math.abs(v - frames[f].data[i]), 0) /
      rgb.length;
    assertLess(meanError, 8);
  });
});

Deno.test("animatedGif() thins many frames but keeps the first and the last", () => {
  const frames = Array.from({ length: 100 }, (_, i) => ({
    width: 1,
    height: 1,
    channels: 1 as const,
    data: Uint8Array.of(i),
  }));
  const levels = decodeGif(animatedGif(frames, { maxFrames: 5 })).frames.map(({ rgb }) => rgb[0]);
  assertEquals(levels, [0, 25, 50, 74, 99]);
  assertEquals(decodeGif(animatedGif(frames, { maxFrames: 1 })).frames[0].rgb[0], 99);
});

Deno.test("animatedGif() refuses no frames and frames of different sizes", () => {
  assertThrows(() => animatedGif([]), RangeError, "Cannot make a GIF of 0 frames");
  assertThrows(
    () => animatedGif([grayFrame(1), grayFrame(1, 10)]),
    RangeError,
    "Cannot make a GIF of 20 x 20 pixels: frame 1 has 10 x 10",
  );
});

const decode = (file: Uint8Array): Promise<RasterImage> => decodePng(file);

Deno.test("gifOfFiles() makes the same GIF from files, and drops those of another size", async () => {
  const frames = [grayFrame(1), grayFrame(2)];
  const files = await Promise.all(frames.map(encodePng));
  const other = await encodePng(grayFrame(9, 10));
  assertEquals(await gifOfFiles([other, ...files], { decode }), animatedGif(frames));
  await assertRejects(
    () => gifOfFiles([], { decode }),
    RangeError,
    "Cannot make a GIF of 0 frames",
  );
});
