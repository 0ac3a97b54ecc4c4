/**
 * Animated GIFs of training: one frame after another, all in one shared palette so that colors do
 * not flicker, the last held longer.
 */
import gifenc from "gifenc";
import { Raster, type RasterImage } from "../raster/raster.ts";

/** The part of gifenc that is used; the package brings no types. */
interface Gifenc {
  GIFEncoder(): {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: { palette?: number[][]; delay: number; repeat: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array<ArrayBuffer>;
  };
  quantize(rgba: Uint8ClampedArray, colors: number, options: { format: "rgb444" }): number[][];
  applyPalette(rgba: Uint8ClampedArray, palette: number[][], format: "rgb444"): Uint8Array;
}

const { GIFEncoder, quantize, applyPalette } = gifenc as unknown as Gifenc;

/** How {@linkcode animatedGif} plays. */
export interface GifOptions {
  /** Milliseconds that a frame shows; in steps of 10. Default 200. */
  delayMs?: number;
  /** Milliseconds that the last frame shows. Default 2000. */
  lastDelayMs?: number;
  /** With more frames than this, evenly spaced ones are taken, the first and last always. Default 60. */
  maxFrames?: number;
}

/**
 * Makes a GIF that repeats for ever. Gray frames keep their exact levels; colors share a palette of 256
 * that is chosen from a sample of all frames.
 * @param frames at least one, all of one size and number of channels
 * @throws {RangeError} if there is no frame or one differs in size from the first
 */
export function animatedGif(
  frames: readonly RasterImage[],
  options: GifOptions = {},
): Uint8Array<ArrayBuffer> {
  const shown = spacedOut(frames, options.maxFrames ?? 60);
  if (shown.length === 0) throw new RangeError("Cannot make a GIF of 0 frames: it takes 1 or more");
  const { width, height } = shown[0];
  shown.forEach((frame, i) => {
    if (frame.width === width && frame.height === height) return;
    throw new RangeError(
      `Cannot make a GIF of ${width} x ${height} pixels: frame ${i} has ${frame.width} x ` +
        `${frame.height}`,
    );
  });
  const encoder = GIFEncoder();
  const gray = shown.every((frame) => frame.channels === 1);
  const palette = gray
    ? Array.from({ length: 256 }, (_, level) => [level, level, level])
    : sharedPalette(shown);
  shown.forEach((frame, i) => {
    const index = gray
      ? Uint8Array.from(frame.data)
      : applyPalette(new Raster(frame).toRgba(), palette, "rgb444");
    const last = i === shown.length - 1;
    encoder.writeFrame(index, width, height, {
      palette: i === 0 ? palette : undefined, // later frames use the first one's
      delay: last ? options.lastDelayMs ?? 2000 : options.delayMs ?? 200,
      repeat: 0,
    });
  });
  encoder.finish();
  return encoder.bytes();
}

/**
 * Makes the GIF of a run from its image files, of which only those that become frames are decoded. Files
 * of another size than the last, such as those of a session with another grid, are left out.
 * @param files encoded images, in order
 * @param options.decode decodes a file; the index is that of the frame
 * @throws {RangeError} if there are none
 */
export async function gifOfFiles(
  files: readonly Uint8Array[],
  options: GifOptions & { decode: (file: Uint8Array, index: number) => Promise<RasterImage> },
): Promise<Uint8Array<ArrayBuffer>> {
  const frames = await Promise.all(
    spacedOut(files, options.maxFrames ?? 60).map(options.decode),
  );
  const last = frames.at(-1);
  const alike = frames.filter((frame) =>
    frame.width === last?.width && frame.height === last.height
  );
  return animatedGif(alike, options);
}

/** At most `max` items, evenly spaced, with the first and the last. */
function spacedOut<T>(items: readonly T[], max: number): readonly T[] {
  if (items.length <= max) return items;
  if (max < 2) return items.slice(-1);
  return Array.from(
    { length: max },
    (_, i) => items[Math.round(i * (items.length - 1) / (max - 1))],
  );
}

/** Pixels that the palette is chosen from. */
const PALETTE_SAMPLE = 200_000;

/** 256 colors for all frames; rgb444 halves the time of rgb565 and nobody sees the difference here. */
function sharedPalette(frames: readonly RasterImage[]): number[][] {
  const pixels = frames[0].width * frames[0].height;
  const each = Math.min(pixels, Math.ceil(PALETTE_SAMPLE / frames.length));
  const sample = new Uint8ClampedArray(4 * each * frames.length);
  frames.forEach((frame, f) => {
    const rgba = new Raster(frame).toRgba();
    for (let i = 0; i < each; i++) {
      const from = 4 * Math.floor(i * pixels / each);
      sample.set(rgba.subarray(from, from + 4), 4 * (f * each + i));
    }
  });
  return quantize(sample, 256, { format: "rgb444" });
}
