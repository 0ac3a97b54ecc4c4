/** Running the tasks as a user does, in a process of their own, on a network that trains in a second. */
import { assertEquals } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";

export { TINY } from "../tiny_config.ts";

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

/** Waits until something is seen, or the process that would do it has ended. */
export async function waitFor(
  condition: () => Promise<boolean>,
  child: Deno.ChildProcess,
): Promise<void> {
  const deadline = performance.now() + 600_000; // only for what hangs: loaded machines are slow
  let ended = false;
  child.status.then(() => ended = true);
  while (!ended && !(await condition())) {
    if (performance.now() > deadline) throw new Error("waited ten minutes in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends a signal to a process that may have ended. */
export function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what Deno says of one that has
  }
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

/** Writes a config that `deno task train` can read. */
export async function writeConfig(folder: string, config: RunConfig): Promise<string> {
  const path = `${folder}/${config.preset}.json`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

/** Options of a run that keeps a checkpoint before its last one: that of step 2. */
export const MIDWAY = ["--set", 'checkpoints={"everySteps":2,"keep":2}'];

/**
 * Takes the last checkpoint from the only run of a folder, so that the run continues from step 2, and resumes it.
 * @param step its last step
 * @returns what `--json` printed, and the SHA-256 of the last state of the whole run and of the resumed one
 */
export async function resumedMidway(folder: string, step: number) {
  const runs = `${folder}/runs`;
  const [name] = Array.from(Deno.readDirSync(runs), (entry) => entry.name);
  const checkpoints = `${runs}/${name}/checkpoints`;
  const whole = await readLatestCheckpoint(checkpoints);
  assertEquals(whole.step, step);
  await Deno.remove(`${checkpoints}/${String(step).padStart(8, "0")}`, { recursive: true });
  assertEquals((await readLatestCheckpoint(checkpoints)).step, 2);
  const resumed = await runTask("train", ["--resume", "latest", "--json"], folder);
  assertEquals(resumed.code, 0, resumed.stderr);
  const last = await readLatestCheckpoint(checkpoints);
  assertEquals(last.step, step);
  return {
    json: JSON.parse(resumed.stdout.trim().split("\n").at(-1)!),
    state: { whole: whole.stateSha256, resumed: last.stateSha256 },
  };
}
