import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import type { Engine } from "../../src/engine/types.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork } from "../../src/nn/mod.ts";
import { exportFolder } from "../../src/pipeline/export_run.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { writeCheckpoint } from "../../src/run/checkpoint.ts";
import { readDataRecord, writeDataRecord } from "../../src/run/data_record.ts";
import { initialState } from "../../src/training/gan_state.ts";
import { createRunFolder } from "../../src/run/run_folder.ts";

const engine = createEagerEngine("cpu", "test");

/** Conditional, with an EMA and a batch norm: everything that an export has to find in the folder. */
const config: RunConfig = {
  ...presetConfig("digits"),
  data: { source: "digits", count: 20, size: 8 },
  latent: { dimension: 3, distribution: "uniform" },
  generator: {
    inputShape: [3],
    init: "he-normal",
    layers: [
      { type: "label-embedding", units: 2 },
      { type: "dense", units: 64 },
      { type: "batch-norm" },
      { type: "activation", fn: "tanh" },
      { type: "reshape", shape: [8, 8, 1] },
    ],
  },
  discriminator: {
    inputShape: [8, 8, 1],
    init: "he-normal",
    layers: [{ type: "flatten" }, { type: "dense", units: 1 }],
  },
  ema: { halfLifeImages: 100 },
};

/** Makes a run as training leaves it. @param change is applied to the generator's own weights */
async function makeRun(root: string, change?: (weights: Float32Array) => void): Promise<string> {
  const data = await openDataSource(config.data);
  const generator = buildNetwork({ ...config.generator, classCount: 10 });
  const discriminator = buildNetwork(config.discriminator);
  const state = initialState({ generator, discriminator }, config, 1);
  for (const [name, { data }] of Object.entries(state)) {
    if (name.startsWith("generator/") && data instanceof Float32Array) change?.(data);
  }
  using folder = await createRunFolder(root, config, "digits");
  await writeDataRecord(folder.path, data);
  const facts = { step: 40, images: 400, wallSeconds: 1, engine: "test" };
  await writeCheckpoint(folder.checkpoints, { ...facts, state }, { keep: 2 });
  return folder.path;
}

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("exportFolder() writes the EMA of a run's weights, and what the folder knows", () =>
  inFolder(async (root) => {
    const plain = await makeRun(root);
    const changed = await makeRun(root, (weights) => weights.fill(0));
    const exported = await exportFolder(plain, { engine, license: "CC0" });
    assertEquals(exported.path, `${plain}/generator.onnx`);
    const { size } = await Deno.stat(exported.path);
    assertEquals([exported.sizeBytes, exported.opset, exported.dtype], [size, 17, "fp32"]);
    assertEquals(exported.step, 40);
    assertEquals([exported.parity.count, exported.parity.tolerance], [64, 1e-5]);
    assertLess(exported.parity.maxDifference, 1e-5);

    await using sampler = await Sampler.load(exported.path, { device: "wasm", selfTest: true });
    const { manifest } = sampler.info;
    assertEquals(manifest!.classNames, "0123456789".split(""));
    assertEquals([manifest!.preset, manifest!.step, manifest!.license], ["digits", 40, "CC0"]);
    assertEquals(manifest!.latent, { dimension: 3, distribution: "uniform" });
    assertEquals(manifest!.truncationMean, [0.5, 0.5, 0.5]);
    // The generator's own weights play no part where there is an EMA.
    await exportFolder(changed, { engine, license: "CC0" });
    assertEquals(
      await Deno.readFile(`${changed}/generator.onnx`),
      await Deno.readFile(exported.path),
    );
  }));

Deno.test("exportFolder() writes each precision, bytes, and a second file for large weights", () =>
  inFolder(async (root) => {
    const run = await makeRun(root);
    const whole = await exportFolder(run, { engine });
    for (const dtype of ["fp16", "int8"] as const) {
      const exported = await exportFolder(run, { engine, dtype, out: `${root}/out/${dtype}.onnx` });
      assertEquals(exported.dtype, dtype);
      assertLess(exported.sizeBytes, whole.sizeBytes);
      assert(exported.parity.maxDifference > whole.parity.maxDifference);
      assertEquals(exported.path, `${root}/out/${dtype}.onnx`);
    }
    const bytes = await exportFolder(run, { engine, output: "uint8", out: `${root}/bytes.onnx` });
    assertLess(bytes.parity.maxDifference, 1.5);
    const split = await exportFolder(run, {
      engine,
      out: `${root}/split.onnx`,
      externalDataAbove: 100,
    });
    const sizes = await Promise.all(
      ["split.onnx", "split.onnx.data"].map(async (name) =>
        (await Deno.stat(`${root}/${name}`)).size
      ),
    );
    assertEquals(split.sizeBytes, sizes[0] + sizes[1]);
    assertLess(split.parity.maxDifference, 1e-5);
  }));

Deno.test("exportFolder() leaves no file behind when the file differs from the trainer", () =>
  inFolder(async (root) => {
    const run = await makeRun(root);
    const wrong: Engine = {
      ...engine,
      async compileFunction(fn, inputs) {
        const compiled = await engine.compileFunction(fn, inputs);
        return {
          ...compiled,
          async run(given) {
            const result = await compiled.run(given);
            result.output.data[5] += 2e-4;
            return result;
          },
        };
      },
    };
    const error = await assertRejects(() => exportFolder(run, { engine: wrong }), UserError);
    assertMatch(error.message, /differs from the trainer by up to 0.0002/);
    assertEquals(await exists(`${run}/generator.onnx`), false);
    const left = [];
    for await (const { name } of Deno.readDir(run)) left.push(name);
    assertEquals(left.filter((name) => name.includes("onnx") || name.includes("partial")), []);
  }));

Deno.test("exportFolder() says what is wrong with a run", () =>
  inFolder(async (root) => {
    const refuse = async (change: (run: string) => Promise<void>, message: RegExp) => {
      const run = await makeRun(root);
      await change(run);
      const error = await assertRejects(() => exportFolder(run, { engine }), UserError);
      assertMatch(error.message, message);
      assertEquals(await exists(`${run}/generator.onnx`), false);
    };
    await refuse(
      (run) => Deno.remove(`${run}/checkpoints`, { recursive: true }),
      /Cannot find a checkpoint in .*: it has none/,
    );
    await refuse((run) => Deno.remove(`${run}/data.json`), /data\.json: it is not there; resume/);
    await refuse(
      (run) => Deno.writeTextFile(`${run}/data.json`, '{"version":1}'),
      /data\.json: a field is missing/,
    );
    await refuse(async (run) => {
      const narrower = structuredClone(config);
      narrower.generator.layers[0] = { type: "label-embedding", units: 3 };
      await Deno.writeTextFile(`${run}/config.json`, JSON.stringify(narrower));
    }, /checkpoint has \[10,2\] for the generator's label-embedding_1\/table of shape \[10,3\]/);
    const run = await makeRun(root);
    const misnamed = exportFolder(run, { engine, out: `${root}/model.bin` });
    await assertRejects(() => misnamed, UserError, "expected a name that ends in .onnx");
  }));

Deno.test("writeDataRecord() keeps what readDataRecord() reads", () =>
  inFolder(async (root) => {
    const data = await openDataSource(config.data);
    await writeDataRecord(root, data);
    assertEquals(await readDataRecord(root), {
      version: 1,
      name: data.name,
      kind: "image",
      shape: [8, 8, 1],
      count: 20,
      classNames: "0123456789".split(""),
      fingerprint: data.fingerprint,
      decoding: null,
      columns: null,
    });
    const record = JSON.parse(await Deno.readTextFile(`${root}/data.json`));
    const { columns: _, ...older } = record; // before columns were recorded
    await Deno.writeTextFile(`${root}/data.json`, JSON.stringify(older));
    assertEquals(await readDataRecord(root), older);
    for (const columns of [[], [{}], "x"]) {
      await Deno.writeTextFile(`${root}/data.json`, JSON.stringify({ ...record, columns }));
      await assertRejects(() => readDataRecord(root), UserError, "of the wrong type");
    }
    await Deno.writeTextFile(`${root}/data.json`, '{"version":2}');
    await assertRejects(() => readDataRecord(root), UserError, "of version 2");
  }));
