/** Writes models as TensorFlow.js stores them: `model.json` and `weights.bin`. */
import type { tf } from "../../src/tensor/tf.ts";

/** Writes a layers model. */
export async function writeLayersModel(model: tf.LayersModel, folder: string): Promise<void> {
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      await Deno.writeFile(`${folder}/weights.bin`, new Uint8Array(weightData as ArrayBuffer));
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      const json = { format: "layers-model", modelTopology, weightsManifest };
      await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(json));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
}

/** Writes a graph model: `y = op(x + bias)` of `[N, 3]`. */
export async function writeGraphModel(folder: string, op: string): Promise<void> {
  const type = { T: { type: "DT_FLOAT" } };
  const shape = { unknownRank: false, dim: [{ size: "-1" }, { size: "3" }] };
  const node = [
    { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape } } },
    { name: "bias", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
    { name: "sum", op: "AddV2", input: ["x", "bias"], attr: type },
    { name: "y", op, input: ["sum"], attr: type },
  ];
  const weights = [{ name: "bias", shape: [3], dtype: "float32" }];
  await Deno.writeFile(
    `${folder}/weights.bin`,
    new Uint8Array(Float32Array.of(-1, 0, 1).buffer),
  );
  const json = {
    format: "graph-model",
    modelTopology: { node, library: {}, versions: {} },
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  };
  await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(json));
}
