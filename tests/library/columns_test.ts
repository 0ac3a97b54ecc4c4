/** Standardized columns: what a run is trained on, and that everything that leaves it has the table's units. */
import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import * as ort from "onnxruntime-web";
import { presetConfig, Sampler, trainRun } from "../../mod.ts";
import { fillLatent } from "../../src/random/latents.ts";

Deno.test("trainRun() on columns of other scales gives files, samples and tables in the data's units", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const rows = Array.from({ length: 256 }, (_, i) => {
      const angle = 2 * Math.PI * i / 256;
      return `${0.5 + 0.5 * Math.cos(angle)},${5000 + 5000 * Math.sin(angle)}`;
    });
    const path = `${folder}/points.csv`;
    await Deno.writeTextFile(path, `share,income\n${rows.join("\n")}\n`);
    await using run = await trainRun({
      ...presetConfig("ring-2d"),
      batchSize: 16,
      duration: { steps: 8 },
      data: { source: "csv", path },
      device: "cpu",
    }, { runsFolder: `${folder}/runs` });
    assertEquals(run.data.columns?.map(({ name }) => name), ["share", "income"]);
    const { values } = run.data.batch(Uint32Array.of(0, 64));
    assertLess(Math.max(...values), 1.5); // as the networks see them

    const samples = await run.sample({ count: 1000 });
    assertInUnits(samples.map(({ values }) => [...values]));
    const { sampled, exported } = await run.finish();
    const table = (await Deno.readTextFile(sampled)).trimEnd().split("\n");
    assertEquals(table[0], "share,income");
    const written = table.slice(1).map((line) => line.split(",").map(Number));
    assertEquals(written[7], [...samples[7].values]);
    const plot = await Deno.readTextFile(`${run.folder}/samples-final.svg`);
    for (const text of [">10k<", ">0.8<", ">share<", ">income<"]) { // each axis in its own units
      assertStringIncludes(plot, text);
    }

    await using sampler = await Sampler.load(exported.path, { device: "wasm", selfTest: true });
    const { latent: { dimension, distribution }, selfTest } = sampler.info.manifest!;
    assertEquals(selfTest.scales?.map((scale) => Number(scale.toPrecision(3))), [0.354, 3540]);
    const latents = new Float32Array(dimension);
    fillLatent(latents, { seed: 7, distribution });
    const session = await ort.InferenceSession.create(await Deno.readFile(exported.path));
    const latent = new ort.Tensor("float32", latents, [1, dimension]);
    const { sample } = await session.run({ latent });
    const own = [...sample.data as Float32Array];
    own.forEach((value, i) => assertLess(Math.abs(value / samples[7].values[i] - 1), 1e-4));
    await session.release();

    const figures = await run.evaluate({ count: 200 });
    assertEquals(
      figures.features[0].description,
      "the points themselves, their columns standardized as for training",
    );
    assertLess(figures.sliced!.figures.generated, 100); // in the units of income it is some thousands
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Both columns lie about the middle of the table's, far from standardized values. */
function assertInUnits(rows: readonly (readonly number[])[]): void {
  for (const [column, [middle, scale]] of [[0.5, 0.354], [5000, 3540]].entries()) {
    const values = rows.map((row) => row[column]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assertLess(Math.abs(mean - middle), 2 * scale);
    const spread = Math.max(...values) - Math.min(...values);
    assertGreater(spread, 0.01 * scale);
    assertLess(spread, 20 * scale);
  }
}
