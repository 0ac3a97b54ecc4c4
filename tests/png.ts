/** Reads PNG files in tests, by another hand than the one that writes them. */
import sharp from "sharp";

/** The pixels of a PNG. */
export interface DecodedPng {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  /** `[height, width, channels]` */
  data: Uint8Array;
}

/** Decodes a PNG to 8-bit pixels, with the channels that the file has. */
export async function decodePng(bytes: Uint8Array): Promise<DecodedPng> {
  const image = sharp(bytes);
  const { space, channels } = await image.metadata();
  const isGray = space === "b-w";
  if (isGray && channels === 1) image.toColourspace("b-w");
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  const found = { width: info.width, height: info.height };
  if (!isGray || channels === 1) {
    return { ...found, channels: info.channels as 1 | 3 | 4, data: pixels };
  }
  const both = pixels.filter((_, i) => i % 4 === 0 || i % 4 === 3); // gray and alpha out of RGBA
  return { ...found, channels: 2, data: both };
}
