/**
 * What keeps a game going, as data: transforms and noise on what the discriminator sees, packing, and
 * what to do when numbers blow up. Formulas and sources are in src/objectives and docs/objectives.md.
 */
import { z } from "zod";

/**
 * A transform, or a group of them. DiffAugment's: `color` (brightness, saturation and contrast),
 * `translation`, `cutout` (a grey square). ADA's: `flip` (left and right), `rotate` (quarter turns, of
 * squares), `brightness`, `contrast`, `luma-flip`, `hue` and `saturation` (of colours). Fakes come out
 * transformed too where data never are: `flip`, `rotate`, `luma-flip` and `hue` at a chance near 1 teach G
 * pictures that are turned round, so they are for data that allow it, or for a chance that adapts.
 */
export type AugmentPolicy =
  | "color"
  | "translation"
  | "cutout"
  | "flip"
  | "rotate"
  | "brightness"
  | "contrast"
  | "luma-flip"
  | "hue"
  | "saturation";

/** Every {@linkcode AugmentPolicy}. */
export const AUGMENT_POLICIES: readonly [AugmentPolicy, ...AugmentPolicy[]] = [
  "color",
  "translation",
  "cutout",
  "flip",
  "rotate",
  "brightness",
  "contrast",
  "luma-flip",
  "hue",
  "saturation",
];

/** Random transforms of reals and fakes in both players' updates. Images only. */
export interface AugmentSpec {
  /** Applied in this order. */
  policies: AugmentPolicy[];
  /**
   * The chance of each policy for each sample. Default 1, which is DiffAugment (Zhao et al. 2020); with
   * `adaptive` it is where the chance starts, and 0 by default.
   */
  probability?: number;
  /** Moves the chance by how sure D is of the reals (Karras et al. 2020, section 3). */
  adaptive?: AdaptiveSpec;
}

/** How the chance of {@linkcode AugmentSpec.adaptive} moves. */
export interface AdaptiveSpec {
  /** The mean sign of D's verdicts on reals to hold; above it the chance grows. Default 0.6. */
  target?: number;
  /** Steps between two moves. Default 4. */
  everySteps?: number;
  /** Real samples in which the chance can go from 0 to 1. Default 500,000. */
  speedImages?: number;
}

/** N(0, sigma^2) noise on all that the discriminator sees (Sonderby et al. 2017). */
export interface InstanceNoiseSpec {
  /** Its standard deviation at the start. */
  sigma: number;
  /** The noise falls linearly to nothing over so many steps. Default: it stays. */
  decaySteps?: number;
}

/** What happens when a number is not finite, or a player's weights explode. */
export interface DivergenceSpec {
  /** How often a run may go back to its last good state. */
  retries: number;
  /** What the learning rates are multiplied by each time. */
  factor: number;
  /**
   * Weights have exploded when their root mean square is more than so many times what it was in the
   * last good state, or than 1 where it was smaller. Default 100.
   */
  growth?: number;
}

const steps = z.number().int().positive();

/** Checks an {@linkcode AugmentSpec}. */
export const augmentSchema: z.ZodType<AugmentSpec> = z.strictObject({
  policies: z.array(z.enum(AUGMENT_POLICIES)).min(1),
  probability: z.number().min(0).max(1).optional(),
  adaptive: z.strictObject({
    target: z.number().gt(-1).lt(1).optional(),
    everySteps: steps.optional(),
    speedImages: z.number().positive().optional(),
  }).optional(),
});

/** Checks an {@linkcode InstanceNoiseSpec}. */
export const instanceNoiseSchema: z.ZodType<InstanceNoiseSpec> = z.strictObject({
  sigma: z.number().positive(),
  decaySteps: steps.optional(),
});

/** Checks a {@linkcode DivergenceSpec}. */
export const divergenceSchema: z.ZodType<DivergenceSpec> = z.strictObject({
  retries: z.number().int().min(0).max(100),
  factor: z.number().gt(0).lt(1),
  growth: z.number().gt(1).optional(),
});
