import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { drawDigits } from "../../src/data/digits/draw_digits.ts";
import { decodePng } from "../png.ts";
import { UserError } from "../../src/errors.ts";
import { evaluateRun } from "../../src/pipeline/evaluate_run.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { affineGenerator, npy, tableGenerator, toPlanes, withFiles } from "./models.ts";

/** Random images, 8 bits, without labels: each unlike the others. */
function noise(count: number, shape: number[]): Float32Array {
  const size = shape.reduce((a, b) => a * b, count);
  return fillUniform(new Float32Array(size), { seed: 3, stream: 1, step: 0 })
    .map((value) => Math.round(value * 255) / 127.5 - 1);
}

const SHAPE = [8, 8, 3];
const COUNT = 60;
const images = noise(COUNT, SHAPE);
const output = { name: "image" as const, shape: [3, 8, 8] };
const data = npy(images, [COUNT, ...SHAPE]);

Deno.test("evaluateRun() finds a generator that gives the data itself perfect, and a copy", () =>
  withFiles(
    { "copy.onnx": tableGenerator(toPlanes(images, SHAPE), output), "data.npy": data },
    async (folder) => {
      const { evaluation, files } = await evaluateRun(`${folder}/copy.onnx`, {
        data: `${folder}/data.npy`,
      });
      assertEquals(evaluation.samples, {
        count: COUNT,
        firstSeed: 0,
        labels: "seed modulo classes",
        distinct: COUNT,
      });
      assertEquals(evaluation.model.step, 7);
      const [features] = evaluation.features;
      assertEquals(evaluation.features.length, 1); // no labels, no classifier
      assertEquals(features.extractor, "random-conv-64");
      const { frechet, kernel, manifold } = features.figures.generated;
      const others = features.figures.data!;
      assertGreater(others.frechet, 0.5);
      assertLess(frechet, 1e-4 * others.frechet); // rounding under a root, with 60 samples of 64 features
      assertLess(kernel.mean, 0); // without the samples' kernels with themselves, equal sets are below 0
      assertEquals([manifold.precision, manifold.recall, manifold.coverage], [1, 1, 1]);
      assertAlmostEquals(evaluation.sliced!.figures.generated, 0, 1e-6);
      assertGreater(evaluation.sliced!.figures.data!, 0.01);
      assertEquals(evaluation.memorization!.copies, 1);
      assertEquals(evaluation.memorization!.ratio, 0);
      for (const { seed, trainingIndex } of evaluation.memorization!.closest) {
        assertEquals(trainingIndex, seed);
      }
      assertStringIncludes(evaluation.warnings[0], "the covariance cannot have full rank");
      assertEquals(files, [`${folder}/evaluation.json`, `${folder}/neighbors.png`]);
      assertEquals(JSON.parse(await Deno.readTextFile(files[0])), evaluation);
      await checkNeighbors(files[1]);
    },
  ));

/** Each row of the image starts with a sample and its copy in the training data; names stand in the margins. */
async function checkNeighbors(file: string): Promise<void> {
  const { width, height, channels, data } = await decodePng(await Deno.readFile(file));
  const scale = 9; // 8 pixels become 72
  const [left, top] = [width - (6 * 9 + 1) * scale, height - (10 * 9 + 1) * scale];
  assert(left > 20 && top > 10, `names beside ${left} and above ${top}`);
  const pixel = (x: number, y: number) => {
    const at = ((top + y * scale) * width + left + x * scale) * channels;
    return [...data.subarray(at, at + 3)];
  };
  for (let row = 0; row < 10; row++) {
    for (const [x, y] of [[0, 0], [3, 5], [7, 7]]) {
      assertEquals(pixel(1 + x, 1 + row * 9 + y), pixel(10 + x, 1 + row * 9 + y));
    }
  }
}

Deno.test("evaluateRun() shows the collapse of a generator that gives one image", () =>
  withFiles(
    {
      "constant.onnx": affineGenerator(toPlanes(images.subarray(0, 192), SHAPE), output),
      "data.npy": data,
    },
    async (folder) => {
      const { evaluation } = await evaluateRun(`${folder}/constant.onnx`, {
        data: `${folder}/data.npy`,
        count: 40,
        out: `${folder}/out/figures.json`,
      });
      assertEquals(evaluation.samples.distinct, 1);
      const { generated, data: own } = evaluation.features[0].figures;
      assertGreater(generated.frechet, own!.frechet);
      assertEquals(generated.manifold.precision, 1); // it is one of the data
      assertEquals(generated.manifold.recall, 0);
      assertLess(generated.manifold.coverage, 0.3);
      assertEquals(evaluation.memorization!.copies, 1);
      assert(
        evaluation.warnings.includes("only 1 of 40 samples differ: the generator has collapsed"),
      );
      assert((await Deno.stat(`${folder}/out/neighbors.png`)).size > 0);
    },
  ));

Deno.test("evaluateRun() trains a classifier where there are labels, and sees classes with it", async () => {
  const digits = drawDigits({ count: 400, size: 12 });
  const ten = digits.batch(Uint32Array.from({ length: 10 }, (_, i) => i)); // 0 to 9
  const gray = { name: "image" as const, shape: [1, 12, 12] };
  const data = { source: "digits" as const, count: 400, size: 12 };
  const config = JSON.stringify({ ...presetConfig("digits"), data });
  const byClass = tableGenerator(ten.values, gray, [...digits.classNames!]);
  await withFiles(
    { "generator.onnx": byClass, "config.json": config },
    async (folder) => {
      const { evaluation } = await evaluateRun(folder);
      const { classes, samples, features } = evaluation;
      assertEquals(samples.labels, "the data's");
      assertEquals(samples.count, 400);
      assertEquals([classes!.covered, classes!.total], [10, 10]);
      assertGreater(classes!.accuracy, 0.8);
      assertEquals(classes!.heldOutCount, 80);
      assertGreater(classes!.asAsked!, 0.9);
      assertLess(classes!.kl!, 0.1);
      assertEquals(features.map(({ extractor }) => extractor), [
        "random-conv-64",
        "own-classifier-64",
      ]);
      assertGreater(features[1].score!.generated.mean, 7);
      assertLess(features[1].score!.generated.mean, 10);

      await Deno.writeFile(
        `${folder}/generator.onnx`,
        affineGenerator(ten.values.slice(0, 144), gray),
      );
      const one = (await evaluateRun(folder, { count: 50 })).evaluation;
      assertEquals(one.classes!.covered, 1);
      assertEquals(one.classes!.counts, [50, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      assertAlmostEquals(one.classes!.kl!, Math.log(10), 1e-6);
      assertAlmostEquals(one.features[1].score!.generated.mean, 1, 1e-5);
      assertEquals(one.classes!.asAsked, null);
    },
  );
});

Deno.test("evaluateRun() gives the same figures twice, and others from another seed", () =>
  withFiles(
    {
      "linear.onnx": affineGenerator(images.slice(0, 192), output, {
        dimension: 4,
        values: images.slice(192, 192 * 5).map((value) => 0.2 * value),
      }),
      "data.npy": data,
    },
    async (folder) => {
      const options = { data: `${folder}/data.npy`, count: 50 };
      const figures = async (seed: number) => {
        const { evaluation } = await evaluateRun(`${folder}/linear.onnx`, { ...options, seed });
        return evaluation.features[0].figures.generated;
      };
      const first = await figures(0);
      assertEquals(await figures(0), first);
      assertGreater(Math.abs((await figures(1000)).frechet - first.frechet), 1e-6);
    },
  ));

Deno.test("evaluateRun() takes features from a given file, and names it in the figures", () =>
  withFiles(
    { "copy.onnx": tableGenerator(toPlanes(images, SHAPE), output), "data.npy": data },
    async (folder) => {
      const extractor = new URL("../../fixtures/pipeline/extractor.onnx", import.meta.url).pathname;
      const { evaluation } = await evaluateRun(`${folder}/copy.onnx`, {
        data: `${folder}/data.npy`,
        features: extractor,
      });
      const [features] = evaluation.features;
      assertEquals(evaluation.features.length, 1);
      assert(
        /^extractor\.onnx \(sha256 [0-9a-f]{8}\)$/.test(features.extractor),
        features.extractor,
      );
      assertStringIncludes(features.description, "8 x 8 pixels as they are, in [0, 1]");
      assertEquals(features.dimensions, 4);
      assertLess(features.figures.generated.frechet, 1e-9);
      assertEquals(features.figures.generated.manifold.precision, 1);
      assertGreater(features.score!.generated.mean, 1);
      assertEquals(features.score!.generated, features.score!.data);
      assertEquals(evaluation.classes, undefined);
    },
  ));

Deno.test("evaluateRun() says what does not fit", () =>
  withFiles(
    {
      "copy.onnx": tableGenerator(toPlanes(images, SHAPE), output),
      "broken.onnx": affineGenerator(new Float32Array(192).fill(NaN), output),
      "data.npy": data,
      "small.npy": npy(images.slice(0, 11 * 192), [11, ...SHAPE]),
      "other.npy": npy(images.slice(0, 20 * 48), [20, 4, 4, 3]),
      "points.csv": "1,2\n3,4\n5,6\n",
    },
    async (folder) => {
      const cases: [
        model: string,
        options: { data?: string; features?: string },
        message: string,
      ][] = [
        ["copy.onnx", {}, "name the data that it was trained on with --data PATH"],
        ["copy.onnx", { data: "small.npy" }, "Cannot evaluate with 11 samples on one side"],
        ["copy.onnx", { data: "small.npy" }, "the neighbor k = 5 need 12"],
        ["copy.onnx", { data: "other.npy" }, "it makes images of 8 x 8 pixels, 3 channels"],
        ["copy.onnx", { data: "other.npy" }, "the data are images of 4 x 4 pixels, 3 channels"],
        ["broken.onnx", { data: "data.npy" }, "the sample of seed 0 holds NaN"],
        ["copy.onnx", { data: "data.npy", features: "points.csv" }, "it is not an ONNX model"],
        ["copy.onnx", { data: "data.npy", features: "none.onnx" }, "there is no such file"],
      ];
      for (const [model, options, message] of cases) {
        const paths = Object.fromEntries(
          Object.entries(options).map(([name, file]) => [name, `${folder}/${file}`]),
        );
        const error = await assertRejects(
          () => evaluateRun(`${folder}/${model}`, paths),
          UserError,
        );
        assertStringIncludes(error.message, message);
      }
    },
  ));
