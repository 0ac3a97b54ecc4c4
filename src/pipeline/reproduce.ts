/**
 * Trains the runs of a published table, one seed after another, and measures each as its paper does. What
 * is done is kept as JSON lines beside the runs, so a table grows over several sessions: a seed that is
 * done is not run again, and an interrupted one continues from its checkpoint.
 */
import { sha256 } from "../hash.ts";
import type { Problem, RecipeName } from "../reproduction/published.ts";
import type { RunConfig } from "../config/run_config.ts";
import { openDataSource } from "../data/open.ts";
import { allGatherJson, type Communicator, singleProcess } from "../distributed/communicator.ts";
import { openEngine } from "../engine/open.ts";
import { UserError } from "../errors.ts";
import type { ReproducedRun } from "../report/reproduction_table.ts";
import { writeError, writeFileAtomically } from "../files.ts";
import { checkpointSteps } from "../run/checkpoint.ts";
import { readLines } from "../run/json_lines.ts";
import { openRunFolder, readRunConfig, runNames } from "../run/run_folder.ts";
import { planRun } from "../training/schedule.ts";
import { countStackedModes, trainDigitClassifier } from "../evaluation/stacked_modes.ts";
import { measureTheory } from "./theory.ts";
import { rankThreads } from "./ranks.ts";
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
  /** The processes that share the runs out, from `openCommunicator()`. Default: this one alone. */
  ranks?: Communicator;
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
 * Runs every recipe with every seed, those that are not done yet. Several ranks share the runs out, and
 * each gets all results.
 * @throws {UserError} when the data or the results file cannot be used, or a recipe does not fit
 */
export async function reproduce(
  problem: Problem,
  plan: ReproductionPlan,
  options: ReproduceOptions = {},
): Promise<Reproduction> {
  const { runsFolder = "runs", ranks = singleProcess() } = options;
  const file = `${runsFolder}/reproduce-${problem.name}.jsonl`;
  const folder = `${runsFolder}/reproduce-${problem.name}`;
  using _lock = ranks.rank === 0 ? await takeTable(folder) : undefined;
  const [done] = await allGatherJson(
    ranks,
    ranks.rank === 0 ? await collectResults(file, folder) : [],
  );
  const own = await runOwn(plan, { ...options, ranks, done, folder, file });
  if (ranks.size === 1) return { ...own, file };
  await ranks.barrier(); // some wait for others' last runs
  const all = await allGatherJson(ranks, own);
  const results = all.flatMap((part) => part.results)
    .toSorted((a, b) => a.seed - b.seed || placeOf(plan, a) - placeOf(plan, b));
  if (ranks.rank === 0) await collectResults(file, folder);
  return { results, interrupted: all.some(({ interrupted }) => interrupted), file };
}

function placeOf({ recipes }: ReproductionPlan, result: SeedResult): number {
  return recipes.findIndex(({ recipe }) => recipe === result.recipe);
}

/** What a rank's runs need besides the options. */
interface OwnRuns extends ReproduceOptions {
  ranks: Communicator;
  done: readonly SeedResult[];
  folder: string;
  file: string;
}

/** Runs those of a table that are this rank's. */
async function runOwn(
  { recipes, seeds, firstSeed = 0 }: ReproductionPlan,
  { ranks, folder, file, signal, onRun, onResult, onStage, ...given }: OwnRuns,
): Promise<Omit<Reproduction, "file">> {
  const ownFile = ranks.size === 1 ? file : rankFile(folder, ranks.rank);
  const done = [...given.done];
  const results: SeedResult[] = [];
  const written = ranks.size === 1 ? done : [];
  let place = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) { // every recipe's first seed before any second one
    for (const { recipe, config: full } of recipes) {
      if (place++ % ranks.size !== ranks.rank) continue;
      if (signal?.aborted) return { results, interrupted: true };
      const config = { ...full, seed };
      const fingerprint = configFingerprint(config);
      const earlier = done.find((result) => result.fingerprint === fingerprint);
      const callbacks = onRun?.({ recipe, seed, done: earlier !== undefined }) ?? {};
      if (earlier) {
        results.push(earlier);
        onResult?.(earlier);
        continue;
      }
      const root = `${folder}/${recipe}-seed${seed}`;
      const resume = await unfinishedRun(root, config);
      const opened = await openRunData(config, { ...callbacks, signal });
      await using run = await runTraining({
        ...opened,
        runsFolder: root,
        resume,
        signal,
        threads: rankThreads(ranks),
        callbacks,
      });
      if (run.result.interrupted) return { results, interrupted: true };
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
      written.push(result);
      await writeResults(ownFile, written);
      results.push(result);
      onResult?.(result);
    }
  }
  return { results, interrupted: false };
}

/** Where a rank keeps its results until rank 0 collects them. */
function rankFile(folder: string, rank: number): string {
  return `${folder}/rank-${rank}.jsonl`;
}

/** All results so far; those that ranks have left, of an earlier session maybe, move to the table's file. */
async function collectResults(file: string, folder: string): Promise<SeedResult[]> {
  const results = await readResults(file);
  const left: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (/^rank-\d+\.jsonl$/.test(name)) left.push(`${folder}/${name}`);
  }
  for (const path of left.sort()) results.push(...await readResults(path));
  if (left.length) await writeResults(file, results);
  for (const path of left) await Deno.remove(path);
  return results;
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
  return await readLines<SeedResult>(file, {
    parse: parseResult,
    fault: "is no result of a run; remove the line, or the file",
  });
}

function parseResult(value: Partial<SeedResult> | null): SeedResult | undefined {
  const numbers = [value?.seed, value?.steps, value?.modes, value?.seconds, value?.kl ?? 0];
  const isResult = value?.version === 1 && numbers.every(Number.isFinite) &&
    [value.fingerprint, value.recipe, value.device].every((text) => typeof text === "string") &&
    Number.isFinite(value.highQuality ?? 0);
  return isResult ? value as SeedResult : undefined;
}
