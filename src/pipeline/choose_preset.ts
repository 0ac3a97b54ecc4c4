/** Chooses a preset that fits data, for a run that names none. */
import { presetConfig } from "../config/presets/mod.ts";
import type { RunConfig } from "../config/types.ts";
import type { ImageFilesLook, OpenedLook } from "../data/look.ts";
import { UserError } from "../errors.ts";

/** What was chosen, and why. */
export interface ChosenPreset {
  config: RunConfig;
  /** As `deno task train` takes it. */
  name: string;
  /** What the data are that it fits. */
  reason: string;
}

/** Sides of images that presets are made for, as far as they train in hours rather than days. */
const SIDES = [64, 48, 32, 28, 24, 16, 12];

/** Which numbers of color images are few: a discriminator without help learns them by heart. */
const FEW_IMAGES = { min: 100, max: 3000 };

/** From this ratio of the longer to the shorter side on, images are not cut to squares. */
const LONG_RATIO = 1.6;

/**
 * Chooses a preset.
 * @throws {UserError} when no preset is for such data
 */
export function choosePreset(look: ImageFilesLook | OpenedLook): ChosenPreset {
  if (look.form === "opened" && look.data.kind === "points") return forPoints(look);
  const { height, width, channels, count, text } = imageFacts(look);
  const [h, w] = fittingSize(height, width, look.form === "opened");
  const shape = `${h === w && channels === 3 ? h : `${h}x${w}`}${
    channels === 3 ? "" : `x${channels}`
  }`;
  const isFew = channels === 3 && count >= FEW_IMAGES.min && count <= FEW_IMAGES.max;
  const name = `${isFew ? "few-images" : "dcgan"}@${shape}`;
  const config = presetConfig(name);
  const batch = fittingBatch(config.batchSize, count);
  const reason = isFew ? `${count} ${text}` : text;
  return { config: { ...config, batchSize: batch }, name, reason };
}

interface ImageFacts {
  height: number;
  width: number;
  channels: 1 | 3;
  count: number;
  text: string;
}

function imageFacts(look: ImageFilesLook | OpenedLook): ImageFacts {
  if (look.form === "opened") {
    const [height, width, depth] = look.data.shape;
    const channels = depth === 1 ? 1 : 3;
    const colors = channels === 1 ? "gray" : "color";
    const text = `${colors} images of ${width} x ${height} pixels`;
    return { height, width, channels, count: look.data.count, text };
  }
  const { headers } = look;
  const width = median(headers.map((header) => header.width));
  const height = median(headers.map((header) => header.height));
  const channels = headers.every((header) => header.channels <= 2) ? 1 : 3;
  const isOne = headers.every((header) => header.width === width && header.height === height);
  const text = `${channels === 1 ? "gray" : "color"} images of ${width} x ${height} pixels` +
    (isOne ? "" : " in the middle");
  return { height, width, channels, count: headers.length, text };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The largest size of the data's shape, of those that presets are made for. */
function fittingSize(height: number, width: number, isExact: boolean): [number, number] {
  if (isExact && isMade(height, width)) return [height, width];
  const short = Math.min(height, width);
  const side = SIDES.find((side) => side <= short && isMade(side, side)) ?? SIDES.at(-1)!;
  if (Math.max(height, width) < LONG_RATIO * short) return [side, side];
  const [tall, wide] = height > width ? [2 * side, side] : [side, 2 * side];
  return isMade(tall, wide) ? [tall, wide] : [side, side];
}

function isMade(height: number, width: number): boolean {
  if (Math.max(height, width) > 2 * SIDES[0]) return false;
  try {
    presetConfig(`dcgan@${height}x${width}`);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** The preset's batch, or less where there are few samples. */
function fittingBatch(batch: number, count: number): number {
  return count >= 4 * batch
    ? batch
    : Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, count / 4))));
}

function forPoints({ data }: OpenedLook): ChosenPreset {
  const dimension = data.sampleSize;
  const text = `points in ${dimension}-D`;
  const name = dimension === 1 ? "mixture-1d" : "ring-2d";
  const config = presetConfig(name);
  const batch = fittingBatch(config.batchSize, data.count);
  if (dimension > 2) {
    config.discriminator.inputShape = [dimension];
    config.generator.layers[config.generator.layers.length - 1] = {
      type: "dense",
      units: dimension,
    };
    return {
      config: { ...config, batchSize: batch },
      name,
      reason: `${text}, its networks widened`,
    };
  }
  return { config: { ...config, batchSize: batch }, name, reason: text };
}
