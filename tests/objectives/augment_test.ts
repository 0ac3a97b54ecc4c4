import { assertAlmostEquals, assertEquals } from "@std/assert";
import { HostStepRandom } from "../../src/engine/eager.ts";
import { tf } from "../../src/engine/tf.ts";
import { augmentByChance, type AugmentPolicy, diffAugment } from "../../src/objectives/augment.ts";
import {
  assertMatches,
  GOLDEN_SEED,
  readGolden,
  type Summary,
  testOnBackends,
  uniformAt,
} from "../nn/golden.ts";

interface AugmentCase {
  policy: AugmentPolicy;
  shape: [number, number, number, number];
  output: Summary;
  gradient: Summary;
}

for (const golden of readGolden<AugmentCase>("augment")) {
  const { policy, shape } = golden;
  testOnBackends(`diffAugment() gives its authors' images and gradients: ${policy}`, async () => {
    const images = tf.tensor4d(uniformAt(shape, 100).map((value) => 2 * value - 1), shape);
    const weights = tf.tensor(uniformAt(shape, 101), shape);
    const transform = (x: tf.Tensor): tf.Tensor =>
      diffAugment(x as tf.Tensor4D, [policy], new HostStepRandom(GOLDEN_SEED, 0));
    const output = tf.tidy(() => transform(images));
    const gradient = tf.tidy(() =>
      tf.grad((x: tf.Tensor) => tf.mul(0.5, tf.sum(tf.mul(weights, tf.square(transform(x))))))(
        images,
      )
    );
    assertMatches(await output.data(), golden.output, "output");
    assertMatches(await gradient.data(), golden.gradient, "gradient");
    tf.dispose([images, weights, output, gradient]);
  });
}

Deno.test("diffAugment() gives each sample its own transform, the same for the same numbers", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const images = tf.ones([4, 8, 8, 1]) as tf.Tensor4D;
    const policies: AugmentPolicy[] = ["color", "translation", "cutout"];
    const run = (step: number): string[] =>
      tf.unstack(diffAugment(images, policies, new HostStepRandom(1, step)))
        .map((image) => image.dataSync().join());
    assertEquals(new Set(run(0)).size, 4);
    assertEquals(run(0), run(0));
    assertEquals(run(0).every((image, i) => image !== run(1)[i]), true);
  });
});

Deno.test("diffAugment() without policies changes nothing and draws nothing", async () => {
  await tf.setBackend("cpu");
  const images = tf.ones([1, 2, 2, 1]) as tf.Tensor4D;
  const none = (): never => {
    throw new Error("drew");
  };
  assertEquals(diffAugment(images, [], { uniform: none, normal: none }), images);
});

Deno.test("augmentByChance() transforms a share of the samples, and leaves the others as they are", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const images = tf.ones([200, 4, 4, 1]) as tf.Tensor4D;
    const changedShare = (probability: number | tf.Tensor): number => {
      const random = new HostStepRandom(3, 0);
      const result = augmentByChance(images, ["cutout"], { probability, random });
      return tf.mean(tf.any(tf.notEqual(result, images), [1, 2, 3])).dataSync()[0];
    };
    assertEquals(changedShare(0), 0);
    assertEquals(changedShare(1), 1);
    assertAlmostEquals(changedShare(0.3), 0.3, 0.1);
    assertEquals(changedShare(tf.tensor1d([0.3])), changedShare(0.3));
  });
});
