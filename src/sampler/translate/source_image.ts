/** Images that are given to `translate`: checked, and read as the model takes them, pixel by pixel. */
import { UserError } from "../../errors.ts";
import type { TranslatorInfo } from "./translator_info.ts";
import { mirrored } from "./tiles.ts";

/** An image to translate: rows of pixels from the top, channels together. `ImageData` and `Raster` are such. */
export interface TranslatedSource {
  /** Pixels a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Default: what `data` has a pixel. */
  readonly channels?: number;
  /** `height * width * channels` bytes. */
  readonly data: ArrayLike<number>;
}

/** A checked image. */
export interface SourceImage {
  width: number;
  height: number;
  channels: number;
  data: ArrayLike<number>;
  /** Whether a pixel is transparent. */
  isTransparent: boolean;
  /** What is done to its channels. */
  notes: string[];
}

/**
 * Checks an image.
 * @throws {UserError} where it is none
 */
export function readSourceImage(
  given: TranslatedSource,
  { input }: Pick<TranslatorInfo, "input">,
): SourceImage {
  const { width, height, data } = given ?? {};
  const isSide = (side: unknown) => Number.isInteger(side) && Number(side) > 0;
  const channels = given?.channels ?? data?.length / (width * height);
  const fits = isSide(width) && isSide(height) && [1, 2, 3, 4].includes(channels) &&
    data.length === width * height * channels;
  if (!fits) {
    throw new UserError(
      `Cannot translate an image of ${width} x ${height} pixels with ${data?.length} values: it takes ` +
        "{ width, height, data } of bytes with 1, 2, 3 or 4 channels",
    );
  }
  let isTransparent = false;
  if (channels % 2 === 0) {
    for (let at = channels - 1; at < data.length && !isTransparent; at += channels) {
      isTransparent = data[at] < 255;
    }
  }
  const notes: string[] = [];
  if (channels >= 3 && input.channels === 1) {
    notes.push("the model takes gray images: colors are made gray (Rec. 601 luma)");
  }
  if (channels < 3 && input.channels >= 3) {
    notes.push("the model takes colors: gray is given as red, green and blue alike");
  }
  if (isTransparent && input.channels < 4) {
    notes.push("the model knows no transparency: the result has that of the image");
  }
  return { width, height, channels, data, isTransparent, notes };
}

/** A part of an image, as the model takes it. */
export interface TilePart {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The share of red, green and blue in gray (Rec. 601). */
const LUMA = [0.299, 0.587, 0.114];

/**
 * Fills `out` with a part of an image; beyond its edges the image is reflected.
 * @param out `[channels, height, width]`, or with the channels last
 */
export function fillPart(
  out: Float32Array,
  image: SourceImage,
  part: TilePart,
  { input: { channels, range: [low, high] }, last }: Pick<TranslatorInfo, "input"> & {
    last: boolean;
  },
): void {
  const { data, channels: own } = image;
  const scale = (high - low) / 255;
  const area = part.width * part.height;
  const isGray = own < 3;
  for (let y = 0, pixel = 0; y < part.height; y++) {
    const row = mirrored(part.top + y, image.height) * image.width;
    for (let x = 0; x < part.width; x++, pixel++) {
      const from = (row + mirrored(part.left + x, image.width)) * own;
      for (let c = 0; c < channels; c++) {
        let value: number;
        if (c === 3) value = own % 2 === 0 ? data[from + own - 1] : 255;
        else if (isGray) value = data[from];
        else if (channels === 1) {
          value = LUMA[0] * data[from] + LUMA[1] * data[from + 1] + LUMA[2] * data[from + 2];
        } else value = data[from + c];
        out[last ? pixel * channels + c : c * area + pixel] = low + value * scale;
      }
    }
  }
}

/** The transparency of an image, enlarged with linear steps. @returns `[height * factor, width * factor]` */
export function enlargeAlpha(
  { data, width, height, channels }: SourceImage,
  factor: number,
): Uint8Array {
  const alpha = new Uint8Array(width * height * factor ** 2);
  const along = (at: number, size: number): [number, number, number] => {
    const position = Math.max(0, (at + 0.5) / factor - 0.5);
    const first = Math.min(Math.floor(position), size - 1);
    return [first, Math.min(first + 1, size - 1), position - first];
  };
  const at = (x: number, y: number) => data[(y * width + x) * channels + channels - 1];
  for (let y = 0, pixel = 0; y < height * factor; y++) {
    const [top, bottom, down] = along(y, height);
    for (let x = 0; x < width * factor; x++, pixel++) {
      const [left, right, across] = along(x, width);
      const upper = at(left, top) * (1 - across) + at(right, top) * across;
      const lower = at(left, bottom) * (1 - across) + at(right, bottom) * across;
      alpha[pixel] = Math.round(upper * (1 - down) + lower * down);
    }
  }
  return alpha;
}
