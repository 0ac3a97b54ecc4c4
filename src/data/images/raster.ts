/** Images of 8-bit pixels in memory, and their conversion between gray and RGB. */

/** An image, rows from the top, channels interleaved. */
export interface PixelImage {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha (not premultiplied). */
  channels: 1 | 2 | 3 | 4;
  /** `[height, width, channels]` */
  data: Uint8Array;
}

/** How many channels the images of a data set have: gray, RGB, or RGB and alpha. */
export type ImageChannels = 1 | 3 | 4;

/**
 * An image as gray (1), RGB (3) or RGBA (4). Alpha is dropped where it is not wanted, so transparent
 * images have to be flattened before; where it is missing it becomes opaque.
 */
export function toChannels<C extends ImageChannels>(
  raster: PixelImage,
  channels: C,
): PixelImage & { channels: C } {
  const { width, height, data, channels: from } = raster;
  if (from === channels) return raster as PixelImage & { channels: C };
  const isGray = from <= 2;
  const converted = new Uint8Array(width * height * channels);
  for (let at = 0, to = 0; at < data.length; at += from, to += channels) {
    if (channels === 1) {
      // ITU-R BT.601 luma in 16-bit fixed point, as Pillow's "L"
      converted[to] = isGray
        ? data[at]
        : (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 0x8000) >> 16;
      continue;
    }
    converted[to] = data[at];
    converted[to + 1] = data[isGray ? at : at + 1];
    converted[to + 2] = data[isGray ? at : at + 2];
    if (channels === 4) converted[to + 3] = from % 2 === 0 ? data[at + from - 1] : 255;
  }
  return { width, height, channels, data: converted };
}
