import { assertAlmostEquals, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { drawDigits } from "../../src/data/digits/draw_digits.ts";
import { openDataSource } from "../../src/data/open.ts";
import { openEngine } from "../../src/engine/open.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { likeliest } from "../../src/evaluation/classifier.ts";
import { pixelsOf } from "../../src/evaluation/pixels.ts";
import {
  countStackedModes,
  stackedClassifier,
  trainDigitClassifier,
} from "../../src/evaluation/stacked_modes.ts";

const SIZE = 12;
const latent = { dimension: 2, distribution: "normal" as const };
const generator = buildNetwork({
  inputShape: [2],
  init: "zeros",
  layers: [
    { type: "dense", units: SIZE * SIZE * 3 },
    { type: "reshape", shape: [SIZE, SIZE, 3] },
  ],
});

/** A generator that always makes the image of three digits. */
function always(wanted: number[]): HostTensors {
  const digits = drawDigits({ count: 200, size: SIZE });
  const bias = new Float32Array(SIZE * SIZE * 3);
  wanted.forEach((digit, channel) => {
    const index = digits.labels!.findIndex((label) => label === digit);
    const { values } = digits.batch(Uint32Array.of(index));
    values.forEach((value, pixel) => bias[3 * pixel + channel] = value);
  });
  const weights = initialParameters(generator, 0);
  weights["dense_1/bias"] = { ...weights["dense_1/bias"], data: bias };
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [`generator/${name}`, tensor]),
  );
}

Deno.test("countStackedModes() reads the digits of the channels in their order", async () => {
  const { engine } = await openEngine("cpu");
  try {
    const classifier = await trainDigitClassifier(engine, { source: "stacked-mnist", size: SIZE });
    assertGreater(classifier.accuracy, 0.95);
    for (const digits of [[4, 0, 7], [7, 4, 0]]) {
      const state = always(digits);
      const setup = { engine, generator, latent, state, classifier, samples: 300 };
      const { counts, covered, kl, total, samples } = await countStackedModes(setup);
      assertEquals({ covered, total, samples }, { covered: 1, total: 1000, samples: 300 });
      assertEquals(counts[100 * digits[0] + 10 * digits[1] + digits[2]], 300);
      assertAlmostEquals(kl, Math.log(1000), 1e-9);
    }
    await classifier.dispose();
  } finally {
    await engine.dispose();
  }
});

Deno.test("stackedClassifier() sees the modes of stacked images by a classifier of single digits", async () => {
  const spec = { source: "stacked-mnist" as const, size: SIZE, count: 400 };
  const data = await openDataSource(spec);
  const { engine } = await openEngine("cpu");
  try {
    const digits = await trainDigitClassifier(engine, spec);
    const stacked = stackedClassifier(digits, data.classNames!);
    assertEquals([stacked.classes, stacked.dimensions], [1000, 3 * digits.dimensions]);
    assertAlmostEquals(stacked.accuracy, digits.accuracy ** 3, 1e-12);
    const images = pixelsOf(data, Uint32Array.from({ length: 300 }, (_, i) => i));
    const { features, probabilities } = await stacked.extract(images);
    assertEquals(features.length, 300 * stacked.dimensions);
    const seen = likeliest(probabilities!, 1000);
    const right = seen.filter((mode, i) => mode === data.labels![i]).length / 300;
    assertGreater(right, 0.85); // all three digits of an image
    const sums = Array.from(
      { length: 300 },
      (_, i) =>
        probabilities!.subarray(1000 * i, 1000 * (i + 1)).reduce((sum, share) => sum + share, 0),
    );
    for (const sum of sums) assertAlmostEquals(sum, 1, 1e-4);
    await stacked.dispose();
  } finally {
    await engine.dispose();
  }
});

Deno.test("trainDigitClassifier() refuses what has no ten classes", async () => {
  const folder = await Deno.makeTempDir();
  const { engine } = await openEngine("cpu");
  try {
    await Deno.writeTextFile(`${folder}/points.csv`, "1,2\n3,4\n");
    await assertRejects(
      () => trainDigitClassifier(engine, { source: "stacked-mnist", path: `${folder}/points.csv` }),
      UserError,
    );
  } finally {
    await engine.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});
