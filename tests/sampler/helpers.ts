/** What the sampler's tests share: the fixtures and their golden values. */
import { assert, assertLess } from "@std/assert";
import { type LoadOptions, Sampler } from "../../src/sampler/mod.ts";

/** The folder of the small generators, as a path. */
export const FIXTURES: string = new URL("../../fixtures/sampler/", import.meta.url).pathname;

interface Golden {
  latents: { seed: number; distribution: "normal" | "uniform" | "unit"; values: number[] }[];
  models: Record<
    string,
    { seeds: number[]; labels: number[] | null; shape: number[]; values: number[][] }
  >;
}

/** What make_fixtures.py computed with numpy. */
export const golden: Golden = JSON.parse(Deno.readTextFileSync(`${FIXTURES}golden.json`));

/** The bytes of a fixture. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(`${FIXTURES}${name}.onnx`);
}

/** Loads a fixture on the wasm device. */
export function load(name: string, options: LoadOptions = {}): Promise<Sampler> {
  return Sampler.load(`${FIXTURES}${name}.onnx`, { device: "wasm", ...options });
}

/** The largest |difference| must be below `tolerance`. */
export function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (let i = 0; i < actual.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  }
  assertLess(worst, tolerance, `${actual.length} values differ by up to ${worst}`);
}

/** Runs a script in a process of its own and gives what it printed. */
export async function runScript(
  script: string,
  flags: string[],
  args: string[] = [],
): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, script);
    const root = new URL("../../", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--config", `${root}deno.json`, ...flags, file, ...args],
      signal: AbortSignal.timeout(600_000), // ends what hangs
    });
    const { success, stdout, stderr } = await process.output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(file);
  }
}
