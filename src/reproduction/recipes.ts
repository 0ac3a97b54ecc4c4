/** The recipes that train for a published table: their configs, names, and lengths. */
import { UserError } from "../errors.ts";
import { didYouMean } from "../config/nearest.ts";
import { BEST_MIXTURE, BEST_STACKED } from "../config/presets/best.ts";
import { presetConfig } from "../config/presets/mod.ts";
import { type Problem, type ProblemName, PROBLEMS, type RecipeName } from "./published.ts";
import type { RunConfig } from "../config/run_config.ts";

/** Every recipe's name. */
export const RECIPES: readonly RecipeName[] = ["gan", "pacgan2", "pacgan4", "best"];

/** What a recipe is called in a table. */
export function recipeTitle(recipe: RecipeName): string {
  return { gan: "GAN", pacgan2: "PacGAN2", pacgan4: "PacGAN4", best: "our recipe" }[recipe];
}

/**
 * Finds a table.
 * @throws {UserError} when there is none of that name
 */
export function findProblem(name: string): Problem {
  if (Object.hasOwn(PROBLEMS, name)) return PROBLEMS[name as ProblemName];
  const names = Object.keys(PROBLEMS);
  throw new UserError(
    `Cannot reproduce ${name}${didYouMean(name, names)}: there are ${names.join(", ")}`,
  );
}

/**
 * Reads a list of recipes, such as `gan,best`.
 * @throws {UserError} when one of them is unknown, or there is none
 */
export function parseRecipes(text: string): RecipeName[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()).filter(Boolean))];
  const unknown = names.find((name) => !(RECIPES as readonly string[]).includes(name));
  if (unknown === undefined && names.length > 0) return names as RecipeName[];
  throw new UserError(
    `Cannot reproduce with --recipes ${text}: ${
      unknown === undefined
        ? "it names none"
        : `there is no ${unknown}${didYouMean(unknown, RECIPES)}`
    }; there are ${RECIPES.join(", ")}`,
  );
}

/** A full run of a recipe, as its paper or our own table has it. */
export function recipeConfig(problem: ProblemName, recipe: RecipeName): RunConfig {
  const isMixture = problem !== "stacked-mnist";
  const base = presetConfig(isMixture ? `${problem}-2d` : "stacked-mnist");
  delete base.evaluation; // a table is measured once, at the end
  if (isMixture) base.duration = { epochs: 400 };
  switch (recipe) {
    case "gan":
      return base;
    case "pacgan2":
      return { ...base, pack: 2 };
    case "pacgan4":
      return { ...base, pack: 4 };
    case "best":
      return { ...base, ...structuredClone(isMixture ? BEST_MIXTURE[problem] : BEST_STACKED) };
  }
}

/**
 * The same recipe in a shorter (or longer) run: noise that fades does so in the same share of it, as learning
 * rates do by themselves.
 * @param steps of the new run
 * @param fullSteps of the recipe's own
 */
export function withLength(config: RunConfig, steps: number, fullSteps: number): RunConfig {
  const changed: RunConfig = { ...config, duration: { steps } };
  const { instanceNoise } = config;
  if (instanceNoise?.decaySteps === undefined) return changed;
  const decaySteps = Math.max(1, Math.round(instanceNoise.decaySteps * steps / fullSteps));
  return { ...changed, instanceNoise: { ...instanceNoise, decaySteps } };
}
