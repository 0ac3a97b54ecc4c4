/** A full disk: a real one, a small file system in memory, where the test may mount one. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkpointSteps, readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { inFolder, runTask, TINY, writeConfig } from "./cli.ts";

async function mountSmall(folder: string, sizeBytes: number): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: [folder] }).output();
}

const canMount = await (async () => {
  const probe = await Deno.makeTempDir();
  const mounted = await mountSmall(probe, 65536);
  if (mounted) await unmount(probe);
  await Deno.remove(probe);
  return mounted;
})();

Deno.test({
  name: "a full disk ends a run with one line, exit code 1, and its last checkpoint whole",
  ignore: !canMount, // needs root and Linux
  fn: () =>
    inFolder(async (folder) => {
      // Each checkpoint takes about 35 kB: two fit, a hundred do not.
      const config = {
        ...TINY,
        duration: { steps: 400 },
        snapshots: { rows: 1, columns: 1, everySteps: 400 },
        checkpoints: { everySteps: 2, keep: 100 },
      };
      await writeConfig(folder, config);
      await Deno.mkdir(`${folder}/disk`);
      assert(await mountSmall(`${folder}/disk`, 300_000));
      try {
        const { code, stderr } = await runTask(
          "train",
          ["tiny.json", "--out", "disk/runs"],
          folder,
        );
        assertEquals(code, 1, stderr);
        assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
        assertStringIncludes(stderr, "the disk is full; free some space");
        const checkpoints = `${folder}/disk/runs/00000-digits-tiny/checkpoints`;
        const steps = await checkpointSteps(checkpoints);
        assert(steps.length > 1, `checkpoints ${steps}`);
        assertEquals((await readLatestCheckpoint(checkpoints)).step, steps[steps.length - 1]);
        const left = await Array.fromAsync(Deno.readDir(checkpoints), (entry) => entry.name);
        assertEquals(left.filter((name) => name.startsWith(".partial")), []);
      } finally {
        await unmount(`${folder}/disk`);
      }
    }),
});
