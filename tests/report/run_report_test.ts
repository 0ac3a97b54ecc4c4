import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import type { LineTheory } from "../../src/metrics/mod.ts";
import { type RunReport, writeRunReport } from "../../src/report/run_report.ts";
import { markdownTable, settingText } from "../../src/report/markdown.ts";

const config: RunConfig = {
  version: 1,
  preset: "mixture-1d",
  seed: 7,
  device: "auto",
  data: { source: "mixture-1d" },
  duration: { epochs: 50 },
  batchSize: 100,
  latent: { dimension: 1, distribution: "normal" },
  generator: { inputShape: [1], init: "torch", layers: [{ type: "dense", units: 1 }] },
  discriminator: { inputShape: [1], init: "torch", layers: [{ type: "dense", units: 1 }] },
  objective: { name: "non-saturating", r1: { gamma: 0.1 } },
  update: {
    order: "generator-first",
    discriminatorSteps: 1,
    latents: "shared",
    discriminatorBatch: "separate",
    discriminatorLossScale: 0.5,
  },
  generatorOptimizer: { type: "adam", learningRate: 1e-4, beta1: 0.5 },
  discriminatorOptimizer: { type: "sgd", learningRate: 0.01 },
  ema: { halfLifeImages: 5000 },
  snapshots: { rows: 4, columns: 4 },
  checkpoints: { keep: 2 },
};

const theory: LineTheory = {
  kl: 0.0312,
  reverseKl: 0.0298,
  jsd: 0.0075,
  jsdFloor: 0.00125,
  count: 10_000,
  outside: 0.0021,
  wasserstein: 0.117,
  value: -1.3788,
  valueAtOptimum: -1.3713,
  accuracy: 0.517,
  meanReal: 0.503,
  meanFake: 0.497,
  binning: { range: [-4.5, 4.5], bins: 100 },
};

const report: RunReport = {
  path: "runs/00003-mixture-1d",
  config,
  device: "the CPU (tfjs-cpu)",
  data: {
    name: "mixture-1d",
    description: "Two Gaussians | equal weights",
    count: 100_000,
    shape: [1],
  },
  networks: [{
    title: "Generator",
    inputShape: [1],
    layers: [
      { name: "dense_1", type: "dense", outputShape: [3], parameterCount: 6 },
      { name: "activation_1", type: "activation", outputShape: [3], parameterCount: 0 },
      { name: "dense_2", type: "dense", outputShape: [1], parameterCount: 4 },
    ],
  }],
  progress: {
    step: 50_000,
    totalSteps: 50_000,
    images: 5_000_000,
    wallSeconds: 83,
    interrupted: false,
  },
  scalars: { dLoss: 0.69312, gLoss: 0.6944, dReal: 0.5012, dFake: 0.4998, penalty: 0.00001234 },
  images: [{ title: "Samples", file: "density.svg" }, {
    title: "Losses",
    file: "my plots/losses.svg",
  }],
  theory,
  modes: {
    samples: 2500,
    covered: 7,
    total: 8,
    highQuality: 0.9132,
    reverseKl: 0.1335,
    nearestReverseKl: 0.13,
    jsd: 0.0876,
    counts: [300, 320, 0, 310, 299, 334, 350, 370],
  },
  export: {
    file: "generator.onnx",
    sizeBytes: 1834,
    opset: 17,
    step: 48_000,
    parity: {
      count: 64,
      maxDifference: 4.2e-7,
      tolerance: 1e-5,
      runtime: "onnxruntime-web (wasm)",
    },
  },
  evaluations: {
    measure: "jsd",
    lines: Array.from({ length: 25 }, (_, i) => ({
      step: 2000 * (i + 1),
      samples: 10_000,
      seconds: 0.05,
      measures: { jsd: i === 23 ? 0.0071 : 0.3 / (i + 1), kl: i === 9 ? null : 0.5 / (i + 1) },
    })),
    best: { step: 48_000, value: 0.0071 },
    image: "evaluations.png",
    exportedStep: 48_000,
    path: "runs/00003-mixture-1d",
  },
  notes: ["Went on from step 20,000."],
};

Deno.test("writeRunReport() gives the frozen report", async () => {
  const file = new URL("../../fixtures/report/report.md", import.meta.url);
  assertEquals(writeRunReport(report), await Deno.readTextFile(file));
});

Deno.test("writeRunReport() leaves out what was not measured", () => {
  const { theory: _, modes: __, export: ___, notes: ____, evaluations: _____, ...rest } = report;
  const text = writeRunReport({
    ...rest,
    config: { ...config, ema: undefined },
    progress: { ...report.progress, step: 1200, interrupted: true },
  });
  for (const heading of ["## Against theory", "## Modes", "## Export", "## Measures during"]) {
    assert(!text.includes(heading));
  }
  assertStringIncludes(text, "1,200 of 50,000 steps (interrupted)");
  assertStringIncludes(text, "| EMA of the generator | none |");
  assert(!text.includes("undefined") && !text.includes("NaN"));
});

Deno.test("writeRunReport() says how much of the difference D sees", () => {
  const withTheory = (changes: Partial<LineTheory>): string =>
    writeRunReport({ ...report, theory: { ...theory, ...changes } });
  assertStringIncludes(
    withTheory({ value: theory.valueAtOptimum - 0.0075 }),
    "sees 50% of the difference",
  );
  assertStringIncludes(withTheory({ value: -2 }), "sees next to nothing of the difference");
  assertStringIncludes(withTheory({ value: theory.valueAtOptimum }), "sees all of the difference");
  assertStringIncludes(withTheory({ jsd: 0.002 }), "there is nothing left to see");
  const critic = withTheory({ value: NaN, accuracy: NaN, meanReal: NaN, meanFake: NaN });
  assert(!critic.includes("accuracy of D") && !critic.includes("NaN"));
});

Deno.test("writeRunReport() marks a parity that failed, and quotes odd paths for the shell", () => {
  const text = writeRunReport({
    ...report,
    path: "my runs/it's",
    export: { ...report.export!, parity: { ...report.export!.parity!, maxDifference: 0.1 } },
  });
  assertStringIncludes(text, "is 0.1, **above** the allowed 1.00e\u22125.");
  assertStringIncludes(text, `deno task evaluate 'my runs/it'\\''s'`);
});

Deno.test("markdownTable() makes bars and line breaks in cells harmless", () => {
  assertEquals(
    markdownTable(["a", ">b"], [["x|y", "1\n2"]]),
    "| a | b |\n| --- | ---: |\n| x\\|y | 1 2 |",
  );
});

Deno.test("settingText() reads any setting aloud", () => {
  assertEquals(
    settingText({ type: "adam", learningRate: 2e-4, beta1: undefined, betas: [0.5, 0.9] }),
    "adam (learning rate 0.0002, betas [0.5, 0.9])",
  );
  assertEquals(settingText({ name: "hinge" }), "hinge");
  assertEquals(
    settingText({ name: "wasserstein", gradientPenalty: { weight: 10 } }),
    "wasserstein (gradient penalty (weight 10))",
  );
});

Deno.test("writeRunReport() says that the best is another than the exported, and how to get it", () => {
  const evaluations = { ...report.evaluations!, exportedStep: 50_000 };
  const text = writeRunReport({
    ...report,
    evaluations,
    export: { ...report.export!, step: 50_000 },
  });
  assertStringIncludes(
    text,
    "The best was after step 48,000, and the exported generator is that of step 50,000, the last: " +
      "`deno task export runs/00003-mixture-1d --checkpoint best` exports the best.",
  );
  assertStringIncludes(text, "the generator of the last step: 1.8 kB");
  const withoutBest = (lines: typeof evaluations.lines): string =>
    writeRunReport({ ...report, evaluations: { ...evaluations, lines, best: undefined } });
  const unknown = evaluations.lines.map((line) => ({ ...line, measures: { jsd: null } }));
  assertStringIncludes(withoutBest(unknown), "No evaluation gave a finite figure, so there is no");
  assertStringIncludes(withoutBest(evaluations.lines), "there is no best yet");
});

Deno.test("writeRunReport() says how many evaluations do not compare with those that it shows", () => {
  const withUnlike = (unlike: number): string =>
    writeRunReport({ ...report, evaluations: { ...report.evaluations!, unlike } });
  assertEquals(withUnlike(0), writeRunReport(report));
  assertStringIncludes(
    withUnlike(1),
    "lower is better. 1 more was made of other samples, features",
  );
  assertStringIncludes(withUnlike(1200), "lower is better. 1,200 more were made of other samples");
});

Deno.test("writeRunReport() of compared pairs shows D's margin, not two numbers that mean nothing", () => {
  const text = writeRunReport({
    ...report,
    config: { ...config, objective: { name: "relativistic" } },
    scalars: { dLoss: 1, gLoss: 1, dReal: 7.5, dFake: 7.25 },
  });
  assertStringIncludes(text, "| D(x) \u2212 D(G(z)), mean over pairs | 0.25 |");
  assert(!text.includes("| D(x), real samples"));
});
