/**
 * The folder of a run: `runs/00012-<data>-<preset>/`. Everything about a run is in it, and nothing of
 * another run's is ever overwritten.
 */
import { UserError } from "../errors.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { ModelRunConfig, RunConfig } from "../config/types.ts";
import { checkConfig } from "../config/check_config.ts";
import { checkModelConfig, checkModelDraft, type ModelRunDraft } from "../config/check_model.ts";
import { removePartial } from "./checkpoint.ts";
import { ensureFolder, withSlashes, writeError, writeFileAtomically } from "../files.ts";

/** Where a run keeps its things. */
export interface RunFolder extends Disposable {
  /** The folder, relative to where the command runs, or absolute, as it was given. */
  path: string;
  /** Its last part. */
  name: string;
  /** `config.json` */
  configFile: string;
  /** `metrics.jsonl` */
  metricsFile: string;
  /** `events.jsonl` */
  eventsFile: string;
  /** `evaluations.jsonl` */
  evaluationsFile: string;
  /** `checkpoints` */
  checkpoints: string;
  /** `samples` */
  samples: string;
  /** Gives the folder up, so that another process may train in it. */
  [Symbol.dispose](): void;
}

const RUN_NAME = /^(\d{5,})-.+$/;

/**
 * Makes the folder of a new run and takes it for this process.
 * @param root the folder of all runs, made if it is not there
 * @throws {UserError} when it cannot be written
 */
export async function createRunFolder(
  root: string,
  config: RunConfig | ModelRunConfig,
  dataName: string,
): Promise<RunFolder> {
  const kind = "preset" in config
    ? config.preset
    : config.name ?? config.recipe?.preset ?? DEFAULTS.model.name;
  const label = [dataName, kind].map(slug).filter((part, index, all) =>
    index === 0 || part !== all[0]
  ).join("-");
  try {
    await Deno.mkdir(root, { recursive: true });
    let number = 1 + Math.max(-1, ...(await runNames(root)).map((name) => parseInt(name)));
    for (;;) {
      const path = `${root}/${String(number).padStart(5, "0")}-${label}`;
      try {
        await Deno.mkdir(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        number++;
        continue;
      }
      const folder = await takeFolder(path);
      await Deno.mkdir(folder.checkpoints);
      await Deno.mkdir(folder.samples);
      await writeConfig(folder, config);
      return folder;
    }
  } catch (error) {
    throw writeError(root, error);
  }
}

/** Writes `config.json`. */
export async function writeConfig(
  folder: RunFolder,
  config: RunConfig | ModelRunConfig,
): Promise<void> {
  const text = JSON.stringify(config, null, 2) + "\n";
  await writeFileAtomically(folder.configFile, new TextEncoder().encode(text));
}

/**
 * Finds a run's folder.
 * @param run its path, its name or number inside `root`, or "latest"
 * @throws {UserError} when there is none
 */
export async function findRun(run: string, root: string): Promise<string> {
  const names = await runNames(root);
  if (run === "latest") {
    if (names.length) return `${root}/${names[names.length - 1]}`;
    throw new UserError(
      `Cannot find the latest run: ${root} has none; train first, or name the folder of runs`,
    );
  }
  const path = withSlashes(run).replace(/(?<=.)\/+$/, "");
  if (await isFolder(path)) return path;
  const inside = names.find((name) =>
    name === path || (/^\d+$/.test(path) && parseInt(name) === Number(path))
  );
  if (inside) return `${root}/${inside}`;
  const known = names.length ? `${root} has ${names.slice(-3).join(", ")}` : `${root} has no runs`;
  throw new UserError(`Cannot find the run ${run}: there is no such folder, and ${known}`);
}

/**
 * Takes the folder of an existing run for this process.
 * @throws {UserError} when another process trains in it
 */
export async function openRunFolder(path: string): Promise<RunFolder> {
  const folder = await takeFolder(path);
  await ensureFolder(folder.checkpoints);
  await ensureFolder(folder.samples);
  await removePartial(folder.checkpoints);
  await removePartial(folder.path);
  return folder;
}

/**
 * Reads a run's `config.json`.
 * @throws {UserError} when the folder is not a run's, or the file is damaged
 */
export async function readRunConfig(path: string): Promise<RunConfig> {
  return await readConfigFile(`${path}/config.json`, `${path} as a run`);
}

/**
 * Reads a config file.
 * @param purpose what the caller wants with it, for the message
 * @throws {UserError} when it is missing, not JSON, or not a config
 */
export async function readConfigFile(file: string, purpose = file): Promise<RunConfig> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    const fault = error instanceof Deno.errors.NotFound
      ? "it is not there"
      : (error as Error).message;
    throw new UserError(`Cannot use ${purpose}: ${file} cannot be read, ${fault}`, {
      cause: error,
    });
  }
  const value = parseJson(text, file);
  if (typeof value === "object" && value !== null && "model" in value) {
    throw new UserError(
      `Cannot use ${file}: it is the config of a model of several networks, and a GAN's is expected here; ` +
        "trainModel() and resumeModel() of the library train it, and deno task train that of a preset",
    );
  }
  return checkConfig(value, file);
}

/** Whether a config file is that of a model of several networks; false where it cannot be read. */
export async function isModelConfigFile(file: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(file));
    return typeof value === "object" && value !== null && ("model" in value || "recipe" in value);
  } catch {
    return false; // the reader of a GAN's config says what is wrong
  }
}

/**
 * Reads a config file of a model of several networks, whose networks may still have to be made.
 * @throws {UserError} when it is missing, not JSON, or not such a config
 */
export async function readModelDraft(file: string): Promise<ModelRunDraft> {
  return checkModelDraft(parseJson(await Deno.readTextFile(file), file), file);
}

/**
 * Reads the `config.json` of a run of a model of several networks.
 * @throws {UserError} when it is missing, not JSON, or not such a config
 */
export async function readModelConfig(path: string): Promise<ModelRunConfig> {
  const file = `${path}/config.json`;
  try {
    return checkModelConfig(parseJson(await Deno.readTextFile(file), file), file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`Cannot use ${path} as a run: ${file} is not there`, { cause: error });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = (error as Error).message.replace(/\s+/g, " "); // it quotes the text, line breaks too
    throw new UserError(`Cannot use ${file}: it is not JSON, ${fault}`);
  }
}

/** The names of the runs in a folder, oldest first. */
export async function runNames(root: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(root)) {
      if (entry.isDirectory && RUN_NAME.test(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort((a, b) => parseInt(a) - parseInt(b) || (a < b ? -1 : 1));
}

async function takeFolder(path: string): Promise<RunFolder> {
  let lock: Deno.FsFile;
  try {
    lock = await Deno.open(`${path}/.lock`, { create: true, write: true });
  } catch (error) {
    throw writeError(path, error);
  }
  if (!(await takesLock(lock))) { // the system frees the lock when a process ends, however it ends
    lock.close();
    throw new UserError(
      `Cannot train in ${path}: another process is training in it; wait for it, or start a new run`,
    );
  }
  return {
    path,
    name: path.slice(path.lastIndexOf("/") + 1),
    configFile: `${path}/config.json`,
    metricsFile: `${path}/metrics.jsonl`,
    eventsFile: `${path}/events.jsonl`,
    evaluationsFile: `${path}/evaluations.jsonl`,
    checkpoints: `${path}/checkpoints`,
    samples: `${path}/samples`,
    [Symbol.dispose]: () => lock.close(),
  };
}

/** Tries twice: a dashboard takes the lock for a moment to see whether the run is going. */
async function takesLock(lock: Deno.FsFile): Promise<boolean> {
  if (await lock.tryLock(true)) return true;
  await new Promise((resolve) => setTimeout(resolve, 100));
  return await lock.tryLock(true);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40) ||
    "data";
}
