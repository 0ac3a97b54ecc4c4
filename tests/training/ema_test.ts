import { assertAlmostEquals, assertEquals } from "@std/assert";
import { toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { emaDecay, updateEma } from "../../src/training/ema.ts";

Deno.test("emaDecay() halves a weight's share after the half-life", () => {
  const decay = emaDecay({ halfLifeImages: 1000 }, 50, 3);
  assertAlmostEquals(decay ** (1000 / 50), 0.5, 1e-12);
});

Deno.test("emaDecay() is shorter at the start with a ramp-up, and 0 at step 0", () => {
  const spec = { halfLifeImages: 10_000, rampUp: 0.05 };
  assertEquals(emaDecay(spec, 32, 0), 0);
  assertAlmostEquals(emaDecay(spec, 32, 100), 0.5 ** (32 / (0.05 * 3200)), 1e-12);
  assertEquals(emaDecay(spec, 32, 1_000_000), emaDecay({ halfLifeImages: 10_000 }, 32, 0));
});

Deno.test("updateEma() averages weights and copies running statistics", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const network = buildNetwork({
      inputShape: [2],
      layers: [{ type: "dense", units: 2 }, { type: "batch-norm" }],
      init: "torch",
    });
    const average = toTensors(initialParameters(network, 1));
    const params = toTensors(initialParameters(network, 2));
    params["batch-norm_1/moving_mean"] = tf.tensor([5, 6]);
    const next = updateEma(network, average, { params, decay: tf.scalar(0.75) });
    assertEquals(Object.keys(next), network.parameters.map(({ name }) => name));
    assertEquals([...next["batch-norm_1/moving_mean"].dataSync()], [5, 6]);
    const [before, now, after] = [average, params, next].map((tensors) =>
      tensors["dense_1/kernel"].dataSync()
    );
    after.forEach((value, i) => assertAlmostEquals(value, 0.75 * before[i] + 0.25 * now[i], 1e-6));
  });
});
