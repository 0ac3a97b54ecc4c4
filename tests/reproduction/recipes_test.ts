import { assertEquals, assertThrows } from "@std/assert";
import { type ProblemName, PROBLEMS } from "../../src/reproduction/published.ts";
import {
  findProblem,
  parseRecipes,
  recipeConfig,
  RECIPES,
  withLength,
} from "../../src/reproduction/recipes.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { checkConfig } from "../../src/config/check_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

Deno.test("recipeConfig() gives configs that pass their check and build for every problem", async () => {
  for (const problem of Object.keys(PROBLEMS) as ProblemName[]) {
    const data = recipeConfig(problem, "gan").data;
    const { shape } = await openDataSource({ ...data, count: 100 });
    for (const recipe of RECIPES) {
      const config = recipeConfig(problem, recipe);
      assertEquals(checkConfig(JSON.parse(JSON.stringify(config)), recipe), config);
      assertEquals(config.data, data);
      assertEquals(buildTrainingStep(config, { shape: [...shape] }).generator.outputShape, [
        ...shape,
      ]);
    }
  }
});

Deno.test("recipeConfig() changes nothing but length, packs and measuring of the published recipes", () => {
  const { evaluation: _, ...ring } = presetConfig("ring-2d");
  assertEquals(recipeConfig("ring", "gan"), { ...ring, duration: { epochs: 400 } });
  assertEquals(recipeConfig("ring", "pacgan4"), { ...recipeConfig("ring", "gan"), pack: 4 });
  assertEquals(recipeConfig("stacked-mnist", "gan"), presetConfig("stacked-mnist"));
});

Deno.test("findProblem() and parseRecipes() name what there is", () => {
  assertEquals(findProblem("grid").modes, 25);
  assertThrows(() => findProblem("rign"), UserError, "Cannot reproduce rign (did you mean ring?)");
  assertThrows(() => findProblem("toString"), UserError, "there are ring, grid, stacked-mnist");
  assertEquals(parseRecipes("best, gan,best"), ["best", "gan"]);
  assertThrows(() => parseRecipes("pacgan3"), UserError, "there is no pacgan3 (did you mean");
  assertThrows(() => parseRecipes(","), UserError, "it names none; there are gan, pacgan2");
});

Deno.test("withLength() lets noise fade in the same share of a shorter run", () => {
  const config = recipeConfig("ring", "best");
  const { steps } = config.duration as { steps: number };
  const short = withLength(config, steps / 10, steps);
  assertEquals(short.duration, { steps: steps / 10 });
  assertEquals(short.instanceNoise!.decaySteps, config.instanceNoise!.decaySteps! / 10);
  const gan = recipeConfig("ring", "gan");
  assertEquals(withLength(gan, 50, 400_000), { ...gan, duration: { steps: 50 } });
});
