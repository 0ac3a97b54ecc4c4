/**
 * Decodes a picture: PNG by our own reader, JPEG, WebP and GIF by Deno's. Deno 2.9 hands out pixels
 * only by encoding them again, so they go through an uncompressed BMP.
 */
import { UserError } from "../../errors.ts";
import { readImageHeader } from "./image_header.ts";
import { decodePng } from "./png_reader.ts";
import type { Raster } from "./raster.ts";

/** The endings of files that can be decoded. */
export const IMAGE_EXTENSIONS = [".jpg", ".jpeg", ".png", ".webp", ".gif"] as const;

/**
 * Decodes a JPEG, PNG, WebP or GIF (its first frame). JPEG is turned by its EXIF orientation.
 * @param origin names it in messages
 * @throws {UserError} when it is no picture, truncated or damaged
 */
export async function decodeImage(bytes: Uint8Array, origin: string): Promise<Raster> {
  const { format } = readImageHeader(bytes, origin);
  if (format === "png") return decodePng(bytes, origin);
  let bmp: Uint8Array;
  try {
    bmp = await reencodeAsBmp(bytes);
  } catch (error) {
    const detail = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UserError(`Cannot read ${origin}: it is damaged (${detail})`, { cause: error });
  }
  return readBmp(bmp);
}

async function reencodeAsBmp(bytes: Uint8Array): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
  const blob = await canvas.convertToBlob({ type: "image/bmp" });
  return new Uint8Array(await blob.arrayBuffer());
}

/** Reads the three kinds of BMP that Deno writes: a grey palette, BGR, and BGRA. */
function readBmp(bmp: Uint8Array): Raster {
  const view = new DataView(bmp.buffer, bmp.byteOffset, bmp.length);
  const start = view.getUint32(10, true);
  const width = view.getInt32(18, true);
  const height = view.getInt32(22, true); // positive: the bottom row comes first
  const channels = view.getUint16(28, true) / 8 as 1 | 3 | 4;
  const rowBytes = Math.ceil(width * channels / 4) * 4;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    const row = start + (height - 1 - y) * rowBytes;
    if (channels === 1) {
      data.set(bmp.subarray(row, row + width), to);
      to += width;
      continue;
    }
    for (let from = row; from < row + width * channels; from += channels, to += channels) {
      data[to] = bmp[from + 2];
      data[to + 1] = bmp[from + 1];
      data[to + 2] = bmp[from];
      if (channels === 4) data[to + 3] = bmp[from + 3];
    }
  }
  return { width, height, channels, data };
}
