/** The latent, and the updates of a step. Recipes differ here more than their papers say. */
import { z } from "zod";
import { named } from "./option.ts";

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
      "Discriminator updates for each generator update (n_critic), each on a batch of its own.",
    ),
    latents: z.enum(["fresh", "shared"]).describe(
      "Whether the generator's update draws new latents or reuses those of the discriminator's " +
        "(last) update.",
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
