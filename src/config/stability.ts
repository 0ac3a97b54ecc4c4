/**
 * What keeps training stable, as data: transforms of and noise on what the discriminator sees, and what to
 * do when values explode. Formulas and sources are in src/objectives and docs/objectives.md.
 */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type {
  AdaptiveSpec,
  AugmentPolicy,
  AugmentSpec,
  DivergenceSpec,
  InstanceNoiseSpec,
} from "./types.ts";

const steps = z.number().int().positive();

const POLICY_MEANINGS = {
  "color": "DiffAugment's brightness, saturation and contrast",
  "translation": "DiffAugment's shift of up to an eighth of a side",
  "cutout": "DiffAugment's gray square of half a side",
  "flip": "ADA's flip, left and right",
  "rotate": "ADA's quarter turns, of square images",
  "scale": "ADA's isotropic scale, 2^N(0, 0.2^2), reflected at the borders",
  "fractional-translation": "ADA's shift by N(0, 0.125^2) of a side, reflected at the borders",
  "brightness": "ADA's brightness",
  "contrast": "ADA's contrast",
  "luma-flip": "ADA's reflection of luma",
  "hue": "ADA's rotation of hue, of color images",
  "saturation": "ADA's saturation, of color images",
};

type PolicyName = keyof typeof POLICY_MEANINGS;

const policy = named(
  z.enum(Object.keys(POLICY_MEANINGS) as [PolicyName, ...PolicyName[]]),
  "AugmentPolicy",
  {
    meaning:
      "A transform, or a group of them. Fakes come out transformed too where data never are: " +
      "`flip`, `rotate`, `luma-flip` and `hue` at a probability near 1 teach G images that are " +
      "turned, so they are for data that allow it, or for a probability that adapts.",
    words: POLICY_MEANINGS,
  },
);

const adaptive = named(
  z.strictObject({
    target: optional(
      z.number().gt(-1).lt(1),
      "The mean sign of D's outputs on reals to hold; above it the probability grows.",
      { default: DEFAULTS.augment.adaptive.target },
    ),
    everySteps: optional(steps, "Steps between two adjustments.", {
      default: DEFAULTS.augment.adaptive.everySteps,
    }),
    speedImages: optional(
      z.number().positive(),
      "Real images in which the probability can go from 0 to 1.",
      { default: DEFAULTS.augment.adaptive.speedImages },
    ),
  }),
  "AdaptiveSpec",
  { meaning: "How an augmentation probability adapts (ADA)." },
);

/** Checks an {@linkcode AugmentSpec}. */
export const augmentSchema = named(
  z.strictObject({
    policies: z.array(policy).min(1).describe("Applied in this order."),
    probability: optional(
      z.number().min(0).max(1),
      "The probability of each policy for each sample; with `adaptive`, where it starts.",
      {
        otherwise: `${DEFAULTS.augment.probability}, which is DiffAugment (Zhao et al. 2020); ` +
          `${DEFAULTS.augment.adaptiveProbability} with \`adaptive\``,
      },
    ),
    adaptive: optional(
      adaptive,
      "Adapts the probability to how sure D is of the reals (Karras et al. 2020, section 3).",
    ),
  }),
  "AugmentSpec",
  {
    meaning: "Random transforms of reals and fakes in the updates of both networks. Images only.",
  },
);

/** Checks an {@linkcode InstanceNoiseSpec}. */
export const instanceNoiseSchema = named(
  z.strictObject({
    sigma: z.number().positive().describe("Its standard deviation at the start."),
    decaySteps: optional(steps, "The noise falls linearly to nothing over this many steps.", {
      otherwise: "it stays",
    }),
  }),
  "InstanceNoiseSpec",
  { meaning: "N(0, sigma^2) noise on all that the discriminator sees (Sonderby et al. 2017)." },
);

/** Checks a {@linkcode DivergenceSpec}. */
export const divergenceSchema = named(
  z.strictObject({
    retries: z.number().int().min(0).max(100).describe(
      "How often a run may go back to its last good state.",
    ),
    factor: z.number().gt(0).lt(1).describe(
      "What the learning rates are multiplied by each time.",
    ),
    growth: optional(
      z.number().gt(1),
      "Weights have exploded when their root mean square is more than this many times what it was " +
        "in the last good state, or than 1 where it was smaller.",
      { default: DEFAULTS.divergence.growth },
    ),
  }),
  "DivergenceSpec",
  { meaning: "What happens when a value is not finite, or a network's weights explode." },
);
