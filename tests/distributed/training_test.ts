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
    for (const ranks of [1, 2, 3]) {
      const { code, stdout, stderr } = await runRanks(ranks, [
        TRAIN,
        path,
        "--out",
        `${folder}/${ranks}`,
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertEquals(stdout.match(/^run {7}/gm)?.length, 1, "one rank speaks");
      assertEquals([...Deno.readDirSync(`${folder}/${ranks}`)].length, 1, "one run folder");
    }
    const run = (ranks: number) => `${folder}/${ranks}/00000-digits-tiny`;
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
        TRAIN,
        "--resume",
        run(from),
        "--steps",
        "9",
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertStringIncludes(stdout, "on from step 6 to step 9");
    }
    assertLess(largestDifference(await stateAt(run(1), 9), await stateAt(run(2), 9)), 1e-5);
  },
);

mpiTest("ranks that average weights now and then end with one set of weights", async (folder) => {
  const path = await writeConfig(folder, { ...CONFIG, distributed: { every: 2 } });
  const { code, stdout, stderr } = await runRanks(2, [TRAIN, path, "--out", folder]);
  assertEquals(code, 0, stdout + stderr); // each checkpoint compares the ranks' weights
  const state = await stateAt(`${folder}/00000-digits-tiny`, 6);
  assert(Object.values(state).every(({ data }) => data.every(Number.isFinite)));
});

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
    assertMatch(stderr, /^error: rank 0 of 2 on \S+: .*diverged at step \d/m);
    assertEquals(stderr.match(/^error: /gm)?.length, 1, stderr);
  },
);

/** The processes that a process has started, on Linux. */
function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) {
        children.push(Number(name));
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}

mpiTest(
  "Ctrl-C saves; ranks killed 20 times at random moments lose only steps since a checkpoint",
  async (folder) => {
    const path = await writeConfig(folder, {
      ...CONFIG,
      duration: { steps: 100_000 },
      checkpoints: { everySteps: 5, keep: 2 },
    });
    const first = ranksCommand(2, [TRAIN, path, "--out", folder]).spawn();
    const run = `${folder}/00000-digits-tiny`;
    const savedSteps = () => {
      try {
        return [...Deno.readDirSync(`${run}/checkpoints`)].map(({ name }) => Number(name))
          .filter((step) => !Number.isNaN(step)).sort((a, b) => a - b);
      } catch {
        return [];
      }
    };
    while (savedSteps().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    Deno.kill(first.pid, "SIGINT");
    assertStringIncludes(
      new TextDecoder().decode((await first.output()).stdout),
      "saved; go on with",
    );
    let last = savedSteps().at(-1)!;
    // Moments that differ from run to run would make a failure that nobody can repeat.
    const moments = Array.from({ length: 20 }, (_, i) => 300 + (i * 7919) % 1700);
    for (const [kill, ms] of moments.entries()) {
      const child = ranksCommand(2, [TRAIN, "--resume", run]).spawn();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const victims = childrenOf(child.pid);
      const killedAt = performance.now();
      if (victims.length) Deno.kill(victims[kill % victims.length], "SIGKILL");
      const { code, stderr } = await child.output();
      const text = new TextDecoder().decode(stderr);
      assert(code !== 0, text);
      assertLess(performance.now() - killedAt, 10_000);
      assertMatch(text, /process rank \d with PID \d+ on node \S+ exited on signal 9 \(Killed\)/);
      const now = savedSteps().at(-1)!;
      assert(now >= last, `the checkpoint of step ${last} is lost, ${now} is left`);
      await stateAt(run, now); // whole: its hash is checked
      last = now;
    }
    const { code, stdout, stderr } = await runRanks(2, [
      TRAIN,
      "--resume",
      run,
      "--steps",
      String(last + 2),
    ]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `on from step`);
  },
);
