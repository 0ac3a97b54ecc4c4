/** `deno task train`: trains, exports, checks the export, samples from it, and says where everything is. */
import { presets, SIZED_PRESETS } from "../src/config/presets/mod.ts";
import { MODEL_PRESETS } from "../src/config/presets/models/mod.ts";
import type { RunStart } from "../src/pipeline/run_options.ts";
import { resumeRun, trainRun } from "../src/pipeline/train_run.ts";
import {
  type CommandSpec,
  NO_JSON,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";
import { DISTRIBUTED_OPTION, openRanks } from "../cli/ranks.ts";
import { cacheOptions } from "../src/pipeline/open_data.ts";
import { PhaseProfile } from "../src/distributed/profile.ts";
import { UserError } from "../src/errors.ts";
import { rankZeroFirst } from "../src/pipeline/ranks.ts";
import { readCacheFolder } from "./cli/cache_folder.ts";
import { openDashboard } from "./cli/open_dashboard.ts";
import { download } from "./cli/download.ts";
import { printPlan } from "./cli/dry_run.ts";
import { summarize } from "./cli/summary.ts";
import { readTrainRequest } from "./cli/train_config.ts";
import { isModelCommand, trainModelCommand } from "./cli/train_model.ts";
import { trainToEnd } from "./cli/train_to_end.ts";
import { silentWatch, watchRun, withInterrupt } from "./cli/watch.ts";

const spec: CommandSpec = {
  name: "train",
  summary: "Trains a GAN, exports its generator as ONNX, and samples from the file.",
  positionals: "[PRESET | CONFIG.json]",
  maxPositionals: 1,
  options: {
    data: {
      path: true,
      value: "PATH",
      help: "train on these files: MNIST, CIFAR, images, .npy, .npz or .csv",
    },
    label: { value: "COLUMN", help: "the column or array of the data that holds classes" },
    columns: { value: "A,B,...", help: "the columns of a table that points are made of" },
    missing: { value: "refuse|drop", help: "rows of a table with missing values (default refuse)" },
    broken: { value: "refuse|skip", help: "images that cannot be read (default refuse)" },
    download: { help: "fetch MNIST or CIFAR-10 first, into data/" },
    out: { path: true, value: "FOLDER", help: "the folder of all runs (default runs)" },
    cache: {
      path: true,
      value: "FOLDER|none",
      help: "where decoded images are kept for the next time (default cache, beside the runs)",
    },
    steps: { value: "N", help: "train N steps" },
    epochs: { value: "N", help: "train N passes over the data" },
    batch: { value: "N", help: "real samples a step" },
    size: {
      value: "HxW",
      help:
        "images of this size, 64 or 48x64: cropped to it, and networks made for it (dcgan, ...)",
    },
    seed: { value: "N", help: "decides every random number" },
    device: {
      value: "auto|webgpu|cpu",
      help: "where to compute (default auto: a GPU if there is one)",
    },
    ...DISTRIBUTED_OPTION,
    profile: { help: "print where the time of several processes went, on rank 0" },
    tensorboard: {
      help: "write TensorBoard event files into the run's folder",
    },
    "evaluate-every": {
      value: "N",
      help: "measure samples each N steps, and keep the best checkpoint (0: not at all)",
    },
    export: { value: "best|last", help: "which checkpoint to export at the end (default last)" },
    conditional: { help: "use the data's labels, in networks that have no layer for them too" },
    from: {
      path: true,
      value: "RUN|FILE",
      help: "start with the weights of a run or a .safetensors file, where names and shapes fit",
    },
    "freeze-d": {
      value: "N",
      help: "keep the weights of the discriminator's first N layers as they are (FreezeD)",
    },
    resume: { path: true, value: "RUN|latest", help: "continue a run from its last checkpoint" },
    dashboard: { help: "show the runs live in a local page meanwhile (deno task dashboard)" },
    "dry-run": { help: "print networks, data and plan, and train nothing" },
    set: {
      value: "PATH=VALUE",
      repeated: true,
      help: "set any option of the config; may be repeated",
    },
  },
  examples: [
    "deno task train                                  # digits that need no data, in about a minute",
    "deno task train mnist-mlp --data mnist --epochs 2",
    "deno task train cifar-dcgan --download",
    "deno task train --resume latest --steps 5000",
    "deno task train mnist-mlp --data mnist --set generatorOptimizer.learningRate=2e-4",
    "deno task train dcgan@64 --data mine --from 12 --freeze-d 2",
    "deno task train --evaluate-every 500 --set evaluation.measure=frechet --export best",
    "deno task train pix2pix --data facades --set data.pairs=side-by-side --size 128",
    "deno task train dcgan --size 64x128 --data photos --conditional --dry-run",
    "mpirun -n 4 deno task train cifar-dcgan --data photos   # see docs/cluster.md",
  ],
  notes: [
    `Presets: ${Object.keys(presets).join(", ")}`,
    `Of any size, by --size or as in dcgan@64, r3gan@32x32x1 (gray), dcgan@64x128 (height x width):`,
    `  ${SIZED_PRESETS.join(", ")}`,
    `Models of several networks (docs/models.md): ${MODEL_PRESETS.join(", ")}`,
  ],
};

/** The task, for tests that run several commands in a process. */
export const trainTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const opened = openRanks(command);
  const profile = command.flag("profile") ? new PhaseProfile() : undefined;
  if (profile && opened.size === 1) {
    throw new UserError(
      "Cannot profile one process: --profile shows where the time of several goes; start them with mpirun",
    );
  }
  const ranks = profile?.wrap(opened) ?? opened;
  const isWriter = ranks.rank === 0;
  if (await isModelCommand(command)) {
    if (ranks.size === 1) return await trainModelCommand(command);
    throw new UserError(
      `Cannot train a model of several networks in ${ranks.size} processes, only GANs of two; start one, or ` +
        "say --distributed off",
    );
  }
  const request = await readTrainRequest(command);
  const watch = isWriter ? watchRun() : silentWatch();
  for (const choice of request.choices) watch.log(choice);
  for (const change of request.changes) watch.log(`changed   ${change}`);
  const config = command.flag("download")
    ? {
      ...request.config,
      data: await rankZeroFirst(ranks, () => download(request.config.data, watch.log)),
    }
    : request.config;
  if (command.flag("dry-run")) {
    if (!isWriter) return { json: NO_JSON };
    const cache = cacheOptions(readCacheFolder(command), request.runsFolder);
    const plan = await withInterrupt(
      (signal) => printPlan(config, { ...cache, signal, onProgress: watch.callbacks.onLoading }),
      () => watch.log("stopping  before the data are open"),
    );
    return plan ? { json: plan } : { exitCode: 130, json: { interrupted: true } };
  }

  await using dashboard = command.flag("dashboard") && isWriter
    ? await openDashboard(request.runsFolder)
    : undefined;
  if (dashboard) watch.log(`dashboard ${dashboard.address}`);
  return await trainToEnd({
    async train(signal, onFolder) {
      const { callbacks } = watch;
      const options = {
        ...callbacks,
        runsFolder: request.runsFolder,
        cacheFolder: readCacheFolder(command),
        signal,
        ranks,
        onStart(start: RunStart) {
          onFolder(start.folder);
          callbacks.onStart?.(start);
        },
      };
      const run = request.resume === undefined
        ? await trainRun(config, options)
        : await resumeRun(request.resume, { ...options, config });
      watch.finish();
      for (const line of profile?.lines() ?? []) watch.log(`profile   ${line}`);
      return run;
    },
    finish: async (run, signal) => summarize(run, await run.finish({ signal }), watch.log),
    log: watch.log,
    isWriter,
  });
}
