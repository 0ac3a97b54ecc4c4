/** How learning rates change over a run, as data. `src/training/schedule.ts` computes the factor. */
import { z } from "zod";

/** What both players' learning rates are multiplied by from step to step. */
export interface LearningRateSpec {
  /** Stays, falls on a line, or falls on half a cosine (Loshchilov and Hutter 2017). */
  shape: "constant" | "linear" | "cosine";
  /** The factor at the end of a fall. Default 0. */
  finalScale?: number;
  /** Steps that a fall takes. Default: all of the run's. */
  steps?: number;
  /** The rates rise from 0 on a line over so many first steps (Goyal et al. 2017). Default 0. */
  warmUpSteps?: number;
}

const steps = z.number().int().positive().optional();

/** Checks a {@linkcode LearningRateSpec}. */
export const learningRateSchema: z.ZodType<LearningRateSpec> = z.strictObject({
  shape: z.enum(["constant", "linear", "cosine"]),
  finalScale: z.number().min(0).max(1).optional(),
  steps,
  warmUpSteps: steps,
}).superRefine(({ shape, finalScale, steps }, context) => {
  if (shape !== "constant" || (finalScale ?? steps) === undefined) return;
  context.addIssue({
    code: "custom",
    message: 'a constant rate has no use for "finalScale" or "steps"; use linear or cosine',
  });
});
