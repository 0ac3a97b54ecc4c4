/** Models of TensorFlow.js from disk. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { UserError } from "../../src/errors.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { readModel } from "../../src/export/read_model.ts";
import { exportStoredModel } from "../../src/pipeline/export_model.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { writeGraphModel, writeLayersModel } from "./stored_models.ts";

await tf.setBackend("cpu");

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("exportStoredModel() writes a layers model with one latent as a generator", async () => {
  await withFolder(async (folder) => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 12, inputShape: [5] }),
        tf.layers.reshape({ targetShape: [2, 2, 3] }),
      ],
    });
    await writeLayersModel(model, folder);
    const exported = await exportStoredModel(`${folder}/model.json`);
    assertEquals([exported.kind, exported.as], ["layers", "generator"]);
    assertEquals(exported.path, `${folder}/model.onnx`);
    await using sampler = await Sampler.load(await Deno.readFile(exported.path), {
      device: "wasm",
    });
    assertEquals(sampler.info.output.shape, [3, 2, 2]);
    const plain = await exportStoredModel(`${folder}/model.json`, { as: "function" });
    assertEquals(plain.manifest, undefined);
  });
});

Deno.test("exportOnnx() takes a graph model, and refuses control flow by its name", async () => {
  await withFolder(async (folder) => {
    await writeGraphModel(folder, "Relu");
    const stored = await readModel(`${folder}/model.json`);
    assert(stored.kind === "graph");
    const exported = await exportOnnx(stored.model);
    assertEquals([exported.inputNames, exported.outputNames], [["x"], ["y"]]);

    await writeGraphModel(folder, "Where");
    const error = await assertRejects(
      () => exportStoredModel(`${folder}/model.json`),
      UserError,
    );
    assertMatch(error.message, /a graph model with operation Where \(node y\)/);
    const looped = await readModel(`${folder}/model.json`);
    const fn = ({ x }: Record<string, tf.Tensor>) =>
      (looped.model as tf.GraphModel).execute({ x }) as tf.Tensor;
    const inside = await assertRejects(
      () => exportOnnx({ inputs: { x: { shape: [null, 3] } }, fn }),
      UserError,
    );
    assertMatch(inside.message, /runs a graph model with operation Where \(node y\)/);
  });
});

Deno.test("readModel() says what is wrong with a file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/model.json`;
    const read = () => assertRejects(() => readModel(path), UserError);
    assertMatch((await read()).message, /there is no such file/);
    await Deno.writeTextFile(path, "{");
    assertMatch((await read()).message, /as JSON/);
    await Deno.writeTextFile(path, "{}");
    assertMatch((await read()).message, /expected modelTopology .* and weightsManifest/);
    await writeGraphModel(folder, "Relu");
    await Deno.remove(`${folder}/weights.bin`);
    assertMatch((await read()).message, /its weights .*weights\.bin are not there/);
    await writeGraphModel(folder, "Relu");
    const json = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, json.replace("weights.bin", "../weights.bin"));
    assertMatch((await read()).message, /weights outside of its folder/);
    await writeGraphModel(folder, "Relu");
    await Deno.writeTextFile(path, json.replace('"Relu"', '"Unheard"'));
    const stored = await readModel(path).then(({ model }) => exportOnnx(model), (error) => {
      throw error;
    }).catch((error) => error);
    assertMatch(String(stored), /Unheard/);
  });
});
