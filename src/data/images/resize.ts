/**
 * Brings images to a size: the middle is cut to the aspect ratio wanted, then made smaller by sharp's
 * Lanczos-3 filter, or larger by bicubic interpolation.
 *
 * When it enlarges, sharp's own `resize` places pixels by their corners, which moves an image by up to
 * half a pixel. Enlarging therefore goes through its affine transform, with the offset that keeps the
 * middle in the middle.
 */
import type { PixelImage } from "./raster.ts";
import { loadSharp } from "./sharp.ts";

/** Height and width in pixels. */
export interface PixelSize {
  height: number;
  width: number;
}

/** How images are resized, for records. */
export const RESIZER =
  "middle cut to the aspect ratio; smaller by Lanczos-3, larger by bicubic interpolation";

/** Pixels that are repeated around an image before it is enlarged; the bicubic filter reaches two. */
const MARGIN = 4;

/** Whether bringing an image to a size makes pixels up. */
export function isEnlarged(from: PixelSize, to: PixelSize): boolean {
  return to.width > from.width || to.height > from.height;
}

/**
 * The middle of an image, cut to the aspect ratio of a size and brought to that size.
 * @throws {RangeError} when `data` has another length than the raster's sizes say
 */
export async function cropAndResize(raster: PixelImage, size: PixelSize): Promise<PixelImage> {
  const { width, height, channels, data } = raster;
  if (data.length !== width * height * channels) {
    throw new RangeError(
      `Cannot resize an image of ${width} x ${height} x ${channels} channels: it has ` +
        `${data.length} bytes`,
    );
  }
  if (width === size.width && height === size.height) return raster;
  if (isEnlarged(raster, size)) return await enlarge(cropToAspect(raster, size), size);
  const { sharp } = await loadSharp();
  const pipeline = sharp(data, { raw: { width, height, channels } })
    .resize({ ...size, ...SHRINK });
  return await pixelsOf(pipeline, channels);
}

/** An image brought to a size without cutting, whatever becomes of its aspect ratio. */
export async function resizeToSize(raster: PixelImage, size: PixelSize): Promise<PixelImage> {
  const { width, height, channels, data } = raster;
  if (width === size.width && height === size.height) return raster;
  if (isEnlarged(raster, size)) return await enlarge(raster, size);
  const { sharp } = await loadSharp();
  const pipeline = sharp(data, { raw: { width, height, channels } })
    .resize({ ...size, fit: "fill", kernel: "lanczos3" });
  return await pixelsOf(pipeline, channels);
}

/** The options of sharp's `resize` for images that become smaller. */
export const SHRINK = { fit: "cover", position: "center", kernel: "lanczos3" } as const;

/** A part of an image. */
export interface ImagePart extends PixelSize {
  left: number;
  top: number;
}

/** The largest middle part of an aspect ratio, to the nearest pixel. */
export function cropToAspect(raster: PixelImage, aspect: PixelSize): PixelImage {
  return cropTo(raster, middlePart(raster, aspect));
}

/** Where the largest middle part of an aspect ratio lies, to the nearest pixel. */
export function middlePart({ width, height }: PixelSize, aspect: PixelSize): ImagePart {
  const scale = Math.min(width / aspect.width, height / aspect.height);
  const newWidth = Math.max(1, Math.round(aspect.width * scale));
  const newHeight = Math.max(1, Math.round(aspect.height * scale));
  const left = Math.floor((width - newWidth) / 2);
  const top = Math.floor((height - newHeight) / 2);
  return { left, top, width: newWidth, height: newHeight };
}

function cropTo(
  { width, height, channels, data }: PixelImage,
  part: ImagePart,
): PixelImage {
  if (part.width === width && part.height === height) return { width, height, channels, data };
  const row = part.width * channels;
  const cropped = new Uint8Array(part.height * row);
  for (let y = 0; y < part.height; y++) {
    const from = ((part.top + y) * width + part.left) * channels;
    cropped.set(data.subarray(from, from + row), y * row);
  }
  return { width: part.width, height: part.height, channels, data: cropped };
}

/** Output pixel j lies over input pixel (j + 0.5) / scale - 0.5, along both axes. */
async function enlarge(raster: PixelImage, size: PixelSize): Promise<PixelImage> {
  const { width, height, channels, data } = raster;
  const { sharp } = await loadSharp();
  const side = { top: MARGIN, bottom: MARGIN, left: MARGIN, right: MARGIN };
  const extended = await pixelsOf(
    sharp(data, { raw: { width, height, channels } }).extend({ ...side, extendWith: "copy" }),
    channels,
  );
  const x = axis(width, size.width);
  const y = axis(height, size.height);
  const raw = { width: extended.width, height: extended.height, channels };
  const affine = sharp(extended.data, { raw }).affine([[x.scale, 0], [0, y.scale]], {
    interpolator: "bicubic",
    odx: x.offset,
    ody: y.offset,
    background: { r: 0, g: 0, b: 0 },
  });
  const larger = await pixelsOf(affine, channels);
  return cropTo(larger, { left: x.first, top: y.first, ...size });
}

/** Where an axis of the enlarged image begins, and the shift that puts its pixels on whole places. */
function axis(from: number, to: number): { scale: number; first: number; offset: number } {
  const scale = to / from;
  const first = Math.round(MARGIN * scale);
  return { scale, first, offset: first - MARGIN * scale + (scale - 1) / 2 };
}

/** What comes out of a pipeline, with the channels that went in: sharp makes gray RGB by itself. */
async function pixelsOf(
  pipeline: import("sharp").Sharp,
  channels: PixelImage["channels"],
): Promise<PixelImage> {
  const space = channels === 1 ? pipeline.toColourspace("b-w") : pipeline;
  const { data, info } = await space.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (channels === 2) { // out of RGBA
    return { width, height, channels, data: pixels.filter((_, i) => i % 4 === 0 || i % 4 === 3) };
  }
  return { width, height, channels: info.channels as PixelImage["channels"], data: pixels };
}
