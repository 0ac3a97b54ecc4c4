/** `deno task train` for presets of several networks: what differs from a GAN's run. */
import { configDifferences } from "../../src/config/differences.ts";
import type { ModelRunDraft } from "../../src/config/check_model.ts";
import { isModelPreset, modelPresetDraft } from "../../src/config/presets/models/mod.ts";
import { UserError } from "../../src/errors.ts";
import { assignToDraft, openModelRun } from "../../src/pipeline/models/open_model_run.ts";
import { type FinishedModelFiles, finishModelRun } from "../../src/pipeline/models/finish_model.ts";
import {
  closeData,
  type CompletedModelTraining,
  type ModelRunCallbacks,
  type ModelRunStart,
  runModelTraining,
} from "../../src/pipeline/models/model_training.ts";
import { cacheOptions } from "../../src/pipeline/open_data.ts";
import { evaluationText } from "../../src/evaluation/evaluation_plan.ts";
import { processMemory, ProgressLine } from "../../src/report/progress.ts";
import {
  findRun,
  isModelConfigFile,
  readModelConfig,
  readModelDraft,
} from "../../src/run/run_folder.ts";
import { formatBytes, formatDuration, formatInteger, formatQuantity } from "../../src/text.ts";
import { planRun } from "../../src/training/schedule.ts";
import type { ParsedCommand, TaskOutcome } from "../../cli/command.ts";
import { readCacheFolder } from "./cache_folder.ts";
import { LoadingBar } from "./loading_bar.ts";
import { measureLines } from "./measure_lines.ts";
import { printNetwork } from "./dry_run.ts";
import { trainToEnd } from "./train_to_end.ts";
import { withInterrupt } from "./watch.ts";

/** Options that are for GANs of two networks only. */
const GAN_OPTIONS = [
  "label",
  "missing",
  "broken",
  "download",
  "conditional",
  "from",
  "freeze-d",
] as const;

/** Whether a command trains a model of several networks. */
export async function isModelCommand(command: ParsedCommand): Promise<boolean> {
  const [given] = command.positionals;
  const resumed = command.text("resume");
  if (resumed !== undefined) {
    const path = await findRun(resumed, runsFolderOf(command)).catch(() => undefined);
    return path !== undefined && await isModelConfigFile(`${path}/config.json`);
  }
  if (given === undefined) return false;
  return /\.json$/i.test(given) ? await isModelConfigFile(given) : isModelPreset(given);
}

interface ModelRequest {
  draft: ModelRunDraft;
  /** Options of networks that are still to be made. */
  later: string[];
  runsFolder: string;
  resume?: string;
  changes: string[];
}

/** Trains a model, or shows the plan. */
export async function trainModelCommand(command: ParsedCommand): Promise<TaskOutcome> {
  const request = await readModelRequest(command);
  const watch = watchModel();
  for (const change of request.changes) watch.log(`changed   ${change}`);
  if (command.flag("dry-run")) return await printModelPlan(request, { command, watch });
  const { runsFolder, resume } = request;
  const { callbacks } = watch;
  return await trainToEnd({
    async train(signal, onFolder) {
      const run = await runModelTraining({
        draft: request.draft,
        assignments: request.later,
        runsFolder,
        cacheFolder: readCacheFolder(command),
        resume,
        signal,
        callbacks: {
          ...callbacks,
          onStart(start) {
            onFolder(start.folder);
            callbacks.onStart?.(start);
          },
        },
      });
      watch.finish();
      return run;
    },
    finish: async (run, signal) =>
      summarizeModel(run, await finishModelRun(run, { signal, onStage: callbacks.onStage })),
    log: watch.log,
    isWriter: true,
  });
}

/** Prints what came of a run. @returns what `--json` prints */
function summarizeModel(
  { folder, result }: CompletedModelTraining,
  { exported, evaluation, report, images, step }: FinishedModelFiles,
): Record<string, unknown> {
  console.log(
    `trained   ${formatInteger(result.step)} steps in ${formatDuration(result.wallSeconds)}`,
  );
  console.log(
    `exported  ${exported.path}, ${formatBytes(exported.sizeBytes)}, opset ` +
      `${exported.opset}, of ${exported.inputNames.join(" and ")}` +
      (step === result.step ? "" : `: the best, of step ${formatInteger(step)}`),
  );
  console.log("checked   the file gives what the trainer gives");
  for (const line of measureLines(evaluation)) console.log(line);
  console.log(`images    ${images.join(", ")}`);
  console.log(`report    ${report}`);
  return {
    run: folder.path,
    step: result.step,
    wallSeconds: result.wallSeconds,
    scalars: result.scalars,
    ...(result.best ? { best: result.best } : {}),
    exportedStep: step,
    generator: exported.path,
    generatorBytes: exported.sizeBytes,
    measures: evaluation.measures,
    report,
  };
}

function runsFolderOf(command: ParsedCommand): string {
  return (command.text("out") ?? "runs").replace(/(?<=.)\/+$/, "");
}

async function readModelRequest(command: ParsedCommand): Promise<ModelRequest> {
  const runsFolder = runsFolderOf(command);
  const resumed = command.text("resume");
  const [given] = command.positionals;
  const what = resumed ?? given;
  for (const name of GAN_OPTIONS) {
    const isGiven = name === "download" || name === "conditional"
      ? command.flag(name)
      : command.text(name) !== undefined;
    if (isGiven) {
      throw new UserError(
        `Cannot train ${what} with --${name}: that is for GANs of a generator and a discriminator`,
      );
    }
  }
  if (resumed === undefined) {
    const size = command.text("size");
    if (size !== undefined && (given.includes("@") || given.endsWith(".json"))) {
      throw new UserError(
        `Cannot train ${given} with --size ${size}: ${
          given.includes("@") ? "both say" : "the config says"
        } how large the images are; give one of them`,
      );
    }
    const base = given.endsWith(".json")
      ? await readModelDraft(given)
      : modelPresetDraft(size === undefined ? given : `${given}@${size}`);
    const { draft, later } = withModelOptions(base, command);
    return { draft, later, runsFolder, changes: [] };
  }
  if (given !== undefined) {
    throw new UserError(
      `Cannot resume ${resumed} as ${given}: a resumed run keeps its own config; leave the preset away, ` +
        "and change options with --set",
    );
  }
  const resume = await findRun(resumed, runsFolder);
  const before = await readModelConfig(resume);
  const { draft } = withModelOptions(before, command);
  const changes = configDifferences(before, draft);
  const structural = changes.find((change) =>
    /^(model\.(networks|values|latent|output)|recipe)[.:]/.test(change)
  );
  if (structural !== undefined) {
    throw new UserError(
      `Cannot resume ${resumed} with another network (${structural}): its weights would not fit; start a ` +
        "new run",
    );
  }
  return { draft, later: [], runsFolder, resume, changes };
}

function withModelOptions(
  base: ModelRunDraft,
  command: ParsedCommand,
): { draft: ModelRunDraft; later: string[] } {
  const config = structuredClone(base);
  const steps = command.integer("steps", { min: 1 });
  const epochs = command.integer("epochs", { min: 1 });
  if (steps !== undefined && epochs !== undefined) {
    throw new UserError("Cannot train: --steps and --epochs both say how long; give one of them");
  }
  if (steps !== undefined) config.duration = { steps };
  if (epochs !== undefined) config.duration = { epochs };
  config.batchSize = command.integer("batch", { min: 1 }) ?? config.batchSize;
  config.seed = command.integer("seed", { min: 0, max: 0xffff_ffff }) ?? config.seed;
  config.device = command.choice("device", ["auto", "webgpu", "cpu"]) ?? config.device;
  const every = command.integer("evaluate-every", { min: 0 });
  if (every === 0) delete config.evaluation;
  else if (every !== undefined) config.evaluation = { ...config.evaluation, everySteps: every };
  if (command.flag("tensorboard")) config.tensorboard = true;
  const path = command.text("data");
  const { data } = config;
  if (path !== undefined && data) config.data = { ...data, path };
  const columns = command.text("columns");
  if (columns !== undefined) {
    if (data === undefined || !("columns" in data || takesColumns(data.source))) {
      throw new UserError(
        `Cannot train ${config.recipe?.preset ?? "the model"} with --columns: its data have none`,
      );
    }
    Object.assign(config.data!, { columns: columns.split(",").map((name) => name.trim()) });
  }
  const { draft, later } = assignToDraft(config, command.list("set"));
  const choice = command.choice("export", ["best", "last"]);
  if (choice !== undefined && draft.evaluation) draft.evaluation.export = choice;
  else if (choice === "best") {
    throw new UserError(
      "Cannot export the best checkpoint: nothing is measured in this run; add --evaluate-every N",
    );
  }
  return { draft, later };
}

/** Whether a source is a table. */
function takesColumns(source: string): boolean {
  return source === "table";
}

interface ModelWatch {
  callbacks: ModelRunCallbacks;
  log(message: string): void;
  finish(): void;
}

/** Prints what happens to a run. */
function watchModel(): ModelWatch {
  let line = new ProgressLine();
  const loading = new LoadingBar();
  let start: ModelRunStart | undefined;
  const log = (message: string) => line.log(message);
  return {
    log,
    finish() {
      loading.finish();
      line.finish();
    },
    callbacks: {
      onLoading: (progress) => loading.update(progress),
      onData(data) {
        loading.finish();
        log(`data      ${data.description}`);
        for (const note of data.notes) log(`note      ${note}`);
      },
      onStage: (what) => log(`prepare   ${what}`),
      onEngine({ description, reason, hint }) {
        log(`device    ${description} (${reason})`);
        if (hint) log(`hint      ${hint}`);
      },
      onStart(given) {
        start = given;
        line = new ProgressLine({ unit: given.unit, memory: processMemory });
        const networks = Object.entries(given.parameters).map(([name, count]) =>
          `${name} ${formatInteger(count)}`
        );
        log(`networks  ${networks.join(", ")} parameters`);
        log(`run       ${given.folder}`);
        if (given.remark) log(`note      ${given.remark}`);
        const from = given.step ? `on from step ${formatInteger(given.step)}` : "from the start";
        log(`training  ${from} to step ${formatInteger(given.totalSteps)}; Ctrl-C saves and stops`);
      },
      onEvaluation({ line: found, measure, isBest }) {
        const step = formatInteger(found.step);
        const figures = evaluationText(found, measure);
        log(`measured  step ${step}: ${figures}${isBest ? " (the best so far)" : ""}`);
      },
      onProgress(progress) {
        const { scalars } = progress;
        const shown = (start?.updates ?? []).flatMap((name) => {
          const value = scalars[`${name}Loss`];
          return value === undefined ? [] : [[name, value] as const];
        });
        line.update({ ...progress, shown: Object.fromEntries(shown) });
      },
      onWarning: (message) => log(`warning   ${message}`),
    },
  };
}

/** Prints the plan of a run; nothing is written. */
async function printModelPlan(
  { draft, later, runsFolder }: ModelRequest,
  { command, watch }: { command: ParsedCommand; watch: ModelWatch },
): Promise<TaskOutcome> {
  const { onData, onLoading } = watch.callbacks;
  const plan = await withInterrupt(async (signal) => {
    const opened = await openModelRun(draft, {
      assignments: later,
      signal,
      onProgress: onLoading,
      onData,
      ...cacheOptions(readCacheFolder(command), runsFolder),
    });
    const { config, data, step } = opened;
    closeData(data);
    const { duration, checkpoints = { keep: 1 } } = config;
    const { totalSteps, stepsPerEpoch } = planRun({
      duration,
      checkpoints,
      snapshots: { rows: 1, columns: 1 },
    }, { sampleCount: data.count, samplesPerStep: step.samplesPerStep });
    for (const [name, network] of Object.entries(step.networks)) printNetwork(name, network);
    const state = step.initialState(config.seed ?? 0);
    const stateBytes = Object.values(state).reduce((sum, each) => sum + each.data.byteLength, 0);
    for (const { name, networks, terms } of config.model.updates) {
      const sum = terms.map((term) => `${term.weight ?? 1} ${term.name}`).join(" + ");
      console.log(`update    ${name} of ${networks.join(", ")}: ${sum}`);
    }
    console.log(
      `plan      ${formatInteger(totalSteps)} steps of ${step.samplesPerStep} samples, ` +
        `${formatInteger(stepsPerEpoch)} steps an epoch`,
    );
    console.log(`          ${formatQuantity(stateBytes, "B")} of weights and optimizer state`);
    return {
      data: { name: data.name, count: data.count },
      parameters: Object.fromEntries(
        Object.entries(step.networks).map(([name, { layers }]) => [
          name,
          layers.reduce((sum, { parameterCount }) => sum + parameterCount, 0),
        ]),
      ),
      totalSteps,
      stateBytes,
    };
  }, () => watch.log("stopping  before the data are open"));
  return plan ? { json: plan } : { exitCode: 130, json: { interrupted: true } };
}
