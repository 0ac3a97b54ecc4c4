/** How a process with a threaded ONNX Runtime ends. */
import { assertEquals } from "@std/assert";

/**
 * A program that trains the default preset a little with two threads and then just ends. Its step needs
 * more memory than ONNX Runtime starts with: without room from the start it hangs in most runs.
 */
const PROGRAM = `
import { createOnnxEngine } from ${
  JSON.stringify(import.meta.resolve("../../src/engine/onnx/mod.ts"))
};
import { presetConfig } from ${
  JSON.stringify(import.meta.resolve("../../src/config/presets/mod.ts"))
};
import { openStep } from ${JSON.stringify(import.meta.resolve("./onnx_steps.ts"))};
const engine = await createOnnxEngine({ runtime: "web", threads: 2 });
const { step, state, batches } = openStep({ ...presetConfig("digits"), batchSize: 8 });
const compiled = await engine.compileStep(step.program, state, 1);
await compiled.run(batches(0, 4), 0);
if (Deno.args[0] === "dispose") await engine.dispose();
console.log("done");
`;

Deno.test("a process that used the engine ends by itself", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/program.ts`;
  await Deno.writeTextFile(file, PROGRAM);
  try {
    for (const args of [[], ["dispose"]]) {
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--no-lock",
          "--config",
          config,
          "--allow-read",
          "--allow-env",
          "--allow-sys",
          file,
          ...args,
        ],
        stdout: "piped",
        stderr: "piped",
        signal: AbortSignal.timeout(600_000), // ends what hangs
      });
      const { code, stdout, stderr } = await child.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout).trim(), "done");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
