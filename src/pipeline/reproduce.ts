/**
 * Trains the runs of a published table, one seed after another, and measures each as its paper does. What
 * is done is kept as JSON lines beside the runs, so a table grows over several sessions: a seed that is
 * done is not run again, and an interrupted one continues from its checkpoint.
 */
import { sha256 } from "../hash.ts";
import type { Problem, RecipeName } from "../reproduction/published.ts";
import type { RunConfig } from "../config/run_config.ts";
import { openDataSource } from "../data/open.ts";
import { openEngine } from "../engine/open.ts";
import { UserError } from "../errors.ts";
import type { ReproducedRun } from "../report/reproduction_table.ts";
import { writeError, writeFileAtomically } from "../files.ts";
import { checkpointSteps } from "../run/checkpoint.ts";
import { openRunFolder, readRunConfig, runNames } from "../run/run_folder.ts";
import { planRun } from "../training/schedule.ts";
import { countStackedModes, trainDigitClassifier } from "../evaluation/stacked_modes.ts";
import { measureTheory } from "./theory.ts";
import type { RunCallbacks } from "./run_options.ts";
import { openRunData } from "./train_run.ts";
import { type CompletedTraining, runTraining } from "./training_run.ts";

/** What one run came to, as one JSON line. */
export interface SeedResult extends ReproducedRun {
  /** The version of this format. */
  version: 1;
  /** Of everything in the config that decides the result; a changed config is another run. */
  fingerprint: string;
  /** What it was trained on. */
  device: string;
}

/** A recipe to run, as a complete config; its seed is replaced. */
export interface PlannedRecipe {
  recipe: RecipeName;
  config: RunConfig;
}

/** How to train a table. */
export interface ReproduceOptions {
  /** Holds `reproduce-<problem>.jsonl` and a folder of runs for each recipe. Default `runs`. */
  runsFolder?: string;
  /** Aborting it saves the run that is under way, and ends. */
  signal?: AbortSignal;
  /** Before each run; what it returns are the run's callbacks. */
  onRun?: (run: { recipe: RecipeName; seed: number; done: boolean }) => RunCallbacks | void;
  /** After each result, those of earlier sessions too. */
  onResult?: (result: SeedResult) => void;
  /** What is being done between runs. */
  onStage?: (what: string) => void;
}

/** The results of a table. */
export interface Reproduction {
  /** In the order of recipes and seeds. */
  results: SeedResult[];
  /** Whether it was stopped before the end. */
  interrupted: boolean;
  /** The JSON lines. */
  file: string;
}

/** The runs of a table. */
export interface ReproductionPlan {
  /** Each is run with every seed. */
  recipes: readonly PlannedRecipe[];
  /** How many seeds. */
  seeds: number;
  /** The first of them; the others follow it. Default 0. */
  firstSeed?: number;
}

/**
 * Runs every recipe with every seed, those that are not done yet.
 * @throws {UserError} when the data or the results file cannot be used, or a recipe does not fit
 */
export async function reproduce(
  problem: Problem,
  { recipes, seeds, firstSeed = 0 }: ReproductionPlan,
  options: ReproduceOptions = {},
): Promise<Reproduction> {
  const { runsFolder = "runs", signal, onRun, onResult, onStage } = options;
  const file = `${runsFolder}/reproduce-${problem.name}.jsonl`;
  using _lock = await takeTable(`${runsFolder}/reproduce-${problem.name}`);
  const done = await readResults(file);
  const results: SeedResult[] = [];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) { // every recipe's first seed before any second one
    for (const { recipe, config: full } of recipes) {
      if (signal?.aborted) return { results, interrupted: true, file };
      const config = { ...full, seed };
      const fingerprint = configFingerprint(config);
      const earlier = done.find((result) => result.fingerprint === fingerprint);
      const callbacks = onRun?.({ recipe, seed, done: earlier !== undefined }) ?? {};
      if (earlier) {
        results.push(earlier);
        onResult?.(earlier);
        continue;
      }
      const root = `${runsFolder}/reproduce-${problem.name}/${recipe}-seed${seed}`;
      const resume = await unfinishedRun(root, config);
      const opened = await openRunData(config, { ...callbacks, signal });
      await using run = await runTraining({
        ...opened,
        runsFolder: root,
        resume,
        signal,
        callbacks,
      });
      if (run.result.interrupted) return { results, interrupted: true, file };
      onStage?.("counting modes");
      const figures = await measure(run);
      const result: SeedResult = {
        version: 1,
        recipe,
        seed,
        steps: run.result.step,
        fingerprint,
        ...figures,
        seconds: Math.round(run.result.wallSeconds * 10) / 10,
        device: run.engine.description,
      };
      done.push(result);
      await writeResults(file, done);
      results.push(result);
      onResult?.(result);
    }
  }
  return { results, interrupted: false, file };
}

/** Steps of a recipe's run, as its config and its data have it. */
export async function plannedSteps(config: RunConfig): Promise<number> {
  const { count } = await openDataSource(config.data);
  const samplesPerStep = config.batchSize * config.update.discriminatorSteps;
  return planRun(config, { sampleCount: count, samplesPerStep }).totalSteps;
}

/** Where a run of the same config stopped, if it can continue from there. */
async function unfinishedRun(root: string, config: RunConfig): Promise<string | undefined> {
  const wanted = configFingerprint(config);
  for (const name of (await runNames(root)).reverse()) {
    const path = `${root}/${name}`;
    try {
      if (configFingerprint(await readRunConfig(path)) !== wanted) continue;
    } catch (error) {
      if (error instanceof UserError) continue; // killed before it wrote its config
      throw error;
    }
    if ((await checkpointSteps(`${path}/checkpoints`)).length > 0) return path;
  }
  return undefined;
}

/** SHA-256 of what decides a result: all of a config but the device, its snapshots and its checkpoints. */
export function configFingerprint(config: RunConfig): string {
  const { device: _device, snapshots: _snapshots, checkpoints: _checkpoints, ...rest } = config;
  return sha256(JSON.stringify(sorted(rest))).slice(0, 16);
}

/** The same value with the fields of every object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.sort(([a], [b]) => a < b ? -1 : 1).map(([name, field]) => [name, sorted(field)]),
  );
}

type Figures = Pick<SeedResult, "modes" | "highQuality" | "kl" | "accuracy">;

async function measure(run: CompletedTraining): Promise<Figures> {
  const { config, result: { state }, trainingStep: { generator, discriminator } } = run;
  if (config.data.source === "stacked-mnist") return await measureStacked(run);
  const theory = await measureTheory({ ...run, generator, discriminator, state });
  if (!theory?.modes) {
    throw new UserError(`Cannot count the modes of ${run.data.name}: none are known`);
  }
  const { covered, highQuality, reverseKl } = theory.modes;
  return { modes: covered, highQuality, kl: Number.isFinite(reverseKl) ? reverseKl : null };
}

async function measureStacked(run: CompletedTraining): Promise<Figures> {
  const { config: { data, latent }, result: { state }, trainingStep: { generator } } = run;
  await using cleanup = new AsyncDisposableStack();
  const { engine } = await openEngine("cpu"); // the classifier is the same, whatever trained the run
  cleanup.defer(() => engine.dispose());
  const classifier = await trainDigitClassifier(engine, data);
  cleanup.defer(() => classifier.dispose());
  const modes = await countStackedModes({ engine, generator, latent, state, classifier });
  return { modes: modes.covered, kl: modes.kl, accuracy: modes.accuracy };
}

/** Takes a table for this process. @throws {UserError} when another one is at it */
async function takeTable(folder: string): Promise<Disposable> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, error);
  }
  return await openRunFolder(folder);
}

async function writeResults(file: string, results: readonly SeedResult[]): Promise<void> {
  const text = results.map((result) => JSON.stringify(result) + "\n").join("");
  await writeFileAtomically(file, new TextEncoder().encode(text));
}

/**
 * Reads results.
 * @throws {UserError} when the file holds something else
 */
export async function readResults(file: string): Promise<SeedResult[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new UserError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  return text.split("\n").filter(Boolean).map((line, index) => {
    const result = parseResult(line);
    if (result) return result;
    throw new UserError(
      `Cannot read ${file}: line ${index + 1} is no result of a run; remove the line, or the file`,
    );
  });
}

function parseResult(line: string): SeedResult | undefined {
  try {
    const value = JSON.parse(line) as Partial<SeedResult> | null;
    const numbers = [value?.seed, value?.steps, value?.modes, value?.seconds, value?.kl ?? 0];
    const isResult = value?.version === 1 && numbers.every(Number.isFinite) &&
      [value.fingerprint, value.recipe, value.device].every((text) => typeof text === "string") &&
      Number.isFinite(value.highQuality ?? 0);
    return isResult ? value as SeedResult : undefined;
  } catch {
    return undefined;
  }
}
