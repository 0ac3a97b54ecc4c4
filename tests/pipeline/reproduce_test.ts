import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { findProblem, recipeConfig } from "../../src/reproduction/recipes.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { UserError } from "../../src/errors.ts";
import {
  configFingerprint,
  readResults,
  reproduce,
  type SeedResult,
} from "../../src/pipeline/reproduce.ts";
import { openRunFolder } from "../../src/run/run_folder.ts";

/** The ring's recipe, short and with small networks. */
const config: RunConfig = {
  ...recipeConfig("ring", "best"),
  device: "cpu",
  data: { source: "ring-2d", count: 1000 },
  duration: { steps: 40 },
  generator: { inputShape: [2], init: "torch", layers: [{ type: "dense", units: 2 }] },
  discriminator: { inputShape: [2], init: "torch", layers: [{ type: "dense", units: 1 }] },
  snapshots: { rows: 1, columns: 1, everySteps: 20 },
  checkpoints: { everySteps: 5, keep: 2 },
};
const plan = { recipes: [{ recipe: "best" as const, config }], seeds: 2 };

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const withoutTime = (results: readonly SeedResult[]) =>
  results.map(({ seconds: _, ...rest }) => rest);

Deno.test("reproduce() runs each seed once, and goes on where it was interrupted", () =>
  inFolder(async (root) => {
    const ring = findProblem("ring");
    const whole = await reproduce(ring, plan, { runsFolder: `${root}/whole` });
    assertEquals(whole.interrupted, false);
    assertEquals(whole.results.map(({ seed, steps }) => [seed, steps]), [[0, 40], [1, 40]]);

    const controller = new AbortController();
    const runsFolder = `${root}/parts`;
    const first = await reproduce(ring, plan, {
      runsFolder,
      signal: controller.signal,
      onRun: ({ seed }) => ({
        onProgress: ({ step }) => void (seed === 1 && step >= 10 && controller.abort()),
      }),
    });
    assertEquals(first.interrupted, true);
    assertEquals(withoutTime(first.results), withoutTime(whole.results.slice(0, 1)));
    assertEquals(await readResults(first.file), first.results);

    const started: unknown[] = [];
    let from = 0;
    const second = await reproduce(ring, plan, {
      runsFolder,
      onRun({ seed, done }) {
        started.push([seed, done]);
        return { onStart: ({ step }) => void (from = step) };
      },
    });
    assertEquals(started, [[0, true], [1, false]]);
    assert(from >= 10 && from < 40, `the second seed went on from step ${from}`);
    assertEquals(withoutTime(second.results), withoutTime(whole.results));
    assertEquals(await readResults(second.file), second.results);
  }));

Deno.test("reproduce() starts at any seed, with the results of a run from 0", () =>
  inFolder(async (root) => {
    const ring = findProblem("ring");
    const from = async (firstSeed: number, seeds: number) => {
      const runsFolder = `${root}/${firstSeed}`;
      return await reproduce(ring, { ...plan, seeds, firstSeed }, { runsFolder });
    };
    const both = await from(0, 2);
    assertEquals(withoutTime((await from(1, 1)).results), withoutTime(both.results.slice(1)));
  }));

Deno.test("reproduce() refuses a table that another process trains", () =>
  inFolder(async (root) => {
    await Deno.mkdir(`${root}/reproduce-ring`);
    using _lock = await openRunFolder(`${root}/reproduce-ring`);
    await assertRejects(
      () => reproduce(findProblem("ring"), plan, { runsFolder: root }),
      UserError,
      "another process is training in it",
    );
  }));

Deno.test("configFingerprint() depends on what decides a result, and on nothing else", () => {
  const own = configFingerprint(config);
  const reordered = Object.fromEntries(Object.entries(config).reverse()) as unknown as RunConfig;
  assertEquals(configFingerprint(reordered), own);
  const { snapshots, checkpoints } = recipeConfig("grid", "gan");
  assertEquals(configFingerprint({ ...config, device: "webgpu", snapshots, checkpoints }), own);
  for (const change of [{ seed: 1 }, { pack: 2 }, { batchSize: 64 }, { duration: { steps: 41 } }]) {
    assert(configFingerprint({ ...config, ...change }) !== own, JSON.stringify(change));
  }
});

Deno.test("readResults() reads a damaged file or names its line", async () => {
  const file = await Deno.makeTempFile();
  const good = { version: 1, recipe: "gan", seed: 0, steps: 9, fingerprint: "f", modes: 3, kl: 1 };
  const text = (JSON.stringify({ ...good, seconds: 2, device: "cpu" }) + "\n").repeat(2);
  try {
    await Deno.writeTextFile(file, text);
    assertEquals((await readResults(file)).length, 2);
    await checkProperty(
      fc.asyncProperty(fc.nat(text.length - 1), fc.string({ maxLength: 4 }), async (at, junk) => {
        await Deno.writeTextFile(file, text.slice(0, at) + junk + text.slice(at + junk.length));
        try {
          for (const result of await readResults(file)) assert(Number.isFinite(result.modes));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          assert(/line \d+ is no result of a run/.test(error.message), error.message);
        }
      }),
      { numRuns: 1000 },
    );
  } finally {
    await Deno.remove(file);
  }
});
