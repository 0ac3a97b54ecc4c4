/** How learning rates change over a run, as data. `src/training/schedule.ts` computes the factor. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { LearningRateSpec } from "./types.ts";

const steps = z.number().int().positive();

/** Checks a {@linkcode LearningRateSpec}. */
export const learningRateSchema = named(
  z.strictObject({
    shape: z.enum(["constant", "linear", "cosine"]).describe(
      "Constant, falling linearly, or along half a cosine (Loshchilov and Hutter 2017).",
    ),
    finalScale: optional(z.number().min(0).max(1), "The factor at the end of the decay.", {
      default: DEFAULTS.schedule.finalScale,
    }),
    holdSteps: optional(
      steps,
      "Steps at the full rate before the decay, as in the second half of CycleGAN (Zhu et al. 2017).",
      { otherwise: "the decay begins at once" },
    ),
    steps: optional(steps, "The step at which the decay ends.", { otherwise: "the run's last" }),
    warmUpSteps: optional(
      steps,
      "The rates rise linearly from 0 over this many first steps (Goyal et al. 2017).",
      { otherwise: "no warm-up" },
    ),
  }).superRefine(({ shape, finalScale, holdSteps, steps }, context) => {
    if (shape !== "constant" || (finalScale ?? holdSteps ?? steps) === undefined) return;
    context.addIssue({
      code: "custom",
      message:
        'a constant rate has no use for "finalScale", "holdSteps" or "steps"; use linear or cosine',
    });
  }),
  "LearningRateSpec",
  { meaning: "What both networks' learning rates are multiplied by from step to step." },
);
