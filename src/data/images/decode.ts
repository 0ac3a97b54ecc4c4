/**
 * Decodes one image to 8-bit pixels of the size and channels asked for: turned by its EXIF orientation,
 * colors brought to sRGB, transparency laid on a background or kept, the middle cut out and resized.
 * JPEG and WebP are made smaller while they are decoded, so that a large photo costs little.
 */
import { UserError } from "../../errors.ts";
import { type ImageHeader, maxPixels, readImageHeader } from "./image_header.ts";
import { type ImageChannels, type PixelImage, toChannels } from "./raster.ts";
import { cropAndResize, isEnlarged, middlePart, type PixelSize, SHRINK } from "./resize.ts";
import { loadSharp } from "./sharp.ts";

/** The formats that can be decoded. */
export const READABLE_FORMATS = ["jpeg", "png", "webp", "gif", "avif", "tiff"] as const;

/** What an image is to become. */
export interface DecodeOptions {
  /** Pixels to which the middle, cut to their aspect ratio, is resized. Default: as it is. */
  size?: PixelSize;
  /** 1 gray, 3 RGB, 4 RGB and alpha. Default: gray images 1, others 3. */
  channels?: ImageChannels;
  /** The gray level behind transparent pixels, 0 to 255, where alpha is not kept. */
  background: number;
  /** The values that become 0 and 255, in the file's own units. Default: all that its depth can hold. */
  range?: readonly [number, number];
}

/** A decoded image, and what it was. */
export interface DecodedImage extends PixelImage {
  channels: ImageChannels;
  /** Its size in the file, after it was turned. */
  original: PixelSize;
  /** The largest value of a 16-bit image, from 0 to 65535. */
  peak?: number;
}

/**
 * Decodes a JPEG, PNG, WebP, GIF (its first frame), AVIF or TIFF (its first page).
 * @param origin names it in messages
 * @throws {UserError} when it is no image, truncated or damaged
 */
export async function decodeImage(
  bytes: Uint8Array,
  origin: string,
  options: DecodeOptions = { background: 255 },
): Promise<DecodedImage> {
  const header = readImageHeader(bytes, origin);
  const { sharp } = await loadSharp();
  try {
    // Harmless faults, such as an unknown profile, are passed over; lost pixels are not.
    const pipeline = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels(header) });
    return await decodeWith(pipeline, header, options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UserError(`Cannot read ${origin}: it is damaged (${lastLine(error.message)})`, {
      cause: error,
    });
  }
}

async function decodeWith(
  pipeline: import("sharp").Sharp,
  header: ImageHeader,
  { size, channels, background, range }: DecodeOptions,
): Promise<DecodedImage> {
  const facts = await imageFacts(pipeline, header, size);
  const { isGray, isDeep, original } = facts;
  pipeline.autoOrient();
  if (channels === 4) pipeline.ensureAlpha();
  else pipeline.flatten({ background: { r: background, g: background, b: background } });
  const shrinks = size !== undefined && !isEnlarged(original, size);
  if (shrinks) pipeline.resize({ ...size, ...SHRINK });
  else if (size) pipeline.extract(middlePart(original, size)); // what is cut away is not held
  const gray = isGray && channels !== 4;
  if (isDeep) pipeline.toColourspace(gray ? "grey16" : "rgb16");
  else if (gray) pipeline.toColourspace("b-w");
  const { data, info } = await pipeline.raw({ depth: isDeep ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { pixels, peak } = toBytes(data, isDeep, range);
  const decoded: PixelImage = {
    width: info.width,
    height: info.height,
    channels: info.channels as PixelImage["channels"],
    data: pixels,
  };
  const sized = size === undefined || shrinks ? decoded : await cropAndResize(decoded, size);
  const own = decoded.channels <= 2 ? 1 : 3;
  return {
    ...toChannels(sized, channels ?? own),
    original,
    ...(peak === undefined ? {} : { peak }),
  };
}

interface ImageFacts {
  isGray: boolean;
  /** Whether samples have 16 bits. */
  isDeep: boolean;
  original: PixelSize;
}

/** What has to be known of an image before it is decoded; libvips is asked only where it matters. */
async function imageFacts(
  pipeline: import("sharp").Sharp,
  header: ImageHeader,
  size: PixelSize | undefined,
): Promise<ImageFacts> {
  const { width, height, channels, depth } = header;
  if (width !== undefined && height !== undefined && channels !== undefined) {
    const upright = { width, height };
    const turned = { width: height, height: width };
    const isSure = size === undefined || width === height ||
      (!isEnlarged(upright, size) && !isEnlarged(turned, size));
    const isGray = channels <= 2;
    if (isSure && size !== undefined) return { isGray, isDeep: depth === 16, original: upright };
  }
  const found = await pipeline.metadata();
  return {
    isGray: found.space === "b-w" || found.space === "grey16",
    isDeep: found.depth === "ushort",
    original: found.autoOrient,
  };
}

/** Bytes of what libvips gave: bytes, or 16-bit numbers of this machine. */
function toBytes(
  data: Uint8Array,
  isDeep: boolean,
  range: readonly [number, number] | undefined,
): { pixels: Uint8Array; peak?: number } {
  if (!isDeep) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    if (!range) return { pixels: bytes };
    const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => scaled(value, range));
    return { pixels: bytes.map((value) => table[value]) };
  }
  const aligned = data.byteOffset % 2 === 0 ? data : data.slice();
  const values = new Uint16Array(aligned.buffer, aligned.byteOffset, data.length / 2);
  let peak = 0;
  for (const value of values) if (value > peak) peak = value;
  const pixels = new Uint8ClampedArray(values.length); // rounds
  for (let i = 0; i < values.length; i++) {
    pixels[i] = range ? scaled(values[i], range) : values[i] / 257;
  }
  return { pixels: new Uint8Array(pixels.buffer), peak };
}

function scaled(value: number, [low, high]: readonly [number, number]): number {
  return 255 * (value - low) / (high - low);
}

function lastLine(message: string): string {
  return message.split("\n").map((line) => line.trim()).filter(Boolean).at(-1) ?? "no reason given";
}
