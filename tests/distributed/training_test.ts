/**
 * Runs of several ranks over mpirun, through the train command: one writes, all agree with one process,
 * any number resumes, and a rank that fails, differs or is killed ends all.
 */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { readCheckpoint } from "../../src/run/checkpoint.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { TINY } from "../tiny_config.ts";
import { hasMpirun, MPIRUN_REASON, ranksCommand, runRanks } from "./mpirun.ts";

const TRAIN = new URL("../../tasks/train.ts", import.meta.url).pathname;
const PROGRAM = new URL("training_program.ts", import.meta.url).pathname;

/** Trains in a moment, in batches that 2 and 3 ranks can share, without batch norm. */
const CONFIG: RunConfig = {
  ...TINY,
  batchSize: 12,
  data: { source: "digits", count: 48, size: 8 },
  duration: { steps: 6 },
  generator: {
    ...TINY.generator,
    layers: TINY.generator.layers.filter(({ type }) => type !== "batch-norm"),
  },
  snapshots: { rows: 2, columns: 2 },
  checkpoints: { everySteps: 3, keep: 2 },
};

/** A test that needs mpirun. */
function mpiTest(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({
    name: name + MPIRUN_REASON,
    ignore: !hasMpirun,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function writeConfig(folder: string, config: RunConfig, name = "config"): Promise<string> {
  const path = `${folder}/${name}.json`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

function runNamesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name);
}

async function stateAt(run: string, step: number): Promise<HostTensors> {
  return (await readCheckpoint(`${run}/checkpoints/${String(step).padStart(8, "0")}`)).state;
}

/** The largest difference of two elements. */
function largestDifference(a: HostTensors, b: HostTensors): number {
  assertEquals(Object.keys(a).sort(), Object.keys(b).sort());
  return Math.max(
    ...Object.entries(a).map(([name, { data }]) =>
      Math.max(...Array.from(data, (value, i) => Math.abs(value - b[name].data[i])))
    ),
  );
}

mpiTest(
  "1, 2 and 3 ranks train the same weights in one run folder; any number resumes",
  async (folder) => {
    const path = await writeConfig(folder, CONFIG);
    const run = (ranks: number) => `${folder}/${ranks}/00000-digits-tiny`;
    for (const ranks of [1, 2, 3]) {
      await Deno.mkdir(`${folder}/${ranks}`);
      const { code, stdout, stderr } = await runRanks(ranks, [PROGRAM, path, `${folder}/${ranks}`]);
      assertEquals(code, 0, stdout + stderr);
      assertEquals(stdout.match(/^from 0 to 6$/gm)?.length, 1, "rank 0 alone calls back");
      assertEquals(stdout.match(/^rank \d is at step 6$/gm)?.length, ranks);
      assertEquals(runNamesIn(`${folder}/${ranks}`), ["00000-digits-tiny"]);
    }
    const one = await stateAt(run(1), 6);
    for (const ranks of [2, 3]) {
      assertLess(
        largestDifference(one, await stateAt(run(ranks), 6)),
        1e-5,
      );
    }
    const lines = (await Deno.readTextFile(`${run(2)}/metrics.jsonl`)).trim().split("\n");
    assertEquals(JSON.parse(lines.at(-1)!).images, 72, "images of all ranks count");

    // Two ranks went to step 6; three go on to 9, and one process does the same.
    for (const [from, ranks] of [[2, 3], [1, 1]]) {
      const { code, stdout, stderr } = await runRanks(ranks, [
        PROGRAM,
        run(from),
        `${folder}/${from}`,
        "9",
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertStringIncludes(stdout, "from 6 to 9");
    }
    assertLess(largestDifference(await stateAt(run(1), 9), await stateAt(run(2), 9)), 1e-5);
  },
);

mpiTest(
  "as many ranks give the same bits, run after run; with weights averaged now and then too",
  async (folder) => {
    for (const distributed of [undefined, { every: 2 }]) {
      const path = await writeConfig(folder, { ...CONFIG, distributed });
      const hashes = new Set<string>();
      for (const run of ["a", "b"]) {
        const runs = `${folder}/${distributed ? "every" : "each"}-${run}`;
        await Deno.mkdir(runs);
        const { code, stdout, stderr } = await runRanks(2, [PROGRAM, path, runs]);
        assertEquals(code, 0, stdout + stderr); // each checkpoint compares the ranks' weights
        hashes.add(
          (await readCheckpoint(`${runs}/00000-digits-tiny/checkpoints/00000006`)).stateSha256,
        );
      }
      assertEquals(hashes.size, 1);
    }
  },
);

mpiTest("ranks that differ are refused at the start, with the difference", async (folder) => {
  const one = await writeConfig(folder, CONFIG);
  const other = await writeConfig(folder, { ...CONFIG, seed: 7 }, "other");
  const rest = ["--out", `${folder}/runs`];
  const deno = [Deno.execPath(), "run", "--no-check", "--no-prompt", "-R", "-W", "-E", "-S"];
  const { code, stderr } = await runRanks(1, [
    TRAIN,
    one,
    ...rest,
    ":",
    "-n",
    "1",
    ...deno,
    "--allow-ffi",
    TRAIN,
    other,
    ...rest,
  ]);
  assertEquals(code, 2, stderr);
  assertMatch(
    stderr,
    /error: rank 0 of 2 on \S+: Cannot train in 2 processes: rank 1 \(\S+\) differs from rank 0 \(\S+\): the config has seed: \d+ -> 7 \(rank 0 -> rank\); start all/,
  );
  assertEquals(stderr.match(/^error: /gm)?.length, 1, stderr);
});

mpiTest(
  "a run that diverges ends all ranks with one line that names the last checkpoint",
  async (folder) => {
    const { generatorOptimizer, divergence: _, ...config } = CONFIG;
    const path = await writeConfig(folder, {
      ...config,
      duration: { steps: 500 },
      generatorOptimizer: { ...generatorOptimizer, learningRate: 1e30 },
    });
    const { code, stderr } = await runRanks(2, [TRAIN, path, "--out", folder]);
    assertEquals(code, 1, stderr);
    assertMatch(
      stderr,
      /^error: rank 0 of 2 on \S+: Training stopped at step \d+ because .* is NaN; there is no checkpoint yet/m,
    );
    assertEquals(stderr.match(/^error: /gm)?.length, 1, stderr);
  },
);

/** Ends the process of a rank as soon as it has said its number. */
async function killRank(folder: string, rank: number): Promise<void> {
  const path = `${folder}/pid-${rank}`;
  for (;;) {
    const pid = Number(await Deno.readTextFile(path).catch(() => "0"));
    if (pid > 0) {
      Deno.kill(pid, "SIGKILL");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The steps of the checkpoints of a run, ascending. */
function savedSteps(run: string): number[] {
  try {
    return [...Deno.readDirSync(`${run}/checkpoints`)].map(({ name }) => Number(name))
      .filter((step) => !Number.isNaN(step)).sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** Trains without an end and saves often. */
const ENDLESS: RunConfig = {
  ...CONFIG,
  duration: { steps: 100_000 },
  checkpoints: { everySteps: 2, keep: 2 },
};

for (const [signal, what] of [["SIGINT", "Ctrl-C"], ["SIGUSR1", "SIGUSR1 to mpirun"]] as const) {
  mpiTest(`${what} saves a checkpoint and ends all ranks`, async (folder) => {
    const path = await writeConfig(folder, ENDLESS);
    // From Ctrl-C on mpirun gives ranks so many seconds, twice; by default one.
    const env = { OMPI_MCA_odls_base_sigkill_timeout: "4" };
    const child = ranksCommand(2, [TRAIN, path, "--out", folder], { env }).spawn();
    const run = `${folder}/00000-digits-tiny`;
    while (savedSteps(run).length === 0) await pause(50);
    Deno.kill(child.pid, signal);
    const { stdout } = await child.output();
    const text = new TextDecoder().decode(stdout);
    const step = Number(/stopped {3}at step ([\d,]+), saved/.exec(text)?.[1].replace(",", ""));
    assertEquals(savedSteps(run).at(-1), step, text);
    await stateAt(run, step);
  });
}

mpiTest(
  "ranks killed 20 times at random moments lose only the steps since a checkpoint",
  async (folder) => {
    const path = await writeConfig(folder, ENDLESS);
    const run = `${folder}/00000-digits-tiny`;
    const env = { OMPI_MCA_odls_base_sigkill_timeout: "0" }; // seconds that the others get to end
    let last = 0;
    let target = path;
    // Moments that differ from one run of the test to the next would make a failure that nobody can repeat.
    const moments = Array.from({ length: 20 }, (_, i) => (i * 7919) % 500);
    for (const [kill, ms] of moments.entries()) {
      const child = ranksCommand(2, [PROGRAM, target, folder], { env }).spawn();
      // Some die while they start, some while they train, some once they have saved.
      const awaited = [
        () => true,
        () => exists(`${folder}/started`),
        () => exists(`${folder}/started`),
        () => (savedSteps(run).at(-1) ?? 0) > last,
      ][kill % 4];
      let hasEnded = false;
      child.status.then(() => hasEnded = true);
      while (!awaited() && !hasEnded) await pause(20);
      if (hasEnded) throw new Error(new TextDecoder().decode((await child.output()).stderr));
      await pause(ms);
      await killRank(folder, kill % 2);
      const killedAt = performance.now();
      const { code, stderr } = await child.output();
      const text = new TextDecoder().decode(stderr);
      assert(code !== 0, text);
      assertLess(performance.now() - killedAt, 10_000);
      assertMatch(text, /process rank \d with PID \d+ on node \S+ exited on signal 9 \(Killed\)/);
      for (const name of ["pid-0", "pid-1", "started"]) {
        await Deno.remove(`${folder}/${name}`).catch(() => {});
      }
      const now = savedSteps(run).at(-1) ?? 0;
      assert(now >= last, `the checkpoint of step ${last} is lost, ${now} is left`);
      if (now > 0) {
        await stateAt(run, now); // whole: its hash is checked
        target = run;
      } else await Deno.remove(run, { recursive: true }).catch(() => {});
      last = now;
    }
    assert(last > 0, "no rank lived long enough to save");
    const { code, stdout, stderr } = await runRanks(2, [PROGRAM, run, folder, String(last + 2)]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `from ${last} to ${last + 2}`);
  },
);
