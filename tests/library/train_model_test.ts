/** Models of several networks as a program trains them: in memory, in a folder, resumed, exported. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  imageData,
  modelData,
  type ModelRunConfig,
  resumeModel,
  tableData,
  tabularModel,
  tensorData,
  trainModel,
  UserError,
} from "../../mod.ts";
import { loadModel } from "../../src/ort/model.ts";
import { toNCHW } from "../../src/export/compare.ts";
import { readRunConfig } from "../../src/run/run_folder.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { MODEL_CASES } from "../training/model_cases.ts";

const COUNT = 10;

function pixels(channels: number, stream: number): Float32Array {
  const values = new Float32Array(COUNT * 16 * channels);
  return fillUniform(values, { seed: 5, stream, step: 0 }).map((value) => 2 * value - 1);
}

const images = (channels: number, stream: number) =>
  imageData(pixels(channels, stream), { shape: [4, 4, channels] });

const pairs = () => modelData({ a: images(3, 0), b: images(1, 1) });

/** The model of pairs with a condition of three channels, as images have them. */
function pairedModel(): ModelRunConfig["model"] {
  const model = structuredClone(MODEL_CASES.paired.model);
  model.networks.generator.inputShape = [4, 4, 3];
  model.networks.discriminator.inputShape = [4, 4, 4];
  return model;
}

const paired = (steps: number): ModelRunConfig => ({
  model: pairedModel(),
  batchSize: 2,
  duration: { steps },
  device: "cpu",
  ema: { halfLifeImages: 20 },
});

Deno.test("trainModel() gives the same bits when it is interrupted and resumed as in one go", async () => {
  await using whole = await trainModel(paired(12), { data: pairs() });
  assertEquals(whole.folder, undefined);
  const runsFolder = await Deno.makeTempDir();
  const controller = new AbortController();
  {
    await using first = await trainModel(paired(12), {
      data: pairs(),
      runsFolder,
      signal: controller.signal,
      onProgress: ({ step }) => step >= 5 && controller.abort(),
    });
    assert(first.result.interrupted && first.result.step < 12, `stopped at ${first.result.step}`);
  }
  await using rest = await resumeModel("latest", { data: pairs(), runsFolder });
  assertEquals(rest.result.step, 12);
  assertEquals(rest.result.state, whole.result.state);
  await assertRejects(
    () => readRunConfig(rest.folder!),
    UserError,
    "trainModel() and resumeModel()",
  );
});

Deno.test("trainModel() keeps the history of images in checkpoints, to the same bits", async () => {
  const data = modelData({ a: images(1, 0), b: images(1, 1) }, { pairing: "apart" });
  const { model, batchSize } = MODEL_CASES.cycle;
  const config: ModelRunConfig = { model, batchSize, duration: { steps: 9 }, device: "cpu" };
  await using whole = await trainModel(config, { data });
  const runsFolder = await Deno.makeTempDir();
  {
    await using _ = await trainModel({ ...config, duration: { steps: 4 } }, { data, runsFolder });
  }
  await using rest = await resumeModel("0", { data, runsFolder, config });
  assertEquals(rest.result.state, whole.result.state);
  assertEquals(rest.result.state["history/shownA/count"].data[0], 2);
});

Deno.test("trainModel() computes values, and exports them with open sizes to the same values", async () => {
  await using run = await trainModel(paired(4), { data: pairs() });
  const a = { shape: [3, 4, 4, 3], data: pixels(3, 7).slice(0, 3 * 48) };
  const { fakeB } = await run.compute({ a });
  assertEquals(fakeB.shape, [3, 4, 4, 1]);
  const out = `${await Deno.makeTempDir()}/pairs.onnx`;
  const exported = await run.export({ out, openSize: true });
  assertEquals(exported.inputNames, ["image"]);
  const model = await loadModel(await Deno.readFile(out), out);
  const image = { shape: [3, 3, 4, 4], data: toNCHW(a.data, [3, 4, 4]) };
  const { output } = await model.run({ image }, ["output"]);
  assertEquals(output.shape, [3, 1, 4, 4]);
  for (const [i, value] of output.data.entries()) {
    assertAlmostEquals(value, fakeB.data[i], 1e-5);
  }
  const large = await model.run({ image: { shape: [1, 3, 6, 9], data: new Float32Array(162) } }, [
    "output",
  ]);
  assertEquals(large.output.shape, [1, 1, 6, 9]);
  await model.dispose();
});

Deno.test("compute() draws dropout at sampling by its seed", async () => {
  const config = paired(2);
  config.model.networks.generator.layers.splice(2, 0, {
    type: "dropout",
    rate: 0.5,
    atSampling: true,
  });
  await using run = await trainModel(config, { data: pairs() });
  const a = { shape: [1, 4, 4, 3], data: pixels(3, 7).slice(0, 48) };
  const first = (await run.compute({ a }, { seed: 1 })).fakeB.data;
  assertEquals((await run.compute({ a }, { seed: 1 })).fakeB.data, first);
  assert((await run.compute({ a }, { seed: 2 })).fakeB.data.some((value, i) => value !== first[i]));
});

Deno.test("trainModel() takes tables without columns of names, which have no conditions", async () => {
  const values = Float64Array.from({ length: 40 }, (_, row) => (row % 2) * 10 + Math.sin(row));
  const column = { name: "x", kind: "number", decimals: 2, values } as const;
  const data = tableData({ rowCount: 40, columns: [column] });
  await using run = await trainModel({
    model: tabularModel(data.table!.shape, {
      generatorUnits: [4],
      discriminatorUnits: [4],
      pack: 2,
    }),
    batchSize: 4,
    duration: { steps: 2 },
    device: "cpu",
  }, { data });
  assertEquals(run.result.step, 2);
  await assertRejects(
    () =>
      trainModel(
        { model: tabularModel(data.table!.shape), batchSize: 15, duration: { steps: 1 } },
        { data },
      ),
    UserError,
    'the value "realPack" packs 10 rows, which does not divide the batch of 15; choose another',
  );
});

Deno.test("trainModel() and compute() refuse what does not fit, in one line", async () => {
  await assertRejects(
    () =>
      trainModel({ ...paired(1), batchsize: 3 } as unknown as ModelRunConfig, { data: pairs() }),
    UserError,
    "there is no option batchsize (did you mean batchSize?)",
  );
  await assertRejects(
    () => trainModel(paired(1), {} as { data: ReturnType<typeof pairs> }),
    UserError,
    "Cannot train the model: data is missing; make it with modelData()",
  );
  await assertRejects(
    () => trainModel(paired(1), { data: modelData({ a: images(1, 0), b: images(1, 1) }) }),
    UserError,
    'the network "generator" takes [4, 4, 3], and the value "fakeB" gives it [4, 4, 1]',
  );
  assertThrows(
    () => modelData({ a: images(1, 0), b: tensorData(new Float32Array(6), { shape: [2] }) }),
    UserError,
    "Cannot join a and b: they have 10 and 3 samples",
  );
  await using run = await trainModel(paired(1), { data: pairs() });
  await assertRejects(
    () => run.compute({}),
    UserError,
    "input a: it is missing, expected [n, 4, 4, 3]",
  );
  await assertRejects(
    () => run.export({ out: "model" }),
    UserError,
    "Cannot export to model: expected a name that ends in .onnx",
  );
});
