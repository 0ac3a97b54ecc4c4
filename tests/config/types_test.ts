/** What is written from the schema is up to date, and each type is what its schema infers. */
import { assertEquals } from "@std/assert";
import type { z } from "zod";
import type { dataSchema } from "../../src/config/data.ts";
import type { evaluationSchema } from "../../src/config/evaluation.ts";
import type { InferredLayer } from "../../src/config/layers.ts";
import type { learningRateSchema } from "../../src/config/learning_rate.ts";
import type { networkSchema } from "../../src/config/network.ts";
import type { objectiveSchema } from "../../src/config/objective.ts";
import type { optimizerSchema } from "../../src/config/optimizer.ts";
import type { runConfigSchema } from "../../src/config/run_config.ts";
import type {
  augmentSchema,
  divergenceSchema,
  instanceNoiseSchema,
} from "../../src/config/stability.ts";
import type * as types from "../../src/config/types.ts";
import type { latentSchema, updateSchema } from "../../src/config/update.ts";
import { generatedFiles } from "../../tasks/docs.ts";

/** The same type with every alias and intersection written out. */
type Plain<T> = T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;

/** Whether two types are identical: a missing, additional or optional field makes them differ. */
type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends
  (<T>() => T extends Plain<B> ? 1 : 2) ? true
  : false;

/** Fails to compile where a type is not what its schema infers. */
const IDENTICAL: {
  data: Same<z.infer<typeof dataSchema>, types.DataSpec>;
  evaluation: Same<z.infer<typeof evaluationSchema>, types.EvaluationSpec>;
  learningRate: Same<z.infer<typeof learningRateSchema>, types.LearningRateSpec>;
  layers: Same<InferredLayer, types.LayerSpec>;
  network: Same<z.infer<typeof networkSchema>, types.NetworkSpec>;
  objective: Same<z.infer<typeof objectiveSchema>, types.ObjectiveSpec>;
  optimizer: Same<z.infer<typeof optimizerSchema>, types.OptimizerSpec>;
  augment: Same<z.infer<typeof augmentSchema>, types.AugmentSpec>;
  divergence: Same<z.infer<typeof divergenceSchema>, types.DivergenceSpec>;
  instanceNoise: Same<z.infer<typeof instanceNoiseSchema>, types.InstanceNoiseSpec>;
  latent: Same<z.infer<typeof latentSchema>, types.LatentSpec>;
  update: Same<z.infer<typeof updateSchema>, types.UpdateSpec>;
  run: Same<z.infer<typeof runConfigSchema>, types.RunConfig>;
} = {
  data: true,
  evaluation: true,
  learningRate: true,
  layers: true,
  network: true,
  objective: true,
  optimizer: true,
  augment: true,
  divergence: true,
  instanceNoise: true,
  latent: true,
  update: true,
  run: true,
};

Deno.test("each type of a config is what its schema infers, held by the compiler", () => {
  // A false would not compile: `const x: false = true`.
  assertEquals(Object.values(IDENTICAL).every(Boolean), true);
});

Deno.test("docs/options.md and src/config/types.ts are what deno task docs writes", async () => {
  for (const [path, text] of Object.entries(await generatedFiles())) {
    const found = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
    assertEquals(found, text, `${path} is out of date: run deno task docs`);
  }
});
