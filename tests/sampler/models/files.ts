/** Small models of each kind, trained for a step or two and exported, for the tests of this folder. */
import {
  captionsModel,
  drawSyntheticTable,
  imageData,
  modelData,
  openCaptions,
  tableData,
  tabularModel,
  type TrainedModel,
  trainModel,
} from "../../../mod.ts";
import type { LayerSpec, ModelSpec } from "../../../src/config/types.ts";
import type { ExportModelFileOptions } from "../../../src/pipeline/export_trained_model.ts";
import { fillUniform } from "../../../src/random/counter_random.ts";

/** An image of bytes that follow from a number. */
export function testImage(
  width: number,
  height: number,
  { channels = 3, seed = 1 }: { channels?: number; seed?: number } = {},
): { width: number; height: number; channels: number; data: Uint8Array } {
  const draws = fillUniform(new Float32Array(width * height * channels), {
    seed,
    stream: 0,
    step: 0,
  });
  return { width, height, channels, data: Uint8Array.from(draws, (value) => 256 * value) };
}

/** A model from images to images of `size` pixels by some layers, untrained but for a step. */
async function translatorModel(
  layers: LayerSpec[],
  { size = 16, channels = 3 }: { size?: number; channels?: number } = {},
): Promise<TrainedModel> {
  const x = fillUniform(new Float32Array(4 * size * size * channels), {
    seed: 3,
    stream: 0,
    step: 0,
  }).map((value) => 2 * value - 1);
  const model: ModelSpec = {
    networks: {
      generator: { inputShape: [size, size, channels], init: "torch", layers },
      constant: {
        inputShape: [size, size, channels],
        init: "torch",
        layers: [{ type: "conv", filters: 1, kernel: 1 }],
      },
    },
    values: {
      made: { op: "network", network: "generator", input: "x" },
      level: { op: "network", network: "constant", input: "x" },
      goal: { op: "network", network: "constant", input: "x" },
    },
    updates: [{
      name: "fit",
      networks: ["constant"],
      optimizer: { type: "sgd", learningRate: 0.01 },
      terms: [{ name: "error", loss: "l2", of: "level", to: "goal" }],
    }],
    output: "made",
  };
  return await trainModel({ model, batchSize: 2, duration: { steps: 1 }, device: "cpu" }, {
    data: modelData({ x: imageData(x, { shape: [size, size, channels] }) }),
  });
}

const same = { kernel: 3, padding: 1 } as const;

/** Two convolutions and a pixel shuffle: twice as large, any size, a short reach. */
export const ENLARGER: LayerSpec[] = [
  { type: "conv", filters: 4, ...same },
  { type: "prelu" },
  { type: "conv", filters: 12, ...same },
  { type: "pixel-shuffle", factor: 2 },
];

/** A small U-Net, whose sizes 4 divides. */
export const UNET: LayerSpec[] = [
  { type: "conv", filters: 4, kernel: 4, stride: 2, padding: 1 },
  {
    type: "concat-skip",
    body: [
      { type: "conv", filters: 4, kernel: 4, stride: 2, padding: 1 },
      { type: "activation", fn: "relu" },
      { type: "conv-transpose", filters: 4, kernel: 4, stride: 2, padding: 1 },
    ],
  },
  { type: "conv-transpose", filters: 1, kernel: 4, stride: 2, padding: 1 },
];

/** Dropout that stays: one size, and noise. */
export const RANDOM: LayerSpec[] = [
  { type: "conv", filters: 8, ...same },
  { type: "dropout", rate: 0.5, atSampling: true },
  { type: "conv", filters: 1, ...same },
];

/** Trains and exports; each file once. */
const files = new Map<string, Promise<Uint8Array>>();

function once(
  name: string,
  train: () => Promise<TrainedModel>,
  options: Omit<ExportModelFileOptions, "out"> = {},
): Promise<Uint8Array> {
  const make = async () => {
    const out = `${await Deno.makeTempDir()}/${name}.onnx`;
    await using run = await train();
    return (await run.export({ ...options, out })).bytes;
  };
  const made = files.get(name) ?? make();
  files.set(name, made);
  return made;
}

/** The files by their names. */
export const MODEL_FILES = {
  enlarger: () => once("enlarger", () => translatorModel(ENLARGER)),
  unet: () => once("unet", () => translatorModel(UNET, { channels: 1 })),
  random: () => once("random", () => translatorModel(RANDOM, { channels: 1 })),
  rows: () =>
    once("rows", async () => {
      const data = tableData(drawSyntheticTable(300, 0));
      const options = { generatorUnits: [16], discriminatorUnits: [16] };
      return await trainModel({
        model: tabularModel(data.table!.shape, options),
        batchSize: 50,
        duration: { steps: 2 },
        device: "cpu",
      }, { data });
    }),
  captions: () =>
    once("captions", async () => {
      const data = await openCaptions({ count: 120, size: 16 });
      const vocabularySize = data.captions!.vocabulary.words.length;
      return await trainModel({
        model: captionsModel({ size: 16, vocabularySize, filters: 4, embedding: 8 }),
        batchSize: 8,
        duration: { steps: 2 },
        device: "cpu",
      }, { data });
    }),
};
