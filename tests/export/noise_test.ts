/** Generators with dropout at sampling: what the file takes, says and computes, in each precision. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { UserError } from "../../src/errors.ts";
import {
  checkParity,
  EXPORT_DTYPES,
  exportOnnx,
  type ParityReference,
} from "../../src/export/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { generatorOf, graphOf, trainedNetwork } from "./networks.ts";

const stays: LayerSpec = { type: "dropout", rate: 0.5, atSampling: true };
const relu: LayerSpec = { type: "activation", fn: "relu" };

/** As pix2pix has it: dropout between convolutions of an image, and one in a residual block. */
const image = generatorOf(5, [
  { type: "dense", units: 4 * 4 * 6 },
  { ...stays, rate: 0.3 },
  { type: "reshape", shape: [4, 4, 6] },
  { type: "conv-transpose", filters: 4, kernel: 4, stride: 2, padding: 1 },
  { type: "batch-norm" },
  stays,
  relu,
  { type: "residual", body: [{ type: "conv", filters: 4, kernel: 3, padding: 1 }, stays] },
  { type: "conv", filters: 3, kernel: 3, padding: 1 },
  { type: "activation", fn: "tanh" },
]);
const SIZE = 4 * 4 * 6 + 2 * 8 * 8 * 4;

Deno.test("exportOnnx() gives a generator that stays random an input for its noise", async () => {
  const { spec, weights, reference } = trainedNetwork(image, 1);
  const model = await exportOnnx({ spec, weights });
  assertEquals(model.inputNames, ["latent", "noise"]);
  assertEquals(model.manifest.noise, { size: SIZE });
  assertEquals(graphOf(model).inputs[1].dims, ["N", SIZE]);
  const { maxDifference } = await checkParity(model, reference, { tolerance: 1e-5 });
  assert(maxDifference > 0);
  // The check would see other masks.
  const otherSeeds: ParityReference = (latents, labels, seeds) =>
    reference(latents, labels, seeds!.map((seed) => seed + 1));
  await assertRejects(
    () => checkParity(model, otherSeeds, { tolerance: 1e-5, count: 4 }),
    UserError,
    "differs from the trainer by up to",
  );
});

Deno.test("exportOnnx() keeps the same masks in every precision, bytes and labels", async () => {
  const conditional = generatorOf(5, [{ type: "label-embedding", units: 3 }, ...image.layers], 4);
  for (const spec of [image, conditional]) {
    const { weights, reference } = trainedNetwork(spec, 2);
    for (const dtype of EXPORT_DTYPES) {
      const model = await exportOnnx({ spec, weights }, { dtype });
      const tolerance = { fp32: 1e-5, fp16: 2e-2, int8: 0.2 }[dtype];
      await checkParity(model, reference, { count: 16, tolerance });
      await using _ = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
    }
    const bytes = await exportOnnx({ spec, weights }, { output: "uint8" });
    await checkParity(bytes, reference, { count: 8, tolerance: 1 });
  }
});

Deno.test("Sampler draws a sample of a seed the same in any batch, and another for another seed", async () => {
  const { spec, weights } = trainedNetwork(image, 3);
  const { bytes } = await exportOnnx({ spec, weights });
  await using sampler = await Sampler.load(bytes, { device: "wasm", selfTest: true });
  assertEquals(sampler.info.noise, SIZE);
  const one = (await sampler.sample({ seed: 7 }))[0].values;
  for (const batchSize of [1, 3, 8]) {
    const many = await sampler.sample({ count: 8, seed: 2, batchSize });
    assertEquals(Array.from(many[5].values), Array.from(one), `batches of ${batchSize}`);
  }
  // The same latent with the noise of another seed is another image.
  const latents = [sampler.latent(7), sampler.latent(7)];
  const given = await sampler.sample({ latents });
  assertEquals(given[0].values, given[1].values); // the noise of seed 0 for both: a path does not flicker
  assert(given[0].values.some((value, i) => value !== one[i]));
  const zero = await sampler.sample({ latents: [sampler.latent(0)] });
  assertEquals(zero[0].values, (await sampler.sample({ seed: 0 }))[0].values);
});

Deno.test("Sampler refuses a file whose manifest describes other noise than its graph takes", async () => {
  const { spec, weights } = trainedNetwork(image, 4);
  const { bytes } = await exportOnnx({ spec, weights });
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(`"noise":{"size":${SIZE}}`) + `"noise":{"size":`.length;
  assert(at > 20);
  const wrong = bytes.slice();
  wrong[at] = "9".charCodeAt(0);
  await assertRejects(
    () => Sampler.load(wrong, { device: "wasm" }),
    UserError,
    "2 float inputs that could be the latent",
  );
});
