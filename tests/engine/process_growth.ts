/** By how much a process grows while it runs steps. */
import { assert } from "@std/assert";

/** Bytes by which a process grows in 10,000 steps on an engine; see run_many_steps.ts. */
export async function growthOf(engine: "webgpu" | "onnx"): Promise<number> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--allow-ffi",
      "--v8-flags=--max-semi-space-size=1",
      new URL("./run_many_steps.ts", import.meta.url).pathname,
      engine,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const grown = Number(text(stdout).trim() || NaN);
  assert(Number.isFinite(grown), text(stderr));
  return grown;
}
