import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DataSpec } from "../../src/config/data.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { shuffledBatches } from "../../src/data/order.ts";
import type { DataSource } from "../../src/data/source.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { inputValues } from "../../src/engine/sample_pool.ts";
import type { Engine } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { fromFile, withFolder } from "../data/helpers.ts";
import { UserError } from "../../src/errors.ts";
import { batchFeed } from "../../src/training/batch_feed.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder } from "../../src/run/run_folder.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { train } from "../../src/training/train.ts";

const DATA: Record<string, DataSpec> = {
  images: { source: "digits", count: 20, size: 5 },
  "stacked images": { source: "stacked-mnist", count: 20, size: 5 },
  points: { source: "ring-2d", count: 20 },
};

/** Linear networks for any data, two updates of D a step, noise on what D sees. */
function smallConfig(data: DataSource, spec: DataSpec): RunConfig {
  const size = data.sampleSize;
  return {
    ...presetConfig("digits"),
    data: spec,
    duration: { steps: 7 },
    batchSize: 3,
    latent: { dimension: 2, distribution: "normal" },
    generator: {
      inputShape: [2],
      init: "torch",
      layers: [{ type: "dense", units: size }, { type: "reshape", shape: [...data.shape] }],
    },
    discriminator: {
      inputShape: [...data.shape],
      init: "torch",
      layers: [{ type: "flatten" }, { type: "dense", units: 1 }],
    },
    update: { ...presetConfig("digits").update, discriminatorSteps: 2 },
    instanceNoise: { sigma: 0.1, decaySteps: 5 },
    conditional: false,
    snapshots: { rows: 1, columns: 1 },
    checkpoints: { keep: 1 },
  };
}

const CONTEXT = { totalSteps: 7, learningRateFactor: 1 };

for (const [name, spec] of Object.entries(DATA)) {
  Deno.test(`batchFeed() gives a pool of ${name}, and rows of it that are the batch`, async () => {
    const data = await openDataSource(spec);
    const config = smallConfig(data, spec);
    const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
    const feed = batchFeed({ seed: config.seed, data, trainingStep });
    const streamed = batchFeed({
      seed: config.seed,
      data: { ...data, stored: undefined },
      trainingStep,
    });
    const order = shuffledBatches({ count: 20, batchSize: 6, seed: config.seed });
    const { real } = feed.program.inputs;
    assert(real.pool);
    assertEquals(streamed.program.inputs.real.pool, undefined);
    for (const step of [0, 2, 5]) {
      const given = feed.inputs(step, CONTEXT);
      const { values } = data.batch(order.indices(step));
      assertEquals(inputValues(real, given.real), values);
      const others = streamed.inputs(step, CONTEXT);
      assertEquals(others.real, values);
      assertEquals({ ...given, real: null }, { ...others, real: null });
    }
  });
}

Deno.test("batchFeed() gives labels of the samples, and refuses a conditional step without any", async () => {
  const data = await openDataSource(DATA.images);
  const config = smallConfig(data, DATA.images);
  const step = buildTrainingStep(config, { shape: [...data.shape] });
  const trainingStep = { ...step, usesLabels: true };
  const order = shuffledBatches({ count: 20, batchSize: 6, seed: config.seed });
  const { labels } = batchFeed({ seed: config.seed, data, trainingStep }).inputs(1, CONTEXT);
  assertEquals(labels, data.batch(order.indices(1)).labels);
  assertThrows(
    () => batchFeed({ seed: config.seed, data: { ...data, labels: undefined }, trainingStep }),
    UserError,
    "Cannot train a conditional network: the data has no labels",
  );
});

async function trained(data: DataSource, spec: DataSpec, engine: Engine): Promise<HostTensors> {
  const config = smallConfig(data, spec);
  const root = await Deno.makeTempDir();
  try {
    using folder = await createRunFolder(root, config, "data");
    const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
    return (await train({ config, data, engine, store: folderStore(folder), trainingStep })).state;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const ENGINES: Record<string, () => Engine | Promise<Engine>> = {
  "tfjs-cpu": () => createEagerEngine("cpu", ""),
  onnx: () => createOnnxEngine({ threads: 1 }),
  webgpu: () => createWebGpuEngine(),
};

const hasAdapter = await openWebGpu() !== undefined;

for (const [engineName, open] of Object.entries(ENGINES)) {
  Deno.test({
    name: `train() on ${engineName} gives the same bits from a pool as from batches`,
    ignore: engineName === "webgpu" && !hasAdapter,
    async fn(t) {
      const engine = await open();
      for (const [name, spec] of Object.entries(DATA)) {
        await t.step(name, async () => {
          const data = await openDataSource(spec);
          const pooled = await trained(data, spec, engine);
          assertEquals(await trained({ ...data, stored: undefined }, spec, engine), pooled);
          if (!data.pixels) return;
          await withFolder(async (folder) => {
            const streamed = await fromFile(data, folder); // epochs end within the run
            try {
              assertEquals(await trained(streamed, spec, engine), pooled);
            } finally {
              streamed.close?.();
            }
          });
        });
      }
      await engine.dispose();
    },
  });
}
