import {
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { evaluateRun } from "../../src/pipeline/evaluate_run.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { affineGenerator, npy, tableGenerator, withFiles } from "./models.ts";

const line = { name: "sample" as const, shape: [1] };
const plane = { name: "sample" as const, shape: [2] };

/** `mean + sigma * latent` */
function normalGenerator(mean: number, sigma: number): Uint8Array {
  const slopes = { dimension: 1, values: Float32Array.of(sigma) };
  return affineGenerator(Float32Array.of(mean), line, slopes);
}

Deno.test("evaluateRun() measures points in 1-D against their exact density", () =>
  withFiles(
    { "right.onnx": normalGenerator(0, 1), "shifted.onnx": normalGenerator(0.5, 1) },
    async (folder) => {
      const of = async (file: string) => {
        const options = { data: "normal-1d", count: 20_000 };
        return (await evaluateRun(`${folder}/${file}`, options)).evaluation;
      };
      const right = await of("right.onnx");
      assertEquals(right.features, []);
      assertEquals(right.samples.count, 20_000);
      for (const { jsd, jsdFloor, wasserstein } of [right.line!.generated, right.line!.data!]) {
        assertLess(jsd, 2 * jsdFloor);
        assertLess(wasserstein, 0.02);
      }
      const shifted = (await of("shifted.onnx")).line!.generated;
      assertAlmostEquals(shifted.wasserstein, 0.5, 0.02);
      assertAlmostEquals(shifted.kl, 0.125, 0.02); // 0.5^2 / 2
      assertAlmostEquals(shifted.reverseKl, 0.125, 0.02);
    },
  ));

Deno.test("evaluateRun() counts the modes of points in 2-D", () =>
  withFiles({
    "one.onnx": affineGenerator(Float32Array.of(1, 0), plane, {
      dimension: 2,
      values: Float32Array.of(0.01, 0, 0, 0.01),
    }),
  }, async (folder) => {
    const { evaluation, files } = await evaluateRun(`${folder}/one.onnx`, { data: "ring-2d" });
    const { generated, data } = evaluation.modes!;
    assertEquals(evaluation.samples.count, 2500);
    assertEquals([generated.covered, generated.total, data!.covered], [1, 8, 8]);
    assertAlmostEquals(generated.highQuality, 0.9889, 0.01); // 1 - exp(-9 / 2)
    assertAlmostEquals(data!.highQuality, 0.9889, 0.01);
    assertAlmostEquals(generated.reverseKl, Math.log(8), 1e-9);
    assertLess(data!.reverseKl, 0.01);
    assertGreater(evaluation.sliced!.figures.generated, 0.3);
    assertEquals(files, [`${folder}/evaluation.json`]);
  }));

Deno.test("evaluateRun() compares points of a file with samples, and finds copies", () => {
  const points = fillNormal(new Float32Array(200 * 3), { seed: 1, stream: 1, step: 0 });
  const output = { name: "sample" as const, shape: [3] };
  return withFiles(
    { "copy.onnx": tableGenerator(points, output), "points.npy": npy(points, [200, 3]) },
    async (folder) => {
      const options = { data: `${folder}/points.npy` };
      const { evaluation } = await evaluateRun(`${folder}/copy.onnx`, options);
      const { extractor, dimensions, figures } = evaluation.features[0];
      assertEquals([extractor, dimensions], ["points", 3]);
      assertLess(figures.generated.frechet, 1e-9);
      assertEquals(figures.generated.manifold.precision, 1);
      assertAlmostEquals(evaluation.sliced!.figures.generated, 0, 1e-9);
      assertEquals(evaluation.memorization!.copies, 1);

      await assertRejects(
        () => evaluateRun(`${folder}/copy.onnx`, { ...options, features: "extractor.onnx" }),
        UserError,
        "an extractor is for images; leave --features away",
      );
      await assertRejects(
        () => evaluateRun(`${folder}/copy.onnx`, { data: "ring-2d" }),
        UserError,
        "it makes points of 3 values, and the data are points of 2 values",
      );
      await Deno.writeFile(
        `${folder}/nan.onnx`,
        affineGenerator(Float32Array.of(0, NaN, 0), output),
      );
      await assertRejects(
        () => evaluateRun(`${folder}/nan.onnx`, options),
        UserError,
        "the sample of seed 0 holds NaN",
      );
    },
  );
});
