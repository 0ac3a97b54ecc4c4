/** Our figures beside published ones, as a Markdown table, and what the full table takes. */
import { formatDuration, formatInteger } from "../text.ts";
import type { Problem, PublishedFigure, RecipeName } from "../reproduction/published.ts";
import { recipeTitle } from "../reproduction/recipes.ts";
import { markdownTable } from "./markdown.ts";

/** What one run of a recipe came to. */
export interface ReproducedRun {
  recipe: RecipeName;
  seed: number;
  /** Generator updates. */
  steps: number;
  /** Modes that were found. */
  modes: number;
  /** Share of high-quality samples; undefined for stacked digits. */
  highQuality?: number;
  /** KL of the generated modes from the data's, nats; null where no sample was near any mode. */
  kl: number | null;
  /** Share of held-out digits that the classifier of stacked digits recognized. */
  accuracy?: number;
  /** Seconds of training. */
  seconds: number;
}

/** Mean and standard error of the mean. */
export interface Spread {
  mean: number;
  /** `s / sqrt(n)`, s with n - 1; NaN for a single value. */
  error: number;
}

/** Mean and standard error of some figures; NaN where there are none. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** The table of a problem: a row for each recipe and each length of its runs. */
export function reproductionTable(problem: Problem, runs: readonly ReproducedRun[]): string {
  const isMixture = problem.name !== "stacked-mnist";
  const quality = isMixture ? [">high quality"] : [];
  const header = [
    "recipe",
    ">seeds",
    ">steps",
    `>modes of ${problem.modes}`,
    ...quality,
    isMixture ? ">reverse KL" : ">KL",
    "published",
    ">modes",
    ...quality,
    ">KL",
  ];
  const rows = groups(runs).map((group) => {
    const { recipe, steps } = group[0];
    const published = problem.published[recipe];
    const shares = group.map(({ highQuality = NaN }) => highQuality);
    const kls = group.flatMap(({ kl }) => kl ?? []);
    const lowest = group.length > 1 ? `, lowest ${(100 * Math.min(...shares)).toFixed(1)}%` : "";
    return [
      recipeTitle(recipe),
      String(group.length),
      formatInteger(steps),
      spreadText(spreadOf(group.map(({ modes }) => modes)), 1),
      ...(isMixture ? [spreadText(spreadOf(shares), 1, "%") + lowest] : []),
      kls.length < group.length ? "not known" : spreadText(spreadOf(kls), 3),
      published?.label ?? "none",
      publishedText(published?.modes, 1),
      ...(isMixture ? [publishedText(published?.highQuality, 1, "%")] : []),
      publishedText(published?.kl, 2),
    ];
  });
  return markdownTable(header, rows);
}

/** A full run of a recipe. */
export interface FullRun {
  recipe: RecipeName;
  /** Generator updates. */
  steps: number;
}

/** What the full table takes, at the speed of the runs that are there. One line for each recipe, then the sum. */
export function fullTableText(
  problem: Problem,
  full: readonly FullRun[],
  runs: readonly ReproducedRun[],
): string[] {
  let total = 0;
  const lines = full.map(({ recipe, steps }) => {
    const own = runs.filter((run) => run.recipe === recipe);
    const stepSeconds = own.reduce((sum, run) => sum + run.seconds, 0) /
      own.reduce((sum, run) => sum + run.steps, 0);
    total += problem.fullSeeds * steps * stepSeconds;
    const length = `${problem.fullSeeds} seeds of ${formatInteger(steps)} steps`;
    const name = recipeTitle(recipe);
    if (Number.isNaN(stepSeconds)) return `${name}: ${length}`;
    return `${name}: ${length}, at ${(1000 * stepSeconds).toFixed(1)} ms a step ` +
      `${hours(steps * stepSeconds)} a run, ` +
      `${hours(problem.fullSeeds * steps * stepSeconds)} together`;
  });
  if (!Number.isNaN(total)) lines.push(`all of it: ${hours(total)}`);
  return lines;
}

/** Long times in hours. */
function hours(seconds: number): string {
  return seconds < 3600 ? formatDuration(seconds) : `${(seconds / 3600).toFixed(1)} h`;
}

/** Runs of the same recipe and length, in the order in which they first occur. */
function groups(runs: readonly ReproducedRun[]): ReproducedRun[][] {
  const found = new Map<string, ReproducedRun[]>();
  for (const run of runs) {
    const key = `${run.recipe} ${run.steps}`;
    found.set(key, [...(found.get(key) ?? []), run]);
  }
  return [...found.values()];
}

function spreadText({ mean, error }: Spread, digits: number, unit: "" | "%" = ""): string {
  const text = (value: number) => (unit ? 100 * value : value).toFixed(digits);
  return `${text(mean)}${Number.isNaN(error) ? "" : ` +- ${text(error)}`}${unit}`;
}

function publishedText(figure: PublishedFigure | undefined, digits: number, unit?: "%"): string {
  if (!figure) return "";
  return spreadText({ mean: figure.mean, error: figure.error ?? NaN }, digits, unit);
}
