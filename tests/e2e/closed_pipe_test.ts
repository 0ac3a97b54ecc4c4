/** `deno task train | head`: a run whose output nobody reads any more saves, and ends without a word. */
import { assert, assertEquals } from "@std/assert";
import { inFolder, startTask, TINY, writeConfig } from "./cli.ts";

Deno.test("a run whose output is closed saves a checkpoint and ends quietly", () =>
  inFolder(async (folder) => {
    const config = { ...TINY, duration: { steps: 1_000_000 }, checkpoints: { keep: 1 } };
    const child = await startTask("train", [await writeConfig(folder, config)], folder);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (!/^step /m.test(seen)) {
      const { value, done } = await reader.read();
      assert(!done, seen);
      seen += value;
    }
    await reader.cancel();
    const stderr = await new Response(child.stderr).text();
    assertEquals([(await child.status).code, stderr], [130, ""]);
    const [run] = Deno.readDirSync(`${folder}/runs`);
    const checkpoints = [...Deno.readDirSync(`${folder}/runs/${run.name}/checkpoints`)];
    assertEquals(checkpoints.length, 1);
  }));
