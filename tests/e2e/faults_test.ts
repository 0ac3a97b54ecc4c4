/** Damage between two sessions of a run, and runs that go wrong by themselves. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { checkpointSteps, readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { readEvents } from "../../src/run/events_log.ts";
import { inFolder, runTask, TINY, writeConfig } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

const RUN = "runs/00000-digits-tiny";

let trained: string | undefined;

/** Trains 12 steps once, for the tests of this file; checkpoints 10 and 12 stay. */
async function trainTiny(folder: string): Promise<void> {
  await writeConfig(folder, TINY);
  if (trained !== undefined) return await copyTree(trained, `${folder}/runs`);
  const { code, stderr } = await runTask("train", ["tiny.json"], folder);
  assertEquals(code, 0, stderr);
  assertEquals(await checkpointSteps(`${folder}/${RUN}/checkpoints`), [10, 12]);
  const kept = await Deno.makeTempDir({ prefix: "ganforge-test-" });
  await copyTree(`${folder}/runs`, `${kept}/runs`);
  trained = `${kept}/runs`;
}

Deno.test.afterAll(async () => {
  if (trained !== undefined) await Deno.remove(trained.replace(/\/runs$/, ""), { recursive: true });
});

async function flipByte(file: string): Promise<void> {
  const bytes = await Deno.readFile(file);
  bytes[bytes.length >> 1] ^= 0x10;
  await Deno.writeFile(file, bytes);
}

async function finalHash(folder: string): Promise<string> {
  const { step, stateSha256 } = await readLatestCheckpoint(`${folder}/${RUN}/checkpoints`);
  assertEquals(step, 20);
  return stateSha256;
}

Deno.test("a flipped byte in the newest checkpoint: the one before is used, and the user is warned", () =>
  inFolder(async (folder) => {
    await trainTiny(folder);
    await Deno.mkdir(`${folder}/whole`);
    await copyTree(`${folder}/runs`, `${folder}/whole/runs`);
    const args = ["--resume", "latest", "--steps", "20"];
    const whole = await runTask("train", args, `${folder}/whole`);
    assertEquals(whole.code, 0, whole.stderr);

    await flipByte(`${folder}/${RUN}/checkpoints/00000012/state.safetensors`);
    const { code, stdout, stderr } = await runTask("train", args, folder);
    assertEquals(code, 0, stderr);
    assertMatch(
      stdout,
      /warning +Cannot use runs\/\S+\/00000012: state\.safetensors has SHA-256 \w+\.\.\., and was/,
    );
    assertStringIncludes(stdout, "trying the one before");
    assertStringIncludes(stdout, "on from step 10");
    assertEquals(await finalHash(folder), await finalHash(`${folder}/whole`));
  }));

Deno.test("damage to all checkpoints ends in one line and exit code 2", () =>
  inFolder(async (folder) => {
    await trainTiny(folder);
    for (const step of ["00000010", "00000012"]) {
      await flipByte(`${folder}/${RUN}/checkpoints/${step}/state.safetensors`);
    }
    const { code, stderr } = await runTask("train", ["--resume", "latest"], folder);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, "its 2 checkpoints are damaged");
  }));

Deno.test("a config that this version does not know is refused with the difference", () =>
  inFolder(async (folder) => {
    await trainTiny(folder);
    const cases: [config: object, message: string][] = [
      [
        { ...TINY, version: 2 },
        "it is a config of version 2, and this ganforge reads version 1; nothing else in it differs: " +
        "with version 1 it can be used",
      ],
      [
        { ...TINY, version: 0, sharpness: 3, batchSize: "4" },
        "it is a config of version 0, and this ganforge reads version 1; what differs: there is " +
        'no option sharpness; batchSize: expected a whole number, 1 or more, found "4"',
      ],
      [{ ...TINY, sharpness: 3 }, "there is no option sharpness"],
      [without("batchSize"), "batchSize: "],
      [{ ...TINY, update: { ...TINY.update, order: "both" } }, "update.order: "],
    ];
    for (const [index, [config]] of cases.entries()) {
      await Deno.writeTextFile(`${folder}/${index}.json`, JSON.stringify(config));
      await copyTree(`${folder}/${RUN}`, `${folder}/runs/${index}`);
      await Deno.writeTextFile(`${folder}/runs/${index}/config.json`, JSON.stringify(config));
    }
    await assertRefuses(
      "train",
      cases.flatMap(([, message], index): Refusal[] => [
        [[`${index}.json`, "--dry-run"], message],
        [["--resume", `runs/${index}`], `runs/${index}/config.json: ${message}`],
      ]),
      folder,
    );
    // An older config without an optional part is fine.
    await Deno.writeTextFile(`${folder}/older.json`, JSON.stringify(without("ema")));
    const older = await runTask("train", ["older.json", "--dry-run"], folder);
    assertEquals(older.code, 0, older.stderr);
  }));

Deno.test("a run that diverges rolls back with smaller steps as often as allowed, then stops with one line", () =>
  inFolder(async (folder) => {
    const config: RunConfig = {
      ...TINY,
      generatorOptimizer: { type: "sgd", learningRate: 1e30 },
      divergence: { retries: 2, factor: 0.1 },
    };
    await writeConfig(folder, config);
    const { code, stdout, stderr } = await runTask("train", ["tiny.json"], folder);
    assertEquals(code, 1, stdout);
    assertMatch(
      stderr,
      /^error: Training stopped at step \d+ because .*, also after 2 rollbacks,/m,
    );
    assertStringIncludes(stderr, "try a smaller learning rate");
    assertEquals(
      stderr.trimEnd().split("\n").filter((line) => /^error/.test(line)).length,
      1,
      stderr,
    );
    assertStringIncludes(stdout, "training diverged at step");
    const events = await readEvents(`${folder}/${RUN}/events.jsonl`);
    assertEquals(
      events.map((event) =>
        event.event === "rollback" ? [event.learningRateFactor, event.retriesLeft] : event.event
      ),
      [[0.1, 1], [0.1 * 0.1, 0], "diverged"],
    );
  }));

Deno.test("a generator that makes one sample only: the user is warned, then and in the report", () =>
  inFolder(async (folder) => {
    const config: RunConfig = {
      ...TINY,
      duration: { steps: 120 },
      generator: { ...TINY.generator, init: { normal: 1e-6 } },
      generatorOptimizer: { type: "sgd", learningRate: 1e-9 },
      snapshots: { rows: 2, columns: 2, everySteps: 60 },
    };
    config.generator.layers = config.generator.layers.filter(({ type }) => type !== "batch-norm");
    await writeConfig(folder, config);
    const { code, stdout, stderr } = await runTask("train", ["tiny.json"], folder);
    assertEquals(code, 0, stderr);
    const message = "generator has collapsed: at step 120 its samples vary 0% as much as the data";
    assertStringIncludes(stdout, `the ${message}`);
    assertStringIncludes(stdout, "; try pack=2");
    const report = await Deno.readTextFile(`${folder}/${RUN}/report.md`);
    assertStringIncludes(report, `The ${message}`);
  }));

function without(field: keyof RunConfig): object {
  return Object.fromEntries(Object.entries(TINY).filter(([name]) => name !== field));
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
