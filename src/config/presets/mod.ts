/** The presets by name. */
import { conditionalVariant } from "../conditional.ts";
import type { RunConfig } from "../types.ts";
import { UserError } from "../../errors.ts";
import { didYouMean } from "../nearest.ts";
import { dcgan } from "./dcgan.ts";
import { digits } from "./digits.ts";
import { fewImages } from "./few_images.ts";
import { type ImageShape, parseImageShape, square } from "./image_shape.ts";
import { grid2d, ring2d } from "./mixtures.ts";
import { isModelPreset, MODEL_PRESETS } from "./models/mod.ts";
import { r3gan } from "./r3gan.ts";
import { snganResnet, wganGpResnet } from "./resnets.ts";
import { stackedMnist } from "./stacked_mnist.ts";
import { cifarDcgan, mixture1d, mnistMlp, uniformToNormal } from "./tutorials.ts";

/** The preset that `deno task train` uses when none is named. */
export const DEFAULT_PRESET = "digits";

/** Presets that can be made for images of any shape, with the shape that they have by default. */
const SIZED: Readonly<Record<string, { make: (shape: ImageShape) => RunConfig; side: number }>> = {
  "dcgan": { make: (shape) => dcgan(shape), side: 64 },
  "sngan-resnet": { make: (shape) => snganResnet(shape), side: 32 },
  "wgan-gp-resnet": { make: (shape) => wganGpResnet(shape), side: 32 },
  "r3gan": { make: (shape) => r3gan(shape), side: 32 },
  "few-images": { make: (shape) => fewImages(shape), side: 64 },
};

/** The names of the presets that take a size, as in `dcgan@64`. */
export const SIZED_PRESETS: readonly string[] = Object.keys(SIZED);

/** The digits with a class to each: conditional batch norm and a projection discriminator. */
const digitsConditional: RunConfig = {
  ...conditionalVariant(digits),
  preset: "digits-conditional",
};

/** Every preset, by name. */
export const presets: Readonly<Record<string, RunConfig>> = Object.fromEntries(
  [
    digits,
    digitsConditional,
    mixture1d,
    uniformToNormal,
    mnistMlp,
    cifarDcgan,
    ring2d,
    grid2d,
    stackedMnist,
    ...Object.values(SIZED).map(({ make, side }) => make(square(side))),
  ].map((preset) => [preset.preset, preset]),
);

/**
 * A copy of a preset, for the caller to change.
 * @param name such as `digits`; presets of convolutions can be made for any shape, as in `dcgan@128`,
 * `dcgan@64x128` (height, width) or `r3gan@32x32x1` (one channel)
 * @throws {UserError} when there is no such preset, or it cannot be made for the shape
 */
export function presetConfig(name: string): RunConfig {
  const [family, shape] = name.split("@", 2);
  if (Object.hasOwn(presets, family)) {
    if (shape === undefined) return structuredClone(presets[family]);
    if (Object.hasOwn(SIZED, family)) return SIZED[family].make(parseImageShape(shape, family));
    throw new UserError(
      `Cannot make the preset ${family} for ${shape}: its networks have one size; those of any size are ` +
        `${SIZED_PRESETS.join(", ")}`,
    );
  }
  if (isModelPreset(family)) {
    throw new UserError(
      `Cannot make a GAN's config of the preset ${family}: it has several networks, which deno task train ` +
        `${family} trains, and trainModel() of the library (docs/models.md)`,
    );
  }
  const names = [...Object.keys(presets), ...MODEL_PRESETS];
  throw new UserError(
    `Cannot find the preset ${name}${didYouMean(family, names)}: there are ${names.join(", ")}; ` +
      "a config file's name ends in .json",
  );
}
