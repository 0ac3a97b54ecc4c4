import { assertEquals } from "@std/assert";
import type { AugmentSpec } from "../../src/config/stability.ts";
import { tf } from "../../src/tensor/tf.ts";
import {
  augmentMoves,
  initialAugment,
  meanSign,
  updateAugment,
} from "../../src/training/adaptive.ts";

const spec: AugmentSpec = {
  policies: ["color"],
  probability: 0.5,
  adaptive: { target: 0.5, everySteps: 4, speedImages: 100 },
};

/** Runs steps with these mean signs; the probability after each. */
async function follow(given: AugmentSpec, signs: number[]): Promise<number[]> {
  await tf.setBackend("cpu");
  return tf.tidy(() => {
    let state = Object.fromEntries(
      Object.entries(initialAugment(given)).map(([name, { data }]) => [name, tf.tensor(data)]),
    );
    return signs.map((sign, step) => {
      state = updateAugment(given, state, {
        sign: tf.scalar(sign),
        moves: tf.scalar(augmentMoves(given, step)),
        samplesPerStep: 5,
      });
      return Number(state["augment/probability"].dataSync()[0].toFixed(6));
    });
  });
}

Deno.test("updateAugment() moves the probability by the mean sign since the last adjustment", async () => {
  const signs = [1, 1, 0.5, 0.5, 0, 0, 1, 0, 0.5, 0.5, 0.5, 0.5];
  const expected = [0.5, 0.5, 0.5, 0.7, 0.7, 0.7, 0.7, 0.5, 0.5, 0.5, 0.5, 0.5];
  assertEquals(await follow(spec, signs), expected);
});

Deno.test("updateAugment() keeps the probability between 0 and 1", async () => {
  const fast = { ...spec, adaptive: { ...spec.adaptive, everySteps: 1, speedImages: 10 } };
  assertEquals(await follow(fast, [1, 1, 1, -1, -1, -1, -1]), [1, 1, 1, 0.5, 0, 0, 0]);
});

Deno.test("initialAugment() starts at 0 by default, and is empty for a fixed probability", () => {
  assertEquals(
    initialAugment({ policies: ["color"], adaptive: {} })["augment/probability"].data[0],
    0,
  );
  assertEquals(initialAugment(spec)["augment/probability"].data[0], 0.5);
  assertEquals(initialAugment({ policies: ["color"], probability: 0.5 }), {});
  assertEquals(initialAugment(undefined), {});
});

Deno.test("meanSign() is of the reals, or of their lead over the fakes", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const logits = {
      real: tf.tensor2d([[2], [-1], [3], [1]]),
      fake: tf.tensor2d([[3], [-2], [4], [0]]),
    };
    assertEquals(meanSign(logits, false).dataSync()[0], 0.5);
    assertEquals(meanSign(logits, true).dataSync()[0], 0);
  });
});
