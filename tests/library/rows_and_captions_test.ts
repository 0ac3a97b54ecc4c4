/** Models of rows and of captions from their data to measures: trained, resumed to the same bits, drawn from, exported. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  captionsModel,
  drawCaptioned,
  drawRows,
  evaluateCaptioned,
  evaluateRows,
  type ModelData,
  type ModelRunConfig,
  openCaptions,
  openTable,
  resumeModel,
  tabularModel,
  trainModel,
  UserError,
} from "../../mod.ts";

/** Trains in one go, and in two: the states must be equal. The run of one go is returned. */
async function trainTwice(config: ModelRunConfig, data: ModelData) {
  const whole = await trainModel(config, { data });
  const runsFolder = await Deno.makeTempDir();
  {
    await using _ = await trainModel({ ...config, duration: { steps: 2 } }, { data, runsFolder });
  }
  await using rest = await resumeModel("latest", { data, runsFolder, config });
  assertEquals(rest.result.state, whole.result.state);
  return whole;
}

Deno.test("a model of rows is resumed to the same bits, drawn from by seeds, measured and exported", async () => {
  const data = await openTable({ count: 200 });
  const { shape, encodings } = data.table!;
  await using run = await trainTwice({
    model: tabularModel(shape, { generatorUnits: [8], discriminatorUnits: [8] }),
    batchSize: 20,
    duration: { steps: 4 },
    device: "cpu",
    ema: { halfLifeImages: 40 },
  }, data);
  const rows = await drawRows(run, data, { count: 5, seed: 3 });
  assertEquals(Object.keys(rows[0]), encodings.map(({ name }) => name));
  assertEquals((await drawRows(run, data, { count: 3, seed: 3 }))[0], rows[0]);
  const { columnShapes, learned, closest } = await evaluateRows(run, data);
  assert(columnShapes.generated > 0.2 && columnShapes.data! > 0.8, JSON.stringify(columnShapes));
  assert(learned.length === 3 && closest.data !== null);
  const out = `${await Deno.makeTempDir()}/rows.onnx`;
  const exported = await run.export({ out }); // compared with the networks at several sizes
  assertEquals(exported.inputNames.toSorted(), ["condition", "latent", "noise"]);
  await assertRejects(
    () => drawCaptioned(run, data, { captions: ["x"] }),
    UserError,
    "the data visits have none",
  );
});

Deno.test("a model of captions is resumed to the same bits, draws what a text says, and is measured by what is read", async () => {
  const data = await openCaptions({ count: 300, size: 8 });
  const { vocabulary } = data.captions!;
  await using run = await trainTwice({
    model: captionsModel({ size: 8, vocabularySize: vocabulary.words.length, filters: 4 }),
    batchSize: 8,
    duration: { steps: 4 },
    device: "cpu",
  }, data);
  const captions = ["thick slanted red seven", "thin upright blue two"];
  const images = await drawCaptioned(run, data, { captions });
  assertEquals(images.length, 2 * 8 * 8 * 3);
  assertAlmostEquals(
    (await drawCaptioned(run, data, { captions: [captions[0]] }))[7],
    images[7],
    1e-5,
  );
  await assertRejects(
    () => drawCaptioned(run, data, { captions: ["thick rad seven"] }),
    UserError,
    '"rad" (did you mean red?)',
  );
  const { words, attributes, heldBack, ...rest } = await evaluateCaptioned(run, data);
  assert(heldBack && rest.captions > 10);
  assertEquals(attributes.map(({ name }) => name), ["thickness", "slant", "color", "digit"]);
  const color = attributes[2].score; // what no 300 images of 8 x 8 pixels hide
  assert(color.data! > 0.7 && color.generated < 0.7, JSON.stringify(color));
  assert(words.data! > words.generated);
  await assertRejects(() => drawRows(run, data, { count: 1 }), UserError, "are no table");
});
