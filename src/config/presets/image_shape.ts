/** Sizes of pictures that presets can be made for, as in `dcgan@64` or `r3gan@48x64x1`. */
import { type DataSpec, shortSize } from "../data.ts";
import { UserError } from "../../errors.ts";

/** The pictures that a preset is made for. */
export interface ImageShape {
  height: number;
  width: number;
  /** 1 for grey, 3 for RGB. */
  channels: 1 | 3;
}

/** How networks of convolutions get from a few pixels to a picture: by doubling. */
export interface Growth {
  /** Height and width at the start. */
  base: [number, number];
  /** How often both double. */
  doublings: number;
}

/** The smallest side to start from. */
const SMALLEST_BASE = 3;
const LARGEST_SIDE = 1024;

/** A square picture in colours. */
export function square(side: number): ImageShape {
  return { height: side, width: side, channels: 3 };
}

/**
 * Reads `64`, `48x64` or `48x64x1`: height, width and channels; a single number is a square.
 * @param preset names it in the message
 * @throws {UserError} when it is none of them
 */
export function parseImageShape(text: string, preset: string): ImageShape {
  const match = /^(\d+)(?:x(\d+)(?:x([13]))?)?$/.exec(text);
  if (!match) {
    throw new UserError(
      `Cannot make the preset ${preset} for ${text}: expected a side, as in ${preset}@64, or height x ` +
        `width, with 1 or 3 channels, as in ${preset}@48x64 or ${preset}@32x32x1`,
    );
  }
  const height = Number(match[1]);
  const width = Number(match[2] ?? match[1]);
  const channels = match[3] === "1" ? 1 : 3;
  return { height, width, channels };
}

/**
 * The least start of a picture that is 3 pixels or more on each side, and how often it doubles.
 * @param least doublings that the networks need
 * @throws {UserError} when the sides cannot be halved that often
 */
export function growthOf({ height, width }: ImageShape, preset: string, least: number): Growth {
  let [base, doublings]: [[number, number], number] = [[height, width], 0];
  while (base.every((side) => side % 2 === 0 && side / 2 >= SMALLEST_BASE)) {
    base = [base[0] / 2, base[1] / 2];
    doublings++;
  }
  if (doublings < least || Math.max(height, width) > LARGEST_SIDE || Math.min(...base) > 7) {
    throw new UserError(
      `Cannot make the preset ${preset} for ${height} x ${width}: its networks halve both sides down to ` +
        `3 to 7 pixels, ${least} times or more; use powers of two such as 32 x 32 or 64 x 128, or 3, 5, ` +
        `7 times one, up to ${LARGEST_SIDE}`,
    );
  }
  return { base, doublings };
}

/** Pictures from a folder, brought to a shape. */
export function imageFolder({ height, width, channels }: ImageShape): DataSpec {
  return { source: "images", size: shortSize([height, width]), channels };
}

/** CIFAR-10 where the shape is its own, else pictures from a folder. */
export function cifarOrFolder(shape: ImageShape): DataSpec {
  const isCifar = shape.height === 32 && shape.width === 32 && shape.channels === 3;
  return isCifar ? { source: "cifar-10" } : imageFolder(shape);
}
