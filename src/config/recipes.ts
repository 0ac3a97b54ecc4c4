/**
 * The published tables that ganforge trains again: for each problem its recipes, the figures that their
 * papers give, and how long a full run is. `docs/REPRODUCTION.md` holds what came out.
 */
import { UserError } from "../errors.ts";
import { didYouMean } from "./nearest.ts";
import { BEST_MIXTURE, BEST_STACKED } from "./presets/best.ts";
import { presetConfig } from "./presets/mod.ts";
import type { RunConfig } from "./run_config.ts";

/** A table: modes of a ring, of a grid, or of three digits at once. */
export type ProblemName = "ring" | "grid" | "stacked-mnist";

/** How to train for a table. */
export type RecipeName = "gan" | "pacgan2" | "pacgan4" | "best";

/** A figure of a paper: a mean over runs, and its standard error where the paper gives one. */
export interface PublishedFigure {
  /** Mean over the paper's runs. */
  mean: number;
  /** Its standard error. */
  error?: number;
}

/** A row of a published table. */
export interface PublishedRow {
  /** What it is called there. */
  label: string;
  /** Modes that were found. */
  modes: PublishedFigure;
  /** Share of samples near a mode; the tables of images have none. */
  highQuality?: PublishedFigure;
  /** KL of the generated modes from the data's, nats. */
  kl: PublishedFigure;
}

/** A table to train again. */
export interface Problem {
  name: ProblemName;
  /** Its heading. */
  title: string;
  /** All modes. */
  modes: number;
  /** Where the published figures come from, and what they were measured on. */
  source: string;
  /** The figures that the papers give for a recipe, if any. */
  published: Partial<Record<RecipeName, PublishedRow>>;
  /** Independent runs of the published table. */
  fullSeeds: number;
}

const MIXTURE_SOURCE =
  "Lin et al. 2018 (PacGAN), Table 1: mean and standard error of 10 runs of 400 epochs, 2,500 samples";

/** A figure with its standard error. */
const row = (
  label: string,
  [modes, modesError]: [number, number?],
  kl: number,
  quality?: [number, number],
): PublishedRow => ({
  label,
  modes: figure(modes, modesError),
  kl: figure(kl),
  ...(quality ? { highQuality: figure(quality[0] / 100, quality[1] / 100) } : {}),
});

function figure(mean: number, error?: number): PublishedFigure {
  return error === undefined ? { mean } : { mean, error };
}

/** Every table, by name. */
export const PROBLEMS: Readonly<Record<ProblemName, Problem>> = {
  "ring": {
    name: "ring",
    title: "2-D ring: 8 Gaussians of deviation 0.01 on a circle of radius 1",
    modes: 8,
    source: MIXTURE_SOURCE,
    fullSeeds: 10,
    published: {
      gan: row("GAN", [6.3, 0.5], 0.45, [98.2, 0.2]),
      pacgan2: row("PacGAN2", [7.9, 0.1], 0.07, [95.6, 2.0]),
      pacgan4: row("PacGAN4", [7.8, 0.1], 0.07, [95.9, 1.4]),
    },
  },
  "grid": {
    name: "grid",
    title: "2-D grid: 25 Gaussians of deviation 0.05 at {-4, -2, 0, 2, 4}^2",
    modes: 25,
    source: MIXTURE_SOURCE,
    fullSeeds: 10,
    published: {
      gan: row("GAN", [17.3, 0.8], 0.70, [94.8, 0.7]),
      pacgan2: row("PacGAN2", [23.8, 0.7], 0.13, [91.3, 0.8]),
      pacgan4: row("PacGAN4", [24.8, 0.2], 0.04, [93.6, 0.6]),
    },
  },
  "stacked-mnist": {
    name: "stacked-mnist",
    title: "Stacked MNIST: three digits as the channels of one image, tiny networks",
    modes: 1000,
    source:
      "Lin et al. 2018 (PacGAN), tiny DCGANs on MNIST's digits; beside our best recipe RpGAN + R1 + R2 of " +
      "Huang et al. 2024 (R3GAN), whose networks are larger; 25,600 samples",
    fullSeeds: 10,
    published: {
      gan: row("DCGAN", [78.5, 17.6], 5.21),
      pacgan2: row("PacDCGAN2", [484.5], 2.61),
      pacgan4: row("PacDCGAN4", [667.4], 1.81),
      best: row("RpGAN + R1 + R2", [1000], 0.078),
    },
  },
};

/** Every recipe's name. */
export const RECIPES: readonly RecipeName[] = ["gan", "pacgan2", "pacgan4", "best"];

/** What a recipe is called in a table. */
export function recipeTitle(recipe: RecipeName): string {
  return { gan: "GAN", pacgan2: "PacGAN2", pacgan4: "PacGAN4", best: "our best" }[recipe];
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
