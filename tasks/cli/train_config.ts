/** From the arguments of `deno task train` to the config of a run. */
import { shortSize, withDataPath } from "../../src/config/data.ts";
import { parseImageShape } from "../../src/config/presets/image_shape.ts";
import { DEFAULT_PRESET, presetConfig, SIZED_PRESETS } from "../../src/config/presets/mod.ts";
import { withAssignments } from "../../src/config/assignments.ts";
import { configDifferences } from "../../src/config/differences.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { lookAtData } from "../../src/data/look.ts";
import { choosePreset } from "../../src/pipeline/choose_preset.ts";
import { UserError } from "../../src/errors.ts";
import { findRun, readConfigFile, readRunConfig } from "../../src/run/run_folder.ts";
import type { ParsedCommand } from "../../cli/command.ts";

/** What a train command asks for. */
export interface TrainRequest {
  config: RunConfig;
  /** The folder of all runs. */
  runsFolder: string;
  /** The run to go on in. */
  resume: string | undefined;
  /** Options that differ from those that the resumed run had, as `path: old -> new`. */
  changes: string[];
  /** What was chosen because the command did not say it, for the person. */
  choices: string[];
}

/**
 * Reads a train command.
 * @throws {UserError} for options that contradict each other or do not fit a config
 */
export async function readTrainRequest(command: ParsedCommand): Promise<TrainRequest> {
  const runsFolder = (command.text("out") ?? "runs").replace(/(?<=.)\/+$/, "");
  const resumed = command.text("resume");
  if (resumed === undefined) {
    const { config: base, choices } = await baseConfig(command);
    const config = withOptions(base, command);
    if (config.from !== undefined && !/\.safetensors$/i.test(config.from)) {
      config.from = await findRun(config.from, runsFolder); // a number means another run tomorrow
    }
    return {
      config,
      runsFolder,
      resume: undefined,
      changes: [],
      choices,
    };
  }
  if (command.positionals.length) {
    throw new UserError(
      `Cannot resume ${resumed} as ${
        command.positionals[0]
      }: a resumed run keeps its own config; ` +
        "leave the preset away, and change options with --set",
    );
  }
  const from = command.text("from");
  if (from !== undefined) {
    throw new UserError(
      `Cannot resume ${resumed} with --from ${from}: a resumed run has weights of its own; give one of them`,
    );
  }
  const resume = await findRun(resumed, runsFolder);
  const before = await readRunConfig(resume);
  const config = withOptions(before, command);
  const changes = configDifferences(before, config);
  const structural = changes.filter((change) =>
    /^(generator|discriminator|latent|version)[.:]/.test(change)
  );
  if (structural.length) {
    throw new UserError(
      `Cannot resume ${resumed} with another network (${
        structural[0]
      }): its weights would not fit; ` +
        "start a new run",
    );
  }
  return { config, runsFolder, resume, changes, choices: [] };
}

async function baseConfig(
  command: ParsedCommand,
): Promise<{ config: RunConfig; choices: string[] }> {
  const path = command.text("data");
  const size = command.text("size");
  if (command.positionals.length === 0 && path !== undefined && size === undefined) {
    const { config, name, reason } = choosePreset(await lookAtData({ source: "auto", path }));
    const few = config.batchSize < presetConfig(name).batchSize
      ? `, in batches of ${config.batchSize}`
      : "";
    return {
      config,
      choices: [`preset    ${name}${few}, for ${reason}; name another one to change it`],
    };
  }
  const fallback = path === undefined ? DEFAULT_PRESET : "dcgan";
  return { config: await namedConfig(command.positionals[0] ?? fallback, size), choices: [] };
}

async function namedConfig(given: string, size: string | undefined): Promise<RunConfig> {
  if (given.endsWith(".json")) return await readConfigFile(given);
  if (size === undefined) return presetConfig(given);
  if (given.includes("@")) {
    throw new UserError(
      `Cannot train ${given} with --size ${size}: both say how large the images are; give one of them`,
    );
  }
  return presetConfig(SIZED_PRESETS.includes(given) ? `${given}@${size}` : given);
}

function withOptions(base: RunConfig, command: ParsedCommand): RunConfig {
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
  const from = command.text("from");
  if (from !== undefined) config.from = from;
  const frozen = command.integer("freeze-d", { min: 0 });
  if (frozen !== undefined) config.freezeDiscriminator = frozen;
  const every = command.integer("evaluate-every", { min: 0 });
  if (every === 0) delete config.evaluation;
  else if (every !== undefined) {
    const { everyEpochs: _, ...kept } = config.evaluation ?? {};
    config.evaluation = { ...kept, everySteps: every };
  }
  if (command.flag("tensorboard")) config.tensorboard = true;
  if (command.flag("conditional")) config.conditional = true; // withAssignments() changes the networks
  const size = command.text("size");
  if (size !== undefined) {
    const { height, width, channels } = parseImageShape(size, config.preset);
    config.data = { ...config.data, size: shortSize([height, width]) };
    if (/x.*x/.test(size)) config.data.channels = channels;
  }
  const path = command.text("data");
  if (path !== undefined) config.data = withDataPath(config.data, path);
  const label = command.text("label");
  if (label !== undefined) config.data.label = label;
  const columns = command.text("columns");
  if (columns !== undefined) config.data.columns = columns.split(",").map((name) => name.trim());
  const missing = command.choice("missing", ["refuse", "drop"]);
  if (missing !== undefined) config.data.missing = missing;
  const broken = command.choice("broken", ["refuse", "skip"]);
  if (broken !== undefined) config.data.broken = broken;
  return withExport(fitImages(withAssignments(config, command.list("set"))), command);
}

function withExport(config: RunConfig, command: ParsedCommand): RunConfig {
  const choice = command.choice("export", ["best", "last"]);
  const { evaluation } = config;
  if (choice === undefined || (choice === "last" && !evaluation)) return config;
  if (evaluation) return { ...config, evaluation: { ...evaluation, export: choice } };
  throw new UserError(
    "Cannot export the best checkpoint: nothing is measured in this run; add --evaluate-every N",
  );
}

/** Lets files at a path be brought to the size and colors that the networks take, unless the config says otherwise. */
function fitImages(config: RunConfig): RunConfig {
  const { data, discriminator: { inputShape } } = config;
  const [height, width, channels] = inputShape;
  if (data.path !== undefined && inputShape.length === 3 && /\.csv$/i.test(data.path)) {
    throw new UserError(
      `Cannot train ${config.preset} on ${data.path}: its networks take images of ` +
        `[${
          inputShape.join(", ")
        }], and a CSV file holds points; use ring-2d, or networks of your own`,
    );
  }
  if (data.path === undefined || inputShape.length !== 3) return config;
  if (
    data.source === "csv" || data.source === "stacked-mnist" || ![1, 3, 4].includes(channels)
  ) return config;
  const kept = channels as 1 | 3 | 4;
  return { ...config, data: { size: shortSize([height, width]), channels: kept, ...data } };
}
