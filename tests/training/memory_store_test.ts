/** Training without a run folder: the in-memory store behaves as the one on disk. */
import { assertEquals, assertRejects } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { UserError } from "../../src/errors.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder } from "../../src/run/run_folder.ts";
import type { Evaluator } from "../../src/training/evaluations.ts";
import { createMemoryStore } from "../../src/training/memory_store.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import type { TrainingStore } from "../../src/training/store.ts";
import { train } from "../../src/training/train.ts";
import { TINY } from "../tiny_config.ts";

const config: RunConfig = {
  ...TINY,
  checkpoints: { everySteps: 2, keep: 2 },
  evaluation: { everySteps: 4, measure: "jsd" },
};

function checkpointAt(step: number) {
  return { step, images: step, wallSeconds: 0, engine: "test", state: {} };
}

/** Gives 0.5, 0.2, 0.3. */
function scripted(): Evaluator {
  const values = [0.5, 0.2, 0.3];
  return {
    measure: "jsd",
    samples: 10,
    evaluate: () => Promise.resolve({ samples: 10, measures: { jsd: values.shift() ?? null } }),
  };
}

async function trainWith(store: TrainingStore) {
  const data = await openDataSource(config.data);
  const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
  const engine = createEagerEngine("cpu", "test");
  const evaluator = scripted();
  let now = 0;
  const clock = () => {
    now += 10;
    return now;
  };
  return await train({ config, data, engine, store, trainingStep, evaluator }, { now: clock });
}

Deno.test("train() leaves in memory what it leaves in a run folder", async () => {
  const root = await Deno.makeTempDir();
  try {
    using folder = await createRunFolder(root, config, "digits");
    const onDisk = folderStore(folder);
    const inMemory = createMemoryStore();
    const expected = await trainWith(onDisk);
    const actual = await trainWith(inMemory);
    assertEquals(actual, expected);
    assertEquals(await inMemory.checkpoints.steps(), await onDisk.checkpoints.steps());
    assertEquals(await inMemory.checkpoints.steps(), [8, 10, 12]);
    assertEquals(await inMemory.checkpoints.readBest(), { step: 8, measure: "jsd", value: 0.2 });
    assertEquals(await onDisk.checkpoints.readBest(), await inMemory.checkpoints.readBest());
    const stored = await onDisk.checkpoints.readLatest();
    assertEquals((await inMemory.checkpoints.readLatest()).state, stored.state);
    assertEquals(await inMemory.metrics.read(), await onDisk.metrics.read());
    assertEquals(await inMemory.evaluations.read(), await onDisk.evaluations.read());
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("createMemoryStore() keeps the latest checkpoints and the best", async () => {
  const { checkpoints } = createMemoryStore("the test");
  await assertRejects(
    () => checkpoints.readLatest(),
    UserError,
    "Cannot find a checkpoint of the test: it has none",
  );
  for (const step of [1, 2, 3, 4, 5]) {
    await checkpoints.write(checkpointAt(step), { keep: 2, best: 2 });
  }
  assertEquals(await checkpoints.steps(), [2, 4, 5]);
  assertEquals((await checkpoints.readLatest()).step, 5);
  assertEquals((await checkpoints.read(2)).step, 2);
  await assertRejects(
    () => checkpoints.read(3),
    UserError,
    "Cannot find the checkpoint of step 3 of the test: it has those of 2, 4, 5",
  );
});
