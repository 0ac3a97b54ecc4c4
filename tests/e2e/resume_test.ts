/** Interrupted runs: whatever ends a process, the run goes on as if nothing had happened. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fillUniform } from "../../src/random/counter_random.ts";
import { checkpointSteps, readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { inFolder, kill, runTask, startTask, TINY, waitFor, writeConfig } from "./cli.ts";

const STEPS = 120;
const KILLS = 20;
const config = {
  ...TINY,
  duration: { steps: STEPS },
  snapshots: { rows: 2, columns: 2, everySteps: 40 },
  checkpoints: { everySteps: 1, keep: 2 },
};

async function finalHash(run: string, steps = STEPS): Promise<string> {
  const checkpoint = await readLatestCheckpoint(`${run}/checkpoints`);
  assertEquals(checkpoint.step, steps);
  return checkpoint.stateSha256;
}

/** The state that an uninterrupted run reaches. */
async function referenceHash(folder: string, steps = STEPS): Promise<string> {
  const args = ["tiny.json", "--out", "reference", "--steps", String(steps)];
  const { code, stderr } = await runTask("train", args, folder);
  assertEquals(code, 0, stderr);
  return await finalHash(`${folder}/reference/00000-digits-tiny`, steps);
}

Deno.test("Ctrl-C saves and exits with 130; --resume reaches the bits of an uninterrupted run", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, config);
    const expected = await referenceHash(folder);
    const run = `${folder}/runs/00000-digits-tiny`;
    const child = await startTask("train", ["tiny.json"], folder);
    const isUnderWay = async () =>
      (await checkpointSteps(`${run}/checkpoints`)).some((step) => step >= 10);
    await waitFor(isUnderWay, child);
    kill(child, "SIGINT");
    const { code, stdout } = await child.output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 130, text);
    assertStringIncludes(text, "deno task train --resume runs/00000-digits-tiny");
    const stopped = (await readLatestCheckpoint(`${run}/checkpoints`)).step;
    assert(stopped < STEPS, `stopped at ${stopped}`);

    const resumed = await runTask("train", ["--resume", "latest"], folder);
    assertEquals(resumed.code, 0, resumed.stderr);
    assertStringIncludes(resumed.stdout, `on from step ${stopped}`);
    assertEquals(await finalHash(run), expected);
  }));

Deno.test("a run that is killed 20 times at random moments ends in the bits of an uninterrupted one", () =>
  inFolder(async (folder) => {
    const plenty = 2000; // a watcher that a loaded machine lets wait kills late
    const snapshots = { rows: 1, columns: 1, everySteps: plenty };
    await writeConfig(folder, { ...config, duration: { steps: plenty }, snapshots });
    const run = `${folder}/runs/00000-digits-tiny`;
    const checkpoints = `${run}/checkpoints`;
    const chance = fillUniform(new Float32Array(2 * KILLS), { seed: 1, stream: 0, step: 0 });
    const seen = { inside: 0, outside: 0 };
    let args = ["tiny.json"];
    let before = 0;
    let startMs = 0; // how long a task takes to its first step
    for (let i = 0; i < KILLS; i++) {
      const [which, when] = chance.subarray(2 * i, 2 * i + 2);
      const startedAt = performance.now();
      const child = await startTask("train", args, folder);
      if (which < 0.3 && i > 0) {
        await sleep(when * startMs);
      } else {
        const target = before + 4 * when;
        await waitFor(async () => latest(await checkpointSteps(checkpoints)) > target, child);
      }
      startMs ||= performance.now() - startedAt;
      seen[which < 0.6 ? await killAt(child, checkpoints) : await killInside(child, checkpoints)]++;
      const reached = latest(await checkpointSteps(checkpoints));
      assert(reached >= before, `checkpoint ${before} is lost: the latest is of step ${reached}`);
      assert(reached < plenty, `the run was done before kill ${i + 1}`);
      before = reached;
      args = ["--resume", "latest"];
    }
    const steps = before + 10;
    const last = await runTask("train", [...args, "--steps", String(steps)], folder);
    assertEquals(last.code, 0, last.stderr);
    assertStringIncludes(last.stdout, `on from step ${before}`); // nothing lost but steps since then
    assertEquals(await finalHash(run, steps), await referenceHash(folder, steps), last.stdout);
    assert(seen.inside > 0, "no kill hit a checkpoint that was being written");
    const left = await Array.fromAsync(Deno.readDir(checkpoints), (entry) => entry.name);
    assertEquals(left.filter((name) => name.startsWith(".partial")), []);
    const metrics = await readMetrics(`${run}/metrics.jsonl`);
    assertEquals(metrics.map(({ step }) => step), Array.from({ length: steps }, (_, i) => i + 1));
  }));

Deno.test("a second process on the same run is refused", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, { ...config, duration: { steps: 100_000 } });
    const run = `${folder}/runs/00000-digits-tiny`;
    const first = await startTask("train", ["tiny.json"], folder);
    try {
      const hasStarted = async () => (await checkpointSteps(`${run}/checkpoints`)).length > 0;
      await waitFor(hasStarted, first);
      const second = await runTask("train", ["--resume", "latest"], folder);
      assertEquals(second.code, 2);
      assertStringIncludes(second.stderr, "another process is training in it");
    } finally {
      kill(first, "SIGKILL");
      await first.output();
    }
  }));

type Killed = "inside" | "outside";

/** Kills a process at once, if it is not done. */
async function killAt(child: Deno.ChildProcess, checkpoints: string): Promise<Killed> {
  kill(child, "SIGKILL");
  await child.output();
  const left = Array.from(Deno.readDirSync(checkpoints), ({ name }) => name);
  return left.some((name) => name.startsWith(".partial")) ? "inside" : "outside";
}

/** Kills a process at the first sight of a half-written checkpoint, or soon if none is seen. */
async function killInside(child: Deno.ChildProcess, checkpoints: string): Promise<Killed> {
  const deadline = performance.now() + 1000;
  while (performance.now() < deadline) {
    for (const entry of Deno.readDirSync(checkpoints)) {
      if (entry.name.startsWith(".partial")) return await killAt(child, checkpoints);
    }
  }
  return await killAt(child, checkpoints);
}

function latest(steps: readonly number[]): number {
  return steps[steps.length - 1] ?? 0;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("a refused --resume leaves the run as it was, and it goes on afterwards", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, { ...config, duration: { steps: 20 } });
    assertEquals((await runTask("train", ["tiny.json"], folder)).code, 0);
    const run = `${folder}/runs/00000-digits-tiny`;
    const before = await Deno.readTextFile(`${run}/config.json`);
    for (
      const [args, message] of [
        [["--set", "generator.layers.0.units=9"], "with another network"],
        [["--steps", "10"], "it has 20 steps already; give more with --steps"],
      ] as const
    ) {
      const refused = await runTask("train", ["--resume", "latest", ...args], folder);
      assertEquals(refused.code, 2, refused.stdout);
      assertStringIncludes(refused.stderr, message);
      assertEquals(await Deno.readTextFile(`${run}/config.json`), before);
    }
    const more = await runTask("train", ["--resume", "latest", "--steps", "25"], folder);
    assertEquals(more.code, 0, more.stderr);
    assertStringIncludes(more.stdout, "changed   duration.steps: 20 -> 25");
    assertEquals((await readLatestCheckpoint(`${run}/checkpoints`)).step, 25);
  }));

Deno.test("--resume with another length says what that does to learning rates that decay", () =>
  inFolder(async (folder) => {
    const falling = {
      ...config,
      duration: { steps: 20 },
      learningRateSchedule: { shape: "cosine" as const },
    };
    await writeConfig(folder, falling);
    assertEquals((await runTask("train", ["tiny.json"], folder)).code, 0);
    const more = await runTask("train", ["--resume", "latest", "--steps", "40"], folder);
    assertEquals(more.code, 0, more.stderr);
    assertStringIncludes(
      more.stdout,
      "warning   learning rates decay over the whole run (cosine): with 40 steps in place of 20 they " +
        "continue at 50% of their initial value, and were at 0%; --set learningRateSchedule.steps=20 " +
        "keeps the schedule",
    );
    const again = await runTask("train", ["--resume", "latest"], folder);
    assertEquals(again.stdout.includes("learning rates decay"), false);
  }));
