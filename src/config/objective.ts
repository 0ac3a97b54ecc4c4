/** What the two players minimise, as data. Formulas and sources are in src/objectives. */
import { z } from "zod";

/** The name of a pair of losses. */
export type ObjectiveName =
  | "minimax"
  | "non-saturating"
  | "least-squares"
  | "hinge"
  | "wasserstein"
  | "relativistic";

/**
 * What D's mean verdicts `dReal` and `dFake` are: probabilities of being real; a critic's values; or
 * values of which only the difference means something, because only pairs are compared.
 */
export type VerdictKind = "probability" | "value" | "margin";

/** What D says under an objective. */
export function verdictKind(objective: ObjectiveName): VerdictKind {
  if (objective === "relativistic") return "margin";
  return objective === "minimax" || objective === "non-saturating" ? "probability" : "value";
}

/** The losses of a run and what is added to them. */
export interface ObjectiveSpec {
  /** Which pair of losses. */
  name: ObjectiveName;
  /**
   * The target of real samples under `non-saturating`, `minimax` and `least-squares`: 0.9 is one-sided
   * smoothing (Salimans et al. 2016). Default 1.
   */
  realLabel?: number;
  /** `lambda (|grad D(xhat)| - target)^2` between real and fake (Gulrajani et al. 2017). */
  gradientPenalty?: { weight: number; target?: number };
  /**
   * The gradient penalty around the data (Kodali et al. 2017), at reals plus normal noise of
   * `deviation` (default 0.5) times the batch's standard deviation.
   */
  dragan?: { weight: number; target?: number; deviation?: number };
  /** `gamma/2 |grad D(real)|^2` (Mescheder et al. 2018). */
  r1?: { gamma: number };
  /** `gamma/2 |grad D(fake)|^2`. */
  r2?: { gamma: number };
  /**
   * Lazy regularisation (Karras et al. 2020, appendix B): the penalties above count in every k-th
   * update of the discriminator, k times as much, and its optimiser's rates are adjusted to that.
   */
  penaltyEvery?: number;
  /**
   * AC-GAN (Odena et al. 2017): a discriminator that ends in a `classifier-head` also learns the classes
   * of reals and fakes, and the generator to make fakes of theirs. The weights of these cross entropies.
   */
  classification?: { weight: number; generatorWeight?: number };
  /** Clips the critic's weights to [-c, c] after each of its updates (Arjovsky et al. 2017). */
  weightClip?: number;
}

const weight = z.number().positive();
const target = z.number().min(0).optional();

/** Checks an {@linkcode ObjectiveSpec}. */
export const objectiveSchema: z.ZodType<ObjectiveSpec> = z.strictObject({
  name: z.enum([
    "minimax",
    "non-saturating",
    "least-squares",
    "hinge",
    "wasserstein",
    "relativistic",
  ]),
  realLabel: z.number().gt(0).max(1).optional(),
  gradientPenalty: z.strictObject({ weight, target }).optional(),
  dragan: z.strictObject({ weight, target, deviation: z.number().positive().optional() })
    .optional(),
  r1: z.strictObject({ gamma: weight }).optional(),
  r2: z.strictObject({ gamma: weight }).optional(),
  penaltyEvery: z.number().int().min(2).max(1000).optional(),
  classification: z.strictObject({ weight, generatorWeight: weight.optional() }).optional(),
  weightClip: z.number().positive().optional(),
});
