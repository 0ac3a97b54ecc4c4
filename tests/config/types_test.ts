/** What is written from the schema is up to date, and each type is what its schema infers. */
import { assertEquals } from "@std/assert";
import type { dataSchema } from "../../src/config/data.ts";
import type { evaluationSchema } from "../../src/config/evaluation.ts";
import type { InferredLayer } from "../../src/config/layers.ts";
import type { learningRateSchema } from "../../src/config/learning_rate.ts";
import type { modelSchema } from "../../src/config/model.ts";
import type { modelRunSchema } from "../../src/config/model_run.ts";
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

/** What a schema infers. */
type Inferred<Schema extends { _zod: { output: unknown } }> = Schema["_zod"]["output"];

/** The same type with every alias and intersection written out. */
type Plain<T> = T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;

/** Whether two types are identical: a missing, additional or optional field makes them differ. */
type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends
  (<T>() => T extends Plain<B> ? 1 : 2) ? true
  : false;

/** Fails to compile where a type is not what its schema infers. */
const IDENTICAL: {
  data: Same<Inferred<typeof dataSchema>, types.DataSpec>;
  evaluation: Same<Inferred<typeof evaluationSchema>, types.EvaluationSpec>;
  learningRate: Same<Inferred<typeof learningRateSchema>, types.LearningRateSpec>;
  layers: Same<InferredLayer, types.LayerSpec>;
  model: Same<Inferred<typeof modelSchema>, types.ModelSpec>;
  modelRun: Same<Inferred<typeof modelRunSchema>, types.ModelRunConfig>;
  network: Same<Inferred<typeof networkSchema>, types.NetworkSpec>;
  objective: Same<Inferred<typeof objectiveSchema>, types.ObjectiveSpec>;
  optimizer: Same<Inferred<typeof optimizerSchema>, types.OptimizerSpec>;
  augment: Same<Inferred<typeof augmentSchema>, types.AugmentSpec>;
  divergence: Same<Inferred<typeof divergenceSchema>, types.DivergenceSpec>;
  instanceNoise: Same<Inferred<typeof instanceNoiseSchema>, types.InstanceNoiseSpec>;
  latent: Same<Inferred<typeof latentSchema>, types.LatentSpec>;
  update: Same<Inferred<typeof updateSchema>, types.UpdateSpec>;
  run: Same<Inferred<typeof runConfigSchema>, types.RunConfig>;
} = {
  data: true,
  evaluation: true,
  learningRate: true,
  layers: true,
  model: true,
  modelRun: true,
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
