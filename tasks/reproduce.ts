/**
 * `deno task reproduce`: trains the runs of a published table and prints ours beside it, or compares recipes
 * for images over minutes.
 */
import { formatDuration, formatInteger } from "../src/text.ts";
import { type DataSpec, withDataPath } from "../src/config/data.ts";
import { type Problem, PROBLEMS, type RecipeName } from "../src/reproduction/published.ts";
import {
  findProblem,
  parseRecipes,
  recipeConfig,
  RECIPES,
  recipeTitle,
  withLength,
} from "../src/reproduction/recipes.ts";
import type { RunConfig } from "../src/config/run_config.ts";
import { UserError } from "../src/errors.ts";
import { rankZeroFirst } from "../src/pipeline/ranks.ts";
import { plannedSteps, reproduce, type Reproduction } from "../src/pipeline/reproduce.ts";
import { fullTableText, reproductionTable } from "../src/report/reproduction_table.ts";
import { writeFileAtomically } from "../src/files.ts";
import {
  type CommandSpec,
  NO_JSON,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";
import { DISTRIBUTED_OPTION, openRanks } from "../cli/ranks.ts";
import type { Communicator } from "../src/distributed/communicator.ts";
import { download } from "./cli/download.ts";
import { reproduceImagesTask } from "./cli/reproduce_images.ts";
import { silentWatch, watchRun, withInterrupt } from "./cli/watch.ts";
import { IMAGE_RECIPES } from "../src/reproduction/image_recipes.ts";

/** What is compared over minutes, rather than with a table. */
const IMAGES = "images";

const spec: CommandSpec = {
  name: "reproduce",
  summary: "Trains the runs of a published table, and prints ours beside it.",
  positionals: [...Object.keys(PROBLEMS), IMAGES].join(" | "),
  maxPositionals: 1,
  options: {
    recipes: {
      value: "LIST",
      help: `some of ${RECIPES.join(",")} (default gan,pacgan2,best); for images ` +
        `${IMAGE_RECIPES.join(",")} (default all)`,
    },
    seeds: {
      value: "N",
      help: "runs of each recipe (default 10, as in the published tables; 1 for images)",
    },
    minutes: { value: "M", help: "of training, for each run on images (default 10)" },
    python: {
      path: true,
      value: "PATH",
      help: "the Python that has torch, for images (default /usr/bin/python3)",
    },
    "first-seed": { value: "N", help: "start at this seed (default 0): to share a table out" },
    steps: { value: "N", help: "train N steps instead of the full length" },
    epochs: { value: "N", help: "train N passes over the data instead" },
    data: {
      path: true,
      value: "PATH",
      help: "MNIST's files for stacked-mnist (default: synthetic digits); the images of images",
    },
    download: { help: "fetch MNIST for stacked-mnist first, into data/" },
    device: {
      value: "auto|webgpu|cpu",
      help: "where to compute (default auto: a GPU if there is one)",
    },
    runs: {
      path: true,
      value: "FOLDER",
      help: "the folder of all runs; results are kept there (default runs)",
    },
    out: { path: true, value: "FILE.md", help: "write the table to this file too" },
    ...DISTRIBUTED_OPTION,
  },
  examples: [
    "deno task reproduce ring                                  # the full table: days on a CPU",
    "deno task reproduce grid --recipes best --seeds 3",
    "deno task reproduce stacked-mnist --download --recipes gan,best --seeds 1",
    "deno task reproduce stacked-mnist --data mnist --seeds 2 --steps 2000 --out table.md",
    "mpirun -n 8 deno task reproduce ring                      # shared out, a run to a process",
    "deno task reproduce images --data photos --minutes 10 --seeds 3",
    "a run that is done is not run again: stop when you like, and go on with the same command",
  ],
};

/** Snapshots of each run. */
const SNAPSHOTS = 10;

/** The task, for tests that run several commands in a process. */
export const reproduceTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

/** What is asked for, and how long a full run of each recipe is. */
interface Request {
  problem: Problem;
  recipes: { recipe: RecipeName; config: RunConfig }[];
  full: { recipe: RecipeName; steps: number }[];
  seeds: number;
  firstSeed: number;
}

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const ranks = openRanks(command);
  if (command.positionals[0] === IMAGES) {
    if (ranks.size === 1) return await reproduceImagesTask(command);
    throw new UserError(
      `Cannot reproduce ${IMAGES} in ${ranks.size} processes: its recipes are timed one after the other; ` +
        "start one process",
    );
  }
  const isWriter = ranks.rank === 0;
  const request = await rankZeroFirst(ranks, () => readRequest(command));
  const { problem, recipes, full, seeds } = request;
  const out = readOut(command);
  for (const [index, { recipe, config }] of recipes.entries()) {
    const steps = await plannedSteps(config);
    const short = steps < full[index].steps ? ` of ${formatInteger(full[index].steps)}` : "";
    if (!isWriter) continue;
    console.log(
      `plan      ${recipeTitle(recipe)}: ${seeds} x ${formatInteger(steps)}${short} steps`,
    );
  }
  const reproduction = await withInterrupt(
    (signal) => runAll(request, { signal, ranks, runsFolder: command.text("runs") }),
    () => console.log("stopping  after this chunk of steps, to save a checkpoint"),
  );
  if (!reproduction) return { exitCode: 130, json: { interrupted: true } };
  const { results, interrupted, file } = reproduction;
  if (!isWriter) return { exitCode: interrupted ? 130 : 0, json: NO_JSON };
  const json = { problem: problem.name, results, interrupted, file };
  const lines = results.length === 0 ? [] : [
    `${problem.title}.`,
    "",
    reproductionTable(problem, results),
    "",
    `Published: ${problem.source}. Mean +- standard error.`,
    "",
    "The full table takes:",
    "",
    ...fullTableText(problem, full, results).map((line) => `- ${line}`),
  ];
  if (lines.length) console.log("\n" + lines.join("\n") + "\n");
  if (results.length) console.log(`results   ${file}`);
  if (out !== undefined && lines.length) {
    await writeFileAtomically(out, new TextEncoder().encode(lines.join("\n") + "\n"));
    console.log(`wrote     ${out}`);
  }
  if (!interrupted) return { json };
  console.log("stopped   the same command goes on from here");
  return { exitCode: 130, json };
}

async function readRequest(command: ParsedCommand): Promise<Request> {
  const [name] = command.positionals;
  if (name === undefined) {
    throw new UserError(
      `Cannot reproduce: name a table, one of ${Object.keys(PROBLEMS).join(", ")}, or ${IMAGES}`,
    );
  }
  for (const option of ["minutes", "python"]) {
    if (command.text(option) === undefined) continue;
    throw new UserError(
      `Cannot reproduce ${name} with --${option}: it is for ${IMAGES}; leave it away`,
    );
  }
  const problem = findProblem(name);
  const seeds = command.integer("seeds", { min: 1, max: 1000 }) ?? problem.fullSeeds;
  const firstSeed = command.integer("first-seed", { min: 0, max: 1_000_000 }) ?? 0;
  const steps = command.integer("steps", { min: 1 });
  const epochs = command.integer("epochs", { min: 1 });
  if (steps !== undefined && epochs !== undefined) {
    throw new UserError(
      "Cannot reproduce: --steps and --epochs both say how long; give one of them",
    );
  }
  const device = command.choice("device", ["auto", "webgpu", "cpu"]) ?? "auto";
  const path = command.text("data");
  if (path !== undefined && problem.name !== "stacked-mnist") {
    throw new UserError(
      `Cannot reproduce ${problem.name} with --data ${path}: its points are synthetic; leave --data away`,
    );
  }
  const names = parseRecipes(command.text("recipes") ?? "gan,pacgan2,best");
  const fetched = command.flag("download") ? await fetchDigits(problem, path) : undefined;
  const recipes: Request["recipes"] = [];
  const full: Request["full"] = [];
  for (const recipe of names) {
    const own = { ...recipeConfig(problem.name, recipe), device };
    if (path !== undefined) own.data = withDataPath(own.data, path);
    if (fetched) own.data = fetched;
    const fullSteps = await plannedSteps(own);
    full.push({ recipe, steps: fullSteps });
    const wanted = epochs === undefined
      ? steps ?? fullSteps
      : await plannedSteps({ ...own, duration: { epochs } });
    const config = withLength(own, wanted, fullSteps);
    const everySteps = Math.ceil(wanted / SNAPSHOTS);
    config.snapshots = { ...config.snapshots, everyEpochs: undefined, everySteps };
    recipes.push({ recipe, config });
  }
  return { problem, recipes, full, seeds, firstSeed };
}

/** MNIST for stacked digits, from its server. */
async function fetchDigits({ name }: Problem, path: string | undefined): Promise<DataSpec> {
  if (path !== undefined) {
    throw new UserError(
      `Cannot reproduce with --download and --data ${path}: both say where the digits are; give one`,
    );
  }
  if (name !== "stacked-mnist") {
    throw new UserError(
      `Cannot reproduce ${name} with --download: its points are synthetic; leave --download away`,
    );
  }
  return await download(recipeConfig(name, "gan").data, console.log);
}

function readOut(command: ParsedCommand): string | undefined {
  const out = command.text("out");
  if (out === undefined || /\.md$/i.test(out)) return out;
  throw new UserError(`Cannot write ${out}: expected a name that ends in .md`);
}

async function runAll(
  { problem, recipes, seeds, firstSeed }: Request,
  { signal, ranks, runsFolder }: {
    signal: AbortSignal;
    ranks: Communicator;
    runsFolder: string | undefined;
  },
): Promise<Reproduction> {
  const isQuiet = ranks.size > 1; // lines of several runs at once would mix
  let watch = isQuiet ? silentWatch() : watchRun();
  return await reproduce(problem, { recipes, seeds, firstSeed }, {
    runsFolder,
    signal,
    ranks,
    onRun({ recipe, seed, done }) {
      if (done) return;
      if (!isQuiet) watch = watchRun();
      console.log(`\nrun       ${recipeTitle(recipe)}, seed ${seed}`);
      return watch.callbacks;
    },
    onStage: (what) => {
      watch.finish();
      console.log(`measures  ${what}`);
    },
    onResult({ recipe, seed, modes, highQuality, kl, seconds }) {
      const quality = highQuality === undefined
        ? ""
        : `, high quality ${(100 * highQuality).toFixed(1)}%`;
      console.log(
        `result    ${
          recipeTitle(recipe)
        }, seed ${seed}: ${modes} of ${problem.modes} modes${quality}, ` +
          `KL ${kl === null ? "not known" : kl.toFixed(3)}, ${formatDuration(seconds)} of training`,
      );
    },
  });
}
