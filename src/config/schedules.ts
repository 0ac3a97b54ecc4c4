/** What of a run changes with the images seen, as data. `src/training/schedules.ts` computes the values. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { RampSpec, SchedulesSpec } from "./types.ts";

const value = z.number().min(0);

const rampSchema = named(
  z.strictObject({
    from: optional(value, "The value before the first image.", { otherwise: "the option's own" }),
    to: value.describe("The value after `images` images, and from there on."),
    images: z.number().int().positive().describe(
      "Real images over which it changes: a step's batch for each update of the discriminator.",
    ),
    shape: optional(
      z.enum(["cosine", "linear"]),
      "Along half a cosine (Loshchilov and Hutter 2017), or along a line.",
      { default: DEFAULTS.schedule.rampShape },
    ),
  }),
  "RampSpec",
  {
    meaning: "How a value changes with the images seen, as in R3GAN's burn-in (Huang et al. 2024).",
  },
);

/** The largest value of a schedule, where it has one. */
const LARGEST = {
  beta2: { limit: 0.9999999, text: "below 1" },
  augmentProbability: { limit: 1, text: "at most 1" },
} as const;

/** Checks a {@linkcode SchedulesSpec}. */
export const schedulesSchema = named(
  z.strictObject({
    gamma: optional(
      rampSchema,
      "The weight of both R1 and R2. R3GAN's falls to a tenth.",
    ),
    beta2: optional(
      rampSchema,
      "Adam's beta2 of both networks. R3GAN's rises from 0.9 to 0.99.",
    ),
    emaHalfLifeImages: optional(
      rampSchema,
      "The half-life of the EMA. R3GAN's rises from 0.",
    ),
    augmentProbability: optional(
      rampSchema,
      "The probability of each augmentation, where it does not adapt. R3GAN's rises from 0.",
    ),
  }).superRefine((schedules, context) => {
    for (const [name, { limit, text }] of Object.entries(LARGEST)) {
      const ramp = schedules[name as keyof typeof LARGEST];
      for (const end of ["from", "to"] as const) {
        if ((ramp?.[end] ?? 0) <= limit) continue;
        context.addIssue({ code: "custom", path: [name, end], message: `must be ${text}` });
      }
    }
  }),
  "SchedulesSpec",
  {
    meaning:
      "Which values change with the images seen. What they are at each step is in the run's metrics.",
  },
);
