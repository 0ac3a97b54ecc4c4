/** Sizes of images that presets can be made for, as in `dcgan@64` or `r3gan@48x64x1`. */
import { type DataSpec, shortSize } from "../data.ts";
import { UserError } from "../../errors.ts";

/** The images that a preset is made for. */
export interface ImageShape {
  height: number;
  width: number;
  /** 1 for gray, 3 for RGB, 4 for RGB and alpha. */
  channels: 1 | 3 | 4;
}

/** How networks of convolutions get from a few pixels to an image: by doubling. */
export interface Growth {
  /** Height and width at the start. */
  base: [number, number];
  /** How often both double. */
  doublings: number;
}

/** The smallest side to start from. */
const MIN_BASE = 3;
const MAX_BASE = 7;
const MAX_SIDE = 1024;

/** A square color image. */
export function square(side: number): ImageShape {
  return { height: side, width: side, channels: 3 };
}

/**
 * Reads `64`, `48x64` or `48x64x1`: height, width and channels; a single number is a square.
 * @param preset names it in the message
 * @throws {UserError} when it is none of them
 */
export function parseImageShape(text: string, preset: string): ImageShape {
  const match = /^(\d+)(?:x(\d+)(?:x([134]))?)?$/.exec(text);
  if (!match) {
    throw new UserError(
      `Cannot make the preset ${preset} for ${text}: expected a side, as in ${preset}@64, or height x ` +
        `width, with 1, 3 or 4 channels, as in ${preset}@48x64 or ${preset}@32x32x1`,
    );
  }
  const height = Number(match[1]);
  const width = Number(match[2] ?? match[1]);
  const channels = Number(match[3] ?? 3) as 1 | 3 | 4;
  return { height, width, channels };
}

/**
 * The smallest start of an image that has 3 pixels or more on each side, and how often it doubles.
 * @param minDoublings that the networks need
 * @throws {UserError} when the sides cannot be halved that often
 */
export function growthOf(
  { height, width }: ImageShape,
  preset: string,
  { minDoublings }: { minDoublings: number },
): Growth {
  let base: [number, number] = [height, width];
  let doublings = 0;
  while (base.every((side) => side % 2 === 0 && side / 2 >= MIN_BASE)) {
    base = [base[0] / 2, base[1] / 2];
    doublings++;
  }
  const isTooLarge = Math.max(height, width) > MAX_SIDE || Math.min(...base) > MAX_BASE;
  if (doublings < minDoublings || isTooLarge) {
    throw new UserError(
      `Cannot make the preset ${preset} for ${height} x ${width}: its networks halve both sides down to ` +
        `${MIN_BASE} to ${MAX_BASE} pixels, ${minDoublings} times or more; use powers of two such as ` +
        `32 x 32 or 64 x 128, or 3, 5, 7 times one, up to ${MAX_SIDE}`,
    );
  }
  return { base, doublings };
}

/** Images from a folder, resized to a shape. */
export function imageFolder({ height, width, channels }: ImageShape): DataSpec {
  return { source: "images", size: shortSize([height, width]), channels };
}

/** CIFAR-10 where the shape is its own, else images from a folder. */
export function cifarOrFolder(shape: ImageShape): DataSpec {
  const isCifar = shape.height === 32 && shape.width === 32 && shape.channels === 3;
  return isCifar ? { source: "cifar-10" } : imageFolder(shape);
}
