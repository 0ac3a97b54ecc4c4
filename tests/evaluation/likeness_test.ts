import { assertAlmostEquals, assertEquals } from "@std/assert";
import { sampleMatrix } from "../../src/metrics/mod.ts";
import {
  fewestSamples,
  sampleSizeWarning,
  splitInTwo,
} from "../../src/evaluation/feature_measures.ts";
import { featureNetwork, softmaxRows } from "../../src/evaluation/features.ts";
import { measureMemorization, planThumbnails, thumbnails } from "../../src/evaluation/likeness.ts";
import { buildNetwork } from "../../src/nn/mod.ts";

Deno.test("planThumbnails() keeps small images, and brings others to 1,024 values", () => {
  assertEquals(planThumbnails([28, 28, 1]).factor, 1);
  assertEquals(planThumbnails([32, 32, 3]), {
    factor: 2,
    length: 768,
    description: "pixels in [-1, 1], means of 2 x 2, 768 an image",
  });
  assertEquals(planThumbnails([256, 256, 3]).length, 18 * 18 * 3); // by 15, the last ones cut
});

Deno.test("thumbnails() takes means, of what is there at the edges too", () => {
  const image = Uint8Array.of(0, 255, 51, 255, 0, 102, 204, 204, 153); // 3 x 3
  const batch = { data: image, count: 1, height: 3, width: 3, channels: 1 as const };
  const small = thumbnails(batch, { factor: 2, length: 4, description: "" });
  const expected = [127.5, 76.5, 204, 153].map((mean) => mean / 127.5 - 1);
  small.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-6));
});

Deno.test("measureMemorization() names the sample that is a copy", () => {
  const training = Float32Array.from({ length: 40 }, (_, i) => 10 * i);
  const generated = Float32Array.of(3, 57, 120, 384);
  const found = measureMemorization({
    generated: sampleMatrix(generated, 1),
    training: sampleMatrix(training, 1),
    of: "points",
    firstSeed: 100,
  });
  assertEquals(found.closest, [
    { seed: 102, trainingIndex: 12, distance: 0 },
    { seed: 100, trainingIndex: 0, distance: 3 },
    { seed: 101, trainingIndex: 6, distance: 3 },
    { seed: 103, trainingIndex: 38, distance: 4 },
  ]);
  assertEquals([found.medianDistance, found.medianTrainingDistance], [3, 10]);
  assertEquals(found.copies, 1); // all are nearer than 10
});

Deno.test("splitInTwo() have no row in common", () => {
  const [first, second] = splitInTwo(sampleMatrix(Float32Array.of(0, 1, 2, 3, 4), 1));
  assertEquals([first.data, second.data], [Float32Array.of(0, 2), Float32Array.of(1, 3)]);
  assertEquals(fewestSamples(5), 12);
});

Deno.test("sampleSizeWarning() speaks where samples are few for the features", () => {
  const moments = { real: 300, generated: 300, half: 150 };
  const warning = (dimensions: number) =>
    sampleSizeWarning({
      extractor: "x",
      description: "",
      dimensions,
      counts: moments,
      figures: {
        generated: {
          frechet: 0,
          kernel: { mean: 0, deviation: 0, subsets: 1, subsetSize: 300 },
          manifold: { precision: 0, recall: 0, density: 0, coverage: 0, k: 5 },
        },
        data: null,
      },
    });
  assertEquals(warning(64), undefined);
  assertEquals(warning(100)?.includes("as large as what it is to show"), true);
  assertEquals(warning(300)?.includes("the covariance cannot have full rank"), true);
  assertEquals(warning(300)?.includes("more than 1200 samples"), true);
});

Deno.test("featureNetwork() makes 64 features of images of any shape", () => {
  for (const shape of [[2, 2, 1], [28, 28, 1], [33, 17, 3], [128, 128, 3]]) {
    assertEquals(buildNetwork(featureNetwork(shape)).outputShape, [64]);
  }
});

Deno.test("softmaxRows() gives distributions, also of large logits", () => {
  const rows = softmaxRows([0, Math.log(3), 1000, 1000], 2);
  [0.25, 0.75, 0.5, 0.5].forEach((value, i) => assertAlmostEquals(rows[i], value, 1e-6));
});
