/** The GPU goes away in the middle of a run: one line, and `--resume` goes on. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { inFolder, ROOT, runTask, taskArgs, TINY, writeConfig } from "./cli.ts";

const STEPS = 60;
const config = {
  ...TINY,
  device: "webgpu" as const,
  duration: { steps: STEPS },
  snapshots: { rows: 1, columns: 1, everySteps: STEPS },
  checkpoints: { everySteps: 4, keep: 2 },
};

async function finalHash(run: string): Promise<string> {
  const { step, stateSha256 } = await readLatestCheckpoint(`${run}/checkpoints`);
  assertEquals(step, STEPS);
  return stateSha256;
}

Deno.test({
  name: "a lost device ends a run with one line that names its checkpoint; --resume goes on",
  ignore: (await openWebGpu()) === undefined,
  fn: () =>
    inFolder(async (folder) => {
      await writeConfig(folder, config);
      const whole = await runTask("train", ["tiny.json", "--out", "whole"], folder);
      assertEquals(whole.code, 0, whole.stderr);

      const [run, ...rest] = await taskArgs("train");
      const preload = `--preload=${ROOT}tests/e2e/lose_device.ts`;
      const lost = await new Deno.Command(Deno.execPath(), {
        args: [run, preload, ...rest, "tiny.json"],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const stderr = new TextDecoder().decode(lost.stderr);
      assertEquals(lost.code, 1, stderr);
      const lines = stderr.trimEnd().split("\n").filter((line) => line.startsWith("error: "));
      assertEquals(lines.length, 1, stderr);
      assertMatch(lines[0], /^error: Cannot go on: the WebGPU device was lost .* at step \d+; /);
      const name = "runs/00000-digits-tiny";
      const { step } = await readLatestCheckpoint(`${folder}/${name}/checkpoints`);
      assertEquals(step > 0 && step < STEPS, true, `the last checkpoint is of step ${step}`);
      const checkpoint = `${name}/checkpoints/${String(step).padStart(8, "0")}`;
      assertStringIncludes(
        lines[0],
        `the last good checkpoint is ${checkpoint}; continue with --resume`,
      );

      const resumed = await runTask("train", ["--resume", "latest"], folder);
      assertEquals(resumed.code, 0, resumed.stderr);
      assertStringIncludes(resumed.stdout, `on from step ${step}`);
      assertEquals(
        await finalHash(`${folder}/${name}`),
        await finalHash(`${folder}/whole/00000-digits-tiny`),
      );
    }),
});
