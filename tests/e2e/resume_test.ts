/** Interrupted runs: whatever ends a process, the run goes on as if nothing had happened. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkpointSteps, readLatestCheckpoint } from "../../src/training/checkpoint.ts";
import { inFolder, runTask, startTask, TINY, writeConfig } from "./cli.ts";

const STEPS = 120;
const config = {
  ...TINY,
  duration: { steps: STEPS },
  snapshots: { rows: 2, columns: 2, everySteps: 40 },
  checkpoints: { everySteps: 1, keep: 2 },
};

async function finalHash(run: string): Promise<string> {
  const checkpoint = await readLatestCheckpoint(`${run}/checkpoints`);
  assertEquals(checkpoint.step, STEPS);
  return checkpoint.stateSha256;
}

/** The state that an uninterrupted run reaches. */
async function referenceHash(folder: string): Promise<string> {
  const { code, stderr } = await runTask("train", ["tiny.json", "--out", "reference"], folder);
  assertEquals(code, 0, stderr);
  return await finalHash(`${folder}/reference/00000-digits-tiny`);
}

Deno.test("Ctrl-C saves and exits with 130; --resume reaches the bits of an uninterrupted run", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, config);
    const expected = await referenceHash(folder);
    const run = `${folder}/runs/00000-digits-tiny`;
    const child = await startTask("train", ["tiny.json"], folder);
    await waitFor(async () => (await checkpointSteps(`${run}/checkpoints`)).some((s) => s >= 10));
    child.kill("SIGINT");
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

Deno.test("a killed run resumes to the same bits, also when it was killed inside a checkpoint", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, config);
    const expected = await referenceHash(folder);
    const run = `${folder}/runs/00000-digits-tiny`;
    let insideCheckpoint = 0;
    let args = ["tiny.json"];
    for (const target of [3, 30, 60, 90]) {
      const child = await startTask("train", args, folder);
      const killed = await killInsideCheckpoint(child, `${run}/checkpoints`, target);
      if (killed === "inside") insideCheckpoint++;
      args = ["--resume", "latest"];
    }
    const { code, stdout, stderr } = await runTask("train", args, folder);
    assertEquals(code, 0, stderr);
    assertEquals(await finalHash(run), expected, stdout);
    assert(insideCheckpoint > 0, "no kill hit a checkpoint that was being written");
    const left = await Array.fromAsync(Deno.readDir(`${run}/checkpoints`), (entry) => entry.name);
    assertEquals(left.filter((name) => name.startsWith(".partial")), []);
  }));

Deno.test("a second process on the same run is refused", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, { ...config, duration: { steps: 100_000 } });
    const run = `${folder}/runs/00000-digits-tiny`;
    const first = await startTask("train", ["tiny.json"], folder);
    try {
      await waitFor(async () => (await checkpointSteps(`${run}/checkpoints`)).length > 0);
      const second = await runTask("train", ["--resume", "latest"], folder);
      assertEquals(second.code, 2);
      assertStringIncludes(second.stderr, "another process is training in it");
    } finally {
      first.kill("SIGKILL");
      await first.output();
    }
  }));

/**
 * Kills a process at the first sight of a half-written checkpoint after `target` steps, or soon after if
 * none is seen.
 */
async function killInsideCheckpoint(
  child: Deno.ChildProcess,
  checkpoints: string,
  target: number,
): Promise<"inside" | "outside"> {
  await waitFor(async () => (await checkpointSteps(checkpoints)).some((step) => step >= target));
  const deadline = performance.now() + 2000;
  while (performance.now() < deadline) {
    for (const entry of Deno.readDirSync(checkpoints)) {
      if (!entry.name.startsWith(".partial")) continue;
      child.kill("SIGKILL");
      await child.output();
      const left = Array.from(Deno.readDirSync(checkpoints), ({ name }) => name);
      return left.some((name) => name.startsWith(".partial")) ? "inside" : "outside";
    }
  }
  child.kill("SIGKILL");
  await child.output();
  return "outside";
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited two minutes in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
