import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { EvaluationSpec } from "../../src/config/evaluation.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import type { DataSource } from "../../src/data/source.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { UserError } from "../../src/errors.ts";
import { modeCoverage, sampleMatrix, slicedWasserstein } from "../../src/metrics/mod.ts";
import { buildNetwork } from "../../src/nn/mod.ts";
import { planEvaluation, planText } from "../../src/evaluation/evaluation_plan.ts";
import { type OpenEvaluator, openEvaluator } from "../../src/evaluation/evaluator.ts";
import { seededLatents } from "../../src/evaluation/generate.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { TINY } from "../tiny_config.ts";
import { npy, withFiles } from "./models.ts";

const digits = (): Promise<DataSource> => openDataSource({ source: "digits", count: 200, size: 8 });

/** An evaluator of an untrained generator, and its state. */
async function open(
  config: RunConfig,
  spec: EvaluationSpec,
  data: DataSource,
): Promise<{ evaluator: OpenEvaluator; state: ReturnType<typeof stateOf> }> {
  const engine = createEagerEngine("cpu", "test");
  const plan = planEvaluation(spec, data);
  const { generator } = buildTrainingStep(config, { shape: [...data.shape] });
  const { latent } = config;
  return {
    evaluator: await openEvaluator({ plan, data, engine, generator, latent }),
    state: stateOf(config, data),
  };
}

function stateOf(config: RunConfig, data: DataSource) {
  return buildTrainingStep(config, { shape: [...data.shape] }).initialState(config.seed);
}

Deno.test("openEvaluator() measures points in 2-D as the report and evaluate do", async () => {
  const data = await openDataSource({ source: "ring-2d", count: 100 });
  const engine = createEagerEngine("cpu", "test");
  // x = z: samples are the latents of the seeds 0, 1, 2, ...
  const generator = buildNetwork({
    inputShape: [2],
    init: "torch",
    layers: [{ type: "dense", units: 2 }],
  });
  const state = {
    "generator/dense_1/kernel": {
      shape: [2, 2],
      dtype: "float32" as const,
      data: Float32Array.of(1, 0, 0, 1),
    },
    "generator/dense_1/bias": {
      shape: [2],
      dtype: "float32" as const,
      data: new Float32Array(2),
    },
  };
  const latent = { dimension: 2, distribution: "normal" as const };
  const plan = planEvaluation({ everySteps: 1, samples: 3001 }, data);
  assertEquals(plan.measures, ["jsd", "modes", "high-quality", "reverse-kl", "sliced"]);
  const evaluator = await openEvaluator({ plan, data, engine, generator, latent });
  const found = await evaluator.evaluate(state);
  await evaluator.dispose();
  const samples = sampleMatrix(seededLatents(latent, 0, 3001).data as Float32Array, 2);
  const { modes } = data.density!;
  const expected = modeCoverage(samples, {
    centers: modes.map(({ mean }) => mean),
    sigma: modes[0].sigma,
  });
  assertEquals(found.samples, 3001);
  assertEquals(found.measures.modes, expected.covered);
  assertEquals(found.measures["high-quality"], expected.highQuality);
  assertEquals(found.measures.jsd, expected.jsd);
  const fresh = sampleMatrix(data.density!.sample(3001, { seed: 0x5eed }), 2);
  assertEquals(
    found.measures.sliced,
    slicedWasserstein(fresh, samples, { projections: 100, seed: 0 }),
  );
});

Deno.test("openEvaluator() takes sliced Wasserstein of images, and features where they are asked for", async () => {
  const data = await digits();
  const cheap = await open(TINY, { everySteps: 1, samples: 50 }, data);
  const { measures, features } = await cheap.evaluator.evaluate(cheap.state);
  await cheap.evaluator.dispose();
  assertEquals([Object.keys(measures), features], [["sliced"], undefined]);

  const rich = await open(TINY, { everySteps: 1, samples: 50, measure: "frechet" }, data);
  const first = await rich.evaluator.evaluate(rich.state);
  assertEquals(Object.keys(first.measures), ["frechet", "sliced", "kernel"]);
  assertEquals(first.features, "random-conv-64");
  assertEquals(first.measures.sliced, measures.sliced);
  assert(first.measures.frechet! > 0.1, `Frechet ${first.measures.frechet}`);
  assertEquals(await rich.evaluator.evaluate(rich.state), first); // nothing is left behind
  await rich.evaluator.dispose();
});

Deno.test("openEvaluator() takes the EMA weights where there are some", async () => {
  const data = await digits();
  const config: RunConfig = { ...TINY, ema: { halfLifeImages: 100 } };
  const { evaluator, state } = await open(config, { everySteps: 1, samples: 20 }, data);
  const before = await evaluator.evaluate(state);
  for (const [name, { data: values }] of Object.entries(state)) {
    if (name.startsWith("generator/")) values.fill(0);
  }
  assertEquals(await evaluator.evaluate(state), before);
  for (const [name, { data: values }] of Object.entries(state)) {
    if (name.startsWith("ema/")) values.fill(0);
  }
  const gray = await evaluator.evaluate(state);
  await evaluator.dispose();
  assert(Math.abs(gray.measures.sliced! - before.measures.sliced!) > 1e-3);
});

Deno.test("openEvaluator() has no figure for samples that are not finite, and stops at a signal", async () => {
  const data = await digits();
  const { evaluator, state } = await open(TINY, { everySteps: 1, samples: 20 }, data);
  const controller = new AbortController();
  controller.abort();
  await assertRejects(
    () => evaluator.evaluate(state, controller.signal),
    DOMException,
  );
  for (const { data: values } of Object.values(state)) values.fill(NaN);
  assertEquals((await evaluator.evaluate(state)).measures, { sliced: null });
  await evaluator.dispose();
});

Deno.test("planEvaluation() refuses what the data cannot be measured by", async () => {
  const ring = await openDataSource({ source: "ring-2d", count: 100 });
  const images = await digits();
  const refuse = (spec: EvaluationSpec, data: DataSource, message: string): void => {
    assertThrows(() => planEvaluation(spec, data), UserError, message);
  };
  const everySteps = 1;
  refuse({ everySteps, measure: "frechet" }, ring, "ring-2d has no such measure; take jsd, modes,");
  refuse({ everySteps, measure: "jsd" }, images, "take sliced, frechet, kernel");
  refuse(
    { everySteps, samples: 1_000_000 },
    { ...images, sampleSize: 3 * 64 * 64 },
    "Cannot evaluate on 1000000 samples of digits: each has 12288 values, so that 87381 fit into 4 GiB",
  );
  refuse({ everySteps, features: "random" }, ring, "ring-2d is no set of images");
  refuse(
    { everySteps, features: "inception" },
    images,
    "expected random, classifier, or a file that ends in .onnx",
  );
  refuse(
    { everySteps, features: "classifier" },
    { ...images, classNames: undefined },
    "has no labels",
  );
});

Deno.test("planText() says what is measured and how often", async () => {
  const ring = await openDataSource({ source: "ring-2d", count: 100 });
  const text = (spec: EvaluationSpec): string => planText(planEvaluation(spec, ring));
  assertEquals(text({ everyEpochs: 1 }), "2,500 samples each epoch; the best by JSD is kept");
  assertEquals(
    text({ everySteps: 5000, everyEpochs: 2, measure: "modes", samples: 50 }),
    "50 samples each 5,000 steps and each 2 epochs; the best by modes is kept",
  );
});

Deno.test("openEvaluator() takes features of a classifier or of a file, and says whose they are", async () => {
  const data = await digits();
  const file = new URL("../../fixtures/pipeline/extractor.onnx", import.meta.url).pathname;
  for (const [features, name] of [["classifier", "own-classifier-64"], [file, "extractor.onnx"]]) {
    const spec: EvaluationSpec = { everySteps: 1, samples: 40, features };
    const { evaluator, state } = await open(TINY, spec, data);
    assertEquals(evaluator.measure, "sliced"); // it decides, and the features are taken too
    const found = await evaluator.evaluate(state);
    assertStringIncludes(found.features!, name);
    assertEquals(Object.keys(found.measures), ["sliced", "frechet", "kernel"]);
    assert(Object.values(found.measures).every((value) => Number.isFinite(value)));
    await evaluator.dispose();
  }
});

Deno.test("openEvaluator() measures points of a file over themselves", async () => {
  const count = 400;
  const values = fillNormal(new Float32Array(3 * count), { seed: 1, stream: 0, step: 0 });
  await withFiles({ "points.npy": npy(values, [count, 3]) }, async (folder) => {
    const data = await openDataSource({ source: "npy", path: `${folder}/points.npy` });
    const generator = buildNetwork({
      inputShape: [3],
      init: "torch",
      layers: [{ type: "dense", units: 3, bias: false }],
    });
    const latent = { dimension: 3, distribution: "normal" as const };
    const plan = planEvaluation({ everySteps: 1, measure: "frechet", samples: 400 }, data);
    const engine = createEagerEngine("cpu", "test");
    const evaluator = await openEvaluator({ plan, data, engine, generator, latent });
    const at = async (scale: number) =>
      await evaluator.evaluate({
        "generator/dense_1/kernel": {
          shape: [3, 3],
          dtype: "float32",
          data: Float32Array.of(scale, 0, 0, 0, scale, 0, 0, 0, scale),
        },
      });
    const [same, wide] = [await at(1), await at(3)];
    await evaluator.dispose();
    assertEquals(same.features, "points");
    // Of N(0, 1) and N(0, 9) in three dimensions the Frechet distance is 3 (3 - 1)^2.
    assert(same.measures.frechet! < 0.1, `${same.measures.frechet}`);
    assert(Math.abs(wide.measures.frechet! - 12) < 1.5, `${wide.measures.frechet}`);
    assert(wide.measures.sliced! > 10 * same.measures.sliced!);
  });
});

Deno.test("openEvaluator() learns a classifier once a run: what was kept is read, and nothing else", async () => {
  const data = await digits();
  const engine = createEagerEngine("cpu", "test");
  const { generator } = buildTrainingStep(TINY, { shape: [...data.shape] });
  const plan = planEvaluation({ everySteps: 1, samples: 30, features: "classifier" }, data);
  const setup = { plan, data, engine, generator, latent: TINY.latent };
  const state = stateOf(TINY, data);
  await withFiles({}, async (folder) => {
    const first = await openEvaluator(setup);
    await first.keep(folder);
    const expected = await first.evaluate(state);
    await first.dispose();
    const name = `classifier-${data.fingerprint.slice(0, 12)}.safetensors`;
    const written = await Deno.readFile(`${folder}/${name}`);

    const frechet = async () => {
      const evaluator = await openEvaluator({ ...setup, folder });
      await evaluator.keep(folder);
      const { measures } = await evaluator.evaluate(state);
      await evaluator.dispose();
      return measures.frechet;
    };
    assertEquals(await frechet(), expected.measures.frechet);
    assertEquals(await Deno.readFile(`${folder}/${name}`), written);
    // It is the file that is read: with another last layer's scale, the body's features are others.
    const changed = written.slice();
    const values = new DataView(changed.buffer);
    const start = 8 + Number(values.getBigUint64(0, true));
    for (let at = start; at < start + 4 * 60; at += 4) values.setFloat32(at, 0, true);
    await Deno.writeFile(`${folder}/${name}`, changed);
    assert(await frechet() !== expected.measures.frechet);
    // A damaged one is made again.
    await Deno.writeFile(`${folder}/${name}`, written.slice(0, 100));
    assertEquals(await frechet(), expected.measures.frechet);
    assertEquals(await Deno.readFile(`${folder}/${name}`), written);
  });
});
