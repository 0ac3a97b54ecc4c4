import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  comparisonLines,
  drawQualityPlot,
  type FiguresOverTime,
  type MeasuredMark,
  qualityTable,
} from "../../src/report/quality_over_time.ts";

const figures = (frechet: number): MeasuredMark["figures"] => [
  {
    frechet,
    kernel: { mean: frechet / 100, deviation: 0 },
    manifold: { precision: 0.5, recall: 0.25, density: 1, coverage: 0.75 },
  },
  {
    frechet: 2 * frechet,
    kernel: { mean: 0, deviation: 0 },
    manifold: { precision: 0, recall: 0, density: 0, coverage: 0 },
  },
];

/** A run of ten minutes, measured twice. */
const run = (
  recipe: MeasuredMark["recipe"],
  seed: number,
  [half, end]: [number, number],
): MeasuredMark[] => [
  { recipe, seed, seconds: 300, steps: 500, images: 16_000, figures: figures(half) },
  { recipe, seed, seconds: 600, steps: 1000, images: 32_000, figures: figures(end) },
];

const all: FiguresOverTime = {
  extractors: ["features.onnx (sha256 0123)", "random-conv-64"],
  remark: "",
  reference: figures(0.5),
  measured: [
    ...run("tutorial-pytorch", 0, [20, 10]),
    ...run("best", 0, [8, 4]),
    ...run("tutorial-pytorch", 1, [20, 12]),
    ...run("best", 1, [13, 6]),
  ],
};

Deno.test("qualityTable() gives mean and standard deviation of the last samples over the seeds", () => {
  const [, , tutorial, best, data] = qualityTable(all).split("\n");
  assertStringIncludes(
    tutorial,
    "| DCGAN tutorial, PyTorch | 2 | 10.0 | 1,000 | 32,000 | 11.000 +- 1.414 | 0.1100 +- 0.0141 |",
  );
  assertStringIncludes(
    best,
    "| 5.000 +- 1.414 | 0.0500 +- 0.0141 | 0.500 +- 0.000 | 0.250 +- 0.000 |",
  );
  assertStringIncludes(data, "| data, one half against the other |  |  |  |  | 0.500 |");
});

Deno.test("comparisonLines() says by seed when the tutorial's last distance is reached, and the end", () => {
  assertEquals(comparisonLines(all), [
    "few-images, ganforge, seed 0: reaches the tutorial's last Frechet distance by 5.0 minutes, 50% of its " +
    "time, and ends at 40% of it",
    "few-images, ganforge, seed 1: reaches the tutorial's last Frechet distance by 10.0 minutes, 100% of its " +
    "time, and ends at 50% of it",
  ]);
  const measured = all.measured.filter(({ recipe }) => recipe === "best");
  assertEquals(comparisonLines({ ...all, measured }), []);
});

Deno.test("drawQualityPlot() draws a curve for each recipe, with bars where there are several seeds", () => {
  const lines = (given: FiguresOverTime) =>
    drawQualityPlot(given, { title: "Quality" }).split('stroke-width="1.2"').length - 1;
  assertEquals(lines(all), 8); // two extractors, two recipes, two times
  const measured = all.measured.filter(({ seed }) => seed === 0);
  assertEquals(lines({ ...all, measured }), 0);
  assertStringIncludes(drawQualityPlot(all, { title: "Quality" }), "few-images, ganforge");
});
