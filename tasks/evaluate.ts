/** `deno task evaluate`: measures an exported generator against its data. */
import { readCacheFolder } from "./cli/cache_folder.ts";
import { LoadingBar } from "./cli/loading_bar.ts";
import { withInterrupt } from "./cli/watch.ts";
import { formatInteger } from "../src/text.ts";
import { UserError } from "../src/errors.ts";
import { evaluateRun } from "../src/pipeline/evaluate_run.ts";
import { ASSUMPTION_OPTIONS, readAssumptions } from "../cli/assumptions.ts";
import {
  type CommandSpec,
  NO_JSON,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";
import { DISTRIBUTED_OPTION, openRanks } from "../cli/ranks.ts";
import { evaluateModelRun } from "../src/pipeline/models/evaluate_model.ts";
import { writeModelEvaluation } from "../src/pipeline/models/finish_model.ts";
import { findRun, isModelConfigFile } from "../src/run/run_folder.ts";
import { conclusion, modelConclusion } from "./cli/conclusion.ts";
import { evaluationLines } from "./cli/evaluation_table.ts";
import { measureLines } from "./cli/measure_lines.ts";

const spec: CommandSpec = {
  name: "evaluate",
  summary:
    "Measures an exported generator against its data; docs/measures.md explains each number.",
  positionals: "[RUN | latest | MODEL.onnx]",
  maxPositionals: 1,
  options: {
    data: {
      path: true,
      value: "PATH",
      help: "compare with these files, or with digits, ring-2d, ... (default: the run's own data)",
    },
    count: {
      value: "N",
      help: "samples (default: the data's count, at most 5,000; 10,000 with --features)",
    },
    seed: { value: "N", help: "the first sample's seed; the others have the next (default 0)" },
    features: {
      path: true,
      value: "EXTRACTOR.onnx",
      help: "take features from this file: one image input [N, C, H, W], output [N, D]",
    },
    label: {
      value: "K",
      help:
        "the class of all samples, by number or name (default: the data's labels, else by seed)",
    },
    ...ASSUMPTION_OPTIONS,
    k: { value: "N", help: "the neighbor that precision and recall reach to (default 5)" },
    runs: { path: true, value: "FOLDER", help: "the folder of all runs (default runs)" },
    cache: {
      path: true,
      value: "FOLDER|none",
      help: "where decoded images are kept for the next time (default cache, beside the runs)",
    },
    out: {
      path: true,
      value: "FILE.json",
      help: "where the figures go (default evaluation.json in the run)",
    },
    ...DISTRIBUTED_OPTION,
  },
  examples: [
    "deno task evaluate latest",
    "deno task evaluate runs/00003-mnist-mlp --count 10000 --features inception.onnx",
    "deno task evaluate generator.onnx --data photos/ --out evaluation.json",
    "mpirun -n 4 deno task evaluate latest --count 50000   # see docs/cluster.md",
  ],
};

/** Options that measure GANs only. */
const GAN_OPTIONS = ["data", "features", "label", "k", ...Object.keys(ASSUMPTION_OPTIONS)];

/** The task, for tests that run several commands in a process. */
export const evaluateTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const ranks = openRanks(command);
  const runsFolder = command.text("runs") ?? "runs";
  const target = command.positionals[0] ?? "latest";
  const run = await findRun(target, runsFolder).catch(() => undefined);
  if (run !== undefined && await isModelConfigFile(`${run}/config.json`)) {
    if (ranks.size === 1) return await evaluateModel(run, { command, runsFolder });
    throw new UserError(
      `Cannot evaluate ${run} in ${ranks.size} processes, only generators of two networks' GANs; start one, ` +
        "or say --distributed off",
    );
  }
  const isWriter = ranks.rank === 0;
  const log = (line: string) => isWriter && console.log(line);
  const loading = new LoadingBar();
  const evaluated = await withInterrupt(
    (signal) =>
      evaluateRun(command.positionals[0] ?? "latest", {
        signal,
        cacheFolder: readCacheFolder(command),
        ranks,
        onLoading: (progress) => isWriter && loading.update(progress),
        data: command.text("data"),
        count: command.integer("count", { min: 2, max: 1_000_000 }),
        seed: command.integer("seed", { min: 0, max: 0xffff_ffff }),
        features: command.text("features"),
        k: command.integer("k", { min: 1, max: 1000 }),
        label: readLabel(command),
        assume: readAssumptions(command),
        runsFolder: command.text("runs"),
        out: readOut(command),
        onData: (data, model) => {
          loading.finish();
          log(`model     ${model}`);
          log(`data      ${data.description}`);
        },
        onStage: (what) => log(`measures  ${what}`),
      }),
    () => log("stopping"),
  );
  if (!evaluated) return { exitCode: 130, json: { interrupted: true } };
  if (!isWriter) return { json: NO_JSON };
  const { evaluation, files } = evaluated;
  const { samples, model, seconds } = evaluation;
  const step = model.step === null ? "" : `, after ${formatInteger(model.step)} steps`;
  console.log(
    `measured  ${formatInteger(samples.count)} samples from seed ${samples.firstSeed} on, on ` +
      `${model.device}${step}, in ${seconds.toFixed(1)} s\n`,
  );
  console.log(evaluationLines(evaluation).join("\n"));
  console.log(`\nin short  ${conclusion(evaluation)}`);
  console.log(`wrote     ${files.join(", ")}`);
  return { json: { ...evaluation, files } };
}

async function evaluateModel(
  run: string,
  { command, runsFolder }: { command: ParsedCommand; runsFolder: string },
): Promise<TaskOutcome> {
  const given = GAN_OPTIONS.find((name) =>
    spec.options[name].repeated ? command.list(name).length > 0 : command.text(name) !== undefined
  );
  if (given !== undefined) {
    throw new UserError(
      `Cannot evaluate ${run} with --${given}: it is a model of several networks, which is measured on ` +
        "what its data hold back",
    );
  }
  const loading = new LoadingBar();
  const evaluation = await withInterrupt(
    (signal) =>
      evaluateModelRun(run, {
        runsFolder,
        cacheFolder: readCacheFolder(command),
        count: command.integer("count", { min: 1, max: 1_000_000 }),
        seed: command.integer("seed", { min: 0, max: 0xffff_ffff }),
        signal,
        onLoading: (progress) => loading.update(progress),
        onData: (data) => {
          loading.finish();
          console.log(`model     ${run}`);
          console.log(`data      ${data.description}`);
        },
        onStage: (what) => console.log(`measures  ${what}`),
        onWarning: (message) => console.error(`warning   ${message}`),
      }),
    () => console.log("stopping"),
  );
  if (!evaluation) return { exitCode: 130, json: { interrupted: true } };
  for (const line of measureLines(evaluation)) console.log(line);
  console.log(`in short  ${modelConclusion(evaluation)}`);
  const out = readOut(command) ?? `${run}/evaluation.json`;
  await writeModelEvaluation(out, evaluation);
  console.log(`wrote     ${out}`);
  return { json: { ...evaluation, files: [out] } };
}

function readLabel(command: ParsedCommand): number | string | undefined {
  const label = command.text("label");
  return label !== undefined && /^\d+$/.test(label) ? Number(label) : label;
}

function readOut(command: ParsedCommand): string | undefined {
  const out = command.text("out");
  if (out === undefined || /\.json$/i.test(out)) return out;
  throw new UserError(`Cannot write ${out}: expected a name that ends in .json`);
}
