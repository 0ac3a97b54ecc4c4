import { assertAlmostEquals, assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/json_schema.ts";
import { HostStepRandom } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import {
  type AugmentPolicy,
  augmentWithProbability,
  diffAugment,
} from "../../src/objectives/augment.ts";
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

for (const golden of [...readGolden<AugmentCase>("augment"), ...readGolden<AugmentCase>("ada")]) {
  const { policy, shape } = golden;
  testOnBackends(`diffAugment() gives the papers' images and gradients: ${policy}`, async () => {
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

Deno.test("diffAugment() gives each sample its own transform, the same for the same values", async () => {
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

Deno.test("augmentWithProbability() transforms a share of the samples, and leaves the others as they are", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const images = tf.ones([200, 4, 4, 1]) as tf.Tensor4D;
    const changedShare = (probability: number | tf.Tensor): number => {
      const random = new HostStepRandom(3, 0);
      const result = augmentWithProbability(images, ["cutout"], { probability, random });
      return tf.mean(tf.any(tf.notEqual(result, images), [1, 2, 3])).dataSync()[0];
    };
    assertEquals(changedShare(0), 0);
    assertEquals(changedShare(1), 1);
    assertAlmostEquals(changedShare(0.3), 0.3, 0.1);
    assertEquals(changedShare(tf.tensor1d([0.3])), changedShare(0.3));
  });
});

/** The squared gradient norm, summed over samples: what a penalty adds up. */
function squaredGradientNorm(
  policy: AugmentPolicy,
  images: tf.Tensor,
  weights: tf.Tensor,
): tf.Scalar {
  const gradient = tf.grad((x: tf.Tensor) => {
    const shown = diffAugment(x as tf.Tensor4D, [policy], new HostStepRandom(5, 0));
    return tf.sum(tf.mul(weights, tf.mul(shown, tf.square(shown))));
  })(images);
  return tf.sum(tf.square(gradient)) as tf.Scalar;
}

for (const policy of configSchema().definitions.AugmentPolicy.enum as AugmentPolicy[]) {
  Deno.test(`diffAugment() can be differentiated twice: ${policy}, against finite differences`, async () => {
    await tf.setBackend("cpu");
    tf.tidy(() => {
      const shape: [number, number, number, number] = [3, 4, 4, 3];
      const images = tf.tensor4d(uniformAt(shape, 102).map((value) => 2 * value - 1), shape);
      const weights = tf.tensor(uniformAt(shape, 103), shape);
      const direction = tf.tensor(uniformAt(shape, 104).map((value) => value - 0.5), shape);
      const along = tf.sum(tf.mul(
        tf.grad((x: tf.Tensor) => squaredGradientNorm(policy, x, weights))(images),
        direction,
      )).dataSync()[0];
      const at = (distance: number) =>
        squaredGradientNorm(policy, tf.add(images, tf.mul(direction, distance)), weights)
          .dataSync()[0];
      const differences = (at(0.01) - at(-0.01)) / 0.02;
      assertAlmostEquals(along, differences, 5e-3 * Math.max(1, Math.abs(along)));
    });
  });
}

Deno.test("diffAugment() turns and mirrors each sample in all its ways, and loses no pixel", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const image = tf.range(0, 9).reshape([1, 3, 3, 1]);
    const images = tf.tile(image, [64, 1, 1, 1]) as tf.Tensor4D;
    const ways = (policy: AugmentPolicy): Set<string> =>
      new Set(
        tf.unstack(diffAugment(images, [policy], new HostStepRandom(2, 0)))
          .map((image) => image.dataSync().join(" ")),
      );
    assertEquals(
      ways("flip"),
      new Set(["0 1 2 3 4 5 6 7 8", "2 1 0 5 4 3 8 7 6"]),
    );
    assertEquals(
      ways("rotate"),
      new Set(["0 1 2 3 4 5 6 7 8", "2 5 8 1 4 7 0 3 6", "8 7 6 5 4 3 2 1 0", "6 3 0 7 4 1 8 5 2"]),
    );
  });
});

Deno.test("diffAugment() leaves gray alone by hue and saturation, and turns it round by luma-flip", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const values = uniformAt([8, 2, 2, 1], 105).map((value) => value - 0.5);
    const gray = tf.tile(tf.tensor4d(values, [8, 2, 2, 1]), [1, 1, 1, 3]) as tf.Tensor4D;
    for (const policy of ["hue", "saturation"] as const) {
      const changed = diffAugment(gray, [policy], new HostStepRandom(4, 0));
      assertEquals(tf.max(tf.abs(tf.sub(changed, gray))).dataSync()[0] < 1e-6, true, policy);
    }
    const one = tf.tensor4d(values, [8, 2, 2, 1]);
    const flipped = diffAugment(one, ["luma-flip"], new HostStepRandom(4, 0));
    const ratio = Array.from(tf.div(flipped, one).dataSync(), Math.round);
    assertEquals([...new Set(ratio)].sort(), [-1, 1]);
  });
});
