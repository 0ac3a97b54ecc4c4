import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { DeviceLostError, TrainingDivergedError } from "../../src/errors.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "../../src/run/run_folder.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { train, type TrainingControl, type TrainingResult } from "../../src/training/train.ts";
import { TINY } from "../tiny_config.ts";

/** Several discriminator updates a step, besides all else that has state. */
const config: RunConfig = {
  ...TINY,
  update: { ...TINY.update, discriminatorSteps: 2 },
  snapshots: { rows: 1, columns: 1, everySteps: 6 },
};

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function trainIn(
  folder: RunFolder,
  given: RunConfig,
  control: TrainingControl = {},
  resumes = false,
): Promise<TrainingResult> {
  const data = await openDataSource(given.data);
  const trainingStep = buildTrainingStep(given, { shape: [...data.shape] });
  const engine = createEagerEngine("cpu", "test");
  const resume = resumes ? await readLatestCheckpoint(folder.checkpoints) : undefined;
  return await train({
    config: given,
    data,
    engine,
    store: folderStore(folder),
    trainingStep,
    resume,
  }, control);
}

Deno.test("train() gives the same bits when it is interrupted and resumed as in one go", () =>
  inFolder(async (root) => {
    using whole = await createRunFolder(`${root}/runs`, config, "digits");
    const expected = await trainIn(whole, config);
    assertEquals(expected.step, 12);
    assertEquals(expected.interrupted, false);

    const controller = new AbortController();
    let path: string;
    {
      using folder = await createRunFolder(`${root}/runs`, config, "digits");
      path = folder.path;
      const first = await trainIn(folder, config, {
        signal: controller.signal,
        onProgress: ({ step }) => step >= 7 && controller.abort(),
      });
      assertEquals(first.interrupted, true);
      assert(first.step >= 7 && first.step < 12, `stopped at ${first.step}`);
    }
    using again = await openRunFolder(path);
    const second = await trainIn(again, config, {}, true);
    assertEquals(second.state, expected.state);
    const steps = (await readMetrics(again.metricsFile)).map((line) => line.step);
    assertEquals(steps, Array.from({ length: 12 }, (_, i) => i + 1));
  }));

Deno.test("train() shows a snapshot at the start, at each period and at the end", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    const steps: number[] = [];
    await trainIn(folder, { ...config, duration: { steps: 8 } }, {
      onSnapshot: ({ step }) => Promise.resolve(void steps.push(step)),
    });
    assertEquals(steps, [0, 6, 8]);
  }));

Deno.test("train() stops at a number that is not finite and names the last good checkpoint", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, { ...config, duration: { steps: 5 } });
    const wild: RunConfig = {
      ...config,
      generatorOptimizer: { type: "sgd", learningRate: 1e30 },
      discriminatorOptimizer: { type: "sgd", learningRate: 1e30 },
    };
    using other = await createRunFolder(root, wild, "digits");
    const error = await assertRejects(
      () => trainIn(other, wild),
      TrainingDivergedError,
      "there is no checkpoint yet",
    );
    assert(error.step >= 1 && error.step <= 4, `diverged at ${error.step}`);
    assert(error.message.startsWith(`Training stopped at step ${error.step} because `));
  }));

Deno.test("train() says how to go on when the device is lost before the first step", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    const data = await openDataSource(config.data);
    const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
    const engine = {
      ...createEagerEngine("cpu", "test"),
      compileStep: () => Promise.reject(new DeviceLostError("Cannot go on: the device was lost")),
    };
    const { message } = await assertRejects(
      () => train({ config, data, engine, store: folderStore(folder), trainingStep }),
      DeviceLostError,
    );
    assertEquals(
      message,
      "Cannot go on: the device was lost at step 0; there is no checkpoint yet; start again, " +
        "with --device cpu where it is lost again",
    );
  }));

Deno.test("train() counts every tensor out again", () =>
  inFolder(async (root) => {
    const { tf } = await import("../../src/tensor/tf.ts");
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, { ...config, duration: { steps: 2 } });
    const before = tf.memory().numTensors;
    using other = await createRunFolder(root, config, "digits");
    await trainIn(other, { ...config, duration: { steps: 6 } });
    assertEquals(tf.memory().numTensors, before);
  }));

Deno.test("train() logs the values that change with the images seen", () =>
  inFolder(async (root) => {
    const given: RunConfig = {
      ...config,
      ema: { halfLifeImages: 100 },
      schedules: { emaHalfLifeImages: { from: 0, to: 96, images: 48, shape: "linear" } },
    };
    using folder = await createRunFolder(`${root}/runs`, given, "digits");
    await trainIn(folder, given);
    const lines = await readMetrics(folder.metricsFile);
    assertEquals(lines.map((line) => line.emaHalfLifeImages).slice(0, 8), [
      ...[0, 16, 32, 48, 64, 80],
      ...[96, 96],
    ]);
  }));
