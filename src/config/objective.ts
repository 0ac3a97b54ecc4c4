/** The losses, as data. Formulas and sources are in src/objectives. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";
import type { ObjectiveName } from "./types.ts";

export type { ObjectiveName, ObjectiveSpec } from "./types.ts";

/**
 * What D's mean outputs `dReal` and `dFake` are: probabilities of being real; a critic's values; or
 * values of which only the difference means something, because only pairs are compared.
 */
export type LogitKind = "probability" | "value" | "margin";

/** What D's outputs mean under an objective. */
export function logitKind(objective: ObjectiveName): LogitKind {
  if (objective === "relativistic") return "margin";
  return objective === "minimax" || objective === "non-saturating" ? "probability" : "value";
}

const weight = z.number().positive();
const gamma = z.strictObject({ gamma: weight.describe("The penalty's weight.") });
const penaltyWeight = weight.describe("The weight; the paper's is 10.");
const penaltyTarget = optional(z.number().min(0), "The gradient norm to hold.", {
  default: DEFAULTS.objective.penaltyTarget,
});

/** Checks an {@linkcode ObjectiveSpec}. */
export const objectiveSchema = named(
  z.strictObject({
    name: named(
      z.enum([
        "minimax",
        "non-saturating",
        "least-squares",
        "hinge",
        "wasserstein",
        "relativistic",
      ]),
      "ObjectiveName",
      {
        meaning: "The name of a pair of losses. docs/objectives.md has the formulas.",
        words: {
          "minimax": "Goodfellow et al. 2014, equation 1",
          "non-saturating": "the same paper, section 3",
          "least-squares": "LSGAN, Mao et al. 2017",
          "hinge": "Lim and Ye 2017",
          "wasserstein": "WGAN, Arjovsky et al. 2017",
          "relativistic": "RpGAN, Jolicoeur-Martineau 2019",
        },
      },
    ).describe("Which pair of losses."),
    realLabel: optional(
      z.number().gt(0).max(1),
      "The target of reals under `non-saturating`, `minimax` and `least-squares`: 0.9 is one-sided " +
        "label smoothing (Salimans et al. 2016).",
      { default: DEFAULTS.objective.realLabel },
    ),
    gradientPenalty: optional(
      z.strictObject({ weight: penaltyWeight, target: penaltyTarget }),
      "`weight (|grad D(xhat)| - target)^2` between reals and fakes (Gulrajani et al. 2017).",
    ),
    dragan: optional(
      z.strictObject({
        weight: penaltyWeight,
        target: penaltyTarget,
        deviation: optional(
          z.number().positive(),
          "The deviation of the noise, in standard deviations of the batch.",
          { default: DEFAULTS.objective.draganDeviation },
        ),
      }),
      "The gradient penalty around the data (Kodali et al. 2017), at reals plus normal noise.",
    ),
    r1: optional(gamma, "`gamma/2 |grad D(real)|^2` (Mescheder et al. 2018)."),
    r2: optional(gamma, "`gamma/2 |grad D(fake)|^2` (Mescheder et al. 2018)."),
    penaltyEvery: optional(
      z.number().int().min(2).max(1000),
      "Lazy regularization (Karras et al. 2020, appendix B): the penalties above count in every k-th " +
        "update of the discriminator, k times as much, and its optimizer's rates are adjusted.",
      { otherwise: "every update" },
    ),
    classification: optional(
      z.strictObject({
        weight: weight.describe("The weight of the discriminator's cross entropy."),
        generatorWeight: optional(weight, "The weight of the generator's cross entropy.", {
          otherwise: "`weight`",
        }),
      }),
      "AC-GAN (Odena et al. 2017): a discriminator that ends in a `classifier-head` also learns the " +
        "classes of reals and fakes, and the generator to make fakes of theirs.",
    ),
    weightClip: optional(
      z.number().positive(),
      "Clips the critic's weights to [-c, c] after each of its updates (Arjovsky et al. 2017).",
    ),
  }),
  "ObjectiveSpec",
  { meaning: "The losses of a run and what is added to them." },
);
