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

/** The losses of a run and what is added to them. */
export interface ObjectiveSpec {
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
  weightClip: z.number().positive().optional(),
});
