/** The latent, and the updates of a step. Recipes differ here more than their papers say. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { LatentSpec, UpdateSpec } from "./types.ts";

/** Checks a {@linkcode LatentSpec}. */
export const latentSchema = named(
  z.strictObject({
    dimension: z.number().int().min(1).max(65536).describe("How many values."),
    distribution: z.enum(["normal", "uniform"]).describe("N(0, 1) or U[0, 1) for each of them."),
  }),
  "LatentSpec",
  { meaning: "The generator's input." },
);

/** Checks an {@linkcode UpdateSpec}. */
export const updateSchema = named(
  z.strictObject({
    order: z.enum(["discriminator-first", "generator-first"]).describe(
      "Which network is updated first in a step.",
    ),
    discriminatorSteps: z.number().int().min(1).max(100).describe(
      "Discriminator updates of a step (n_critic), each on a batch of its own.",
    ),
    generatorSteps: optional(
      z.number().int().min(1).max(100),
      "Generator updates of a step, after or before all of the discriminator's; one with reals takes " +
        "the step's batches in turn.",
      { default: DEFAULTS.generatorSteps },
    ),
    latents: z.enum(["fresh", "shared"]).describe(
      "Whether the generator's (first) update draws new latents or reuses those of the " +
        "discriminator's (last) update; with the generator first, the discriminator reuses those of " +
        "the generator's last update.",
    ),
    discriminatorBatch: z.enum(["separate", "concatenated"]).describe(
      "Whether the discriminator sees reals and fakes in two batches, or concatenated in one, with " +
        "one set of batch statistics.",
    ),
    discriminatorLossScale: z.number().positive().describe(
      "What the sum of the discriminator's real and fake losses is multiplied by: 0.5 makes it " +
        "their mean.",
    ),
  }),
  "UpdateSpec",
  { meaning: "The order and the inputs of a step's updates." },
);
