/** Running the tasks as a user does, in a process of their own, on a network that trains in a second. */
import type { RunConfig } from "../../src/config/run_config.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";

/** The repository. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** The permissions that deno.json gives a task. */
export async function taskArgs(name: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const [deno, ...args] = (tasks[name].command ?? tasks[name]).split(/\s+/);
  if (deno !== "deno") throw new Error(`deno task ${name} does not call deno`);
  return args.map((arg: string) => arg.startsWith("tasks/") ? ROOT + arg : arg);
}

/** What a task did. */
export interface TaskRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts `deno task NAME ARGS` with a folder as the place where it runs. */
export async function startTask(
  name: string,
  args: string[],
  cwd: string,
): Promise<Deno.ChildProcess> {
  const [run, ...rest] = await taskArgs(name);
  return new Deno.Command(Deno.execPath(), {
    args: [run, "--quiet", ...rest, ...args], // without Deno's own lines about downloads
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a task to its end. */
export async function runTask(name: string, args: string[], cwd: string): Promise<TaskRun> {
  const { code, stdout, stderr } = await (await startTask(name, args, cwd)).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ganforge-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// A schedule follows the planned length, which some tests change on resume.
const { learningRateSchedule: _, ...digits } = presetConfig("digits");

/** A run with everything that has state: batch norm, dropout, an average. */
export const TINY: RunConfig = {
  ...digits,
  preset: "tiny",
  device: "cpu",
  data: { source: "digits", count: 64, size: 8 },
  duration: { steps: 12 },
  batchSize: 4,
  latent: { dimension: 3, distribution: "normal" },
  generator: {
    inputShape: [3],
    init: "he-normal",
    layers: [
      { type: "dense", units: 8 },
      { type: "batch-norm" },
      { type: "activation", fn: "relu" },
      { type: "dense", units: 64 },
      { type: "activation", fn: "tanh" },
      { type: "reshape", shape: [8, 8, 1] },
    ],
  },
  discriminator: {
    inputShape: [8, 8, 1],
    init: "he-normal",
    layers: [
      { type: "flatten" },
      { type: "dense", units: 8 },
      { type: "activation", fn: "leaky-relu", alpha: 0.2 },
      { type: "dropout", rate: 0.3 },
      { type: "dense", units: 1 },
    ],
  },
  snapshots: { rows: 2, columns: 2, everySteps: 6 },
  checkpoints: { everySteps: 5, keep: 2 },
};

/** Writes a config that `deno task train` can read. */
export async function writeConfig(folder: string, config: RunConfig): Promise<string> {
  const path = `${folder}/${config.preset}.json`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}
