/** How the two players take turns. Recipes differ here more than their papers say, so it is spelt out. */
import { z } from "zod";

/** Where the generator's input comes from. */
export interface LatentSpec {
  /** How many numbers. */
  dimension: number;
  /** N(0, 1) or U[0, 1) for each of them. */
  distribution: "normal" | "uniform";
}

/** The order and the inputs of a step's updates. */
export interface UpdateSpec {
  /** Who is updated first in a step. */
  order: "discriminator-first" | "generator-first";
  /** Discriminator updates for each update of the generator (n_critic), each on a batch of its own. */
  discriminatorSteps: number;
  /** Whether the generator's update draws new latents or takes those of the discriminator's (last) update. */
  latents: "fresh" | "shared";
  /** Whether the discriminator sees reals and fakes in two batches, or joined in one (one batch statistic, one loss). */
  discriminatorBatch: "separate" | "concatenated";
  /** What the sum of the discriminator's real and fake losses is multiplied by: 0.5 makes it their mean. */
  discriminatorLossScale: number;
}

/** Checks a {@linkcode LatentSpec}. */
export const latentSchema: z.ZodType<LatentSpec> = z.strictObject({
  dimension: z.number().int().min(1).max(65536),
  distribution: z.enum(["normal", "uniform"]),
});

/** Checks an {@linkcode UpdateSpec}. */
export const updateSchema: z.ZodType<UpdateSpec> = z.strictObject({
  order: z.enum(["discriminator-first", "generator-first"]),
  discriminatorSteps: z.number().int().min(1).max(100),
  latents: z.enum(["fresh", "shared"]),
  discriminatorBatch: z.enum(["separate", "concatenated"]),
  discriminatorLossScale: z.number().positive(),
});
