/** Layers of image-to-image and table generators, exported: padding by reflection, skips, choices. */
import { assert, assertEquals } from "@std/assert";
import type { NetworkSpec } from "../../src/config/network.ts";
import { checkParity, EXPORT_DTYPES, exportOnnx } from "../../src/export/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { generatorOf, trainedNetwork } from "./networks.ts";

const image: NetworkSpec = generatorOf(5, [
  { type: "dense", units: 4 * 4 * 3 },
  { type: "reshape", shape: [4, 4, 3] },
  {
    type: "concat-skip",
    body: [
      { type: "pad", padding: [1, 2, 3, 1], mode: "reflect" },
      { type: "conv", filters: 4, kernel: [5, 4] },
      { type: "prelu" },
      { type: "concat-skip", body: [{ type: "instance-norm" }, { type: "prelu", shared: true }] },
      { type: "batch-norm" },
    ],
  },
  { type: "pad", padding: 1, mode: "reflect" },
  { type: "conv", filters: 3, kernel: 3 },
  { type: "activation", fn: "tanh" },
]);

const row: NetworkSpec = generatorOf(4, [
  { type: "dense", units: 9 },
  { type: "gumbel-softmax", groups: [[1, 3], [5, 4]] },
]);

for (const [name, spec] of Object.entries({ image, row })) {
  for (const dtype of EXPORT_DTYPES) {
    Deno.test(`exportOnnx() gives the values of reflection, skips and choices: ${name}, ${dtype}`, async () => {
      const { weights, reference } = trainedNetwork(spec, 3);
      const model = await exportOnnx({ spec, weights }, { dtype });
      // A choice is nearly all or nothing: rounding of two near columns shows at 1 / temperature times.
      const tolerance = { fp32: 1e-5, fp16: 3e-2, int8: 0.25 }[dtype] * (name === "row" ? 3 : 1);
      const { maxDifference } = await checkParity(model, reference, { count: 16, tolerance });
      assert(maxDifference > 0);
      await using _ = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
    });
  }
}

Deno.test("a choice of columns follows the softmax, differs by seed, and is the same in any batch", async () => {
  // Weights of 0: every latent gives these logits.
  const { weights } = trainedNetwork(row, 3);
  const logits = [0.5, Math.log(0.6), Math.log(0.3), Math.log(0.1), -2, 0, 0, 0, 0];
  weights["dense_1/kernel"].data.fill(0);
  weights["dense_1/bias"].data.set(logits);
  const { bytes } = await exportOnnx({ spec: row, weights });
  await using sampler = await Sampler.load(bytes, { device: "wasm" });
  const samples = await sampler.sample({ count: 4000, seed: 1, batchSize: 500 });
  const counts = [0, 0, 0];
  for (const { values } of samples) {
    assertEquals([values[0], values[4]], [0.5, -2]);
    const group = Array.from(values.subarray(1, 4));
    counts[group.indexOf(Math.max(...group))]++;
    const sum = group.reduce((total, value) => total + value, 0);
    assert(Math.abs(sum - 1) < 1e-5, `a choice adds up to ${sum}`);
  }
  for (const [k, probability] of [0.6, 0.3, 0.1].entries()) {
    const error = Math.sqrt(probability * (1 - probability) / samples.length);
    const share = counts[k] / samples.length;
    assert(Math.abs(share - probability) < 4 * error, `${share} instead of ${probability}`);
  }
  const [alone] = await sampler.sample({ seed: 8 });
  assertEquals(Array.from(alone.values), Array.from(samples[7].values));
});
