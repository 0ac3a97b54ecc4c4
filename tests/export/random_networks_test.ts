/**
 * Random networks, exported and compared with TensorFlow.js. GANFORGE_RANDOM_NETWORKS says how many
 * (default 120), GANFORGE_RANDOM_NETWORKS_FROM with which seed they begin.
 */
import { assertEquals } from "@std/assert";
import { checkParity, exportOnnx } from "../../src/export/mod.ts";
import { trainedNetwork } from "./networks.ts";
import { randomSpec } from "./random_spec.ts";

const count = Number(Deno.env.get("GANFORGE_RANDOM_NETWORKS") ?? 120);
const first = Number(Deno.env.get("GANFORGE_RANDOM_NETWORKS_FROM") ?? 0);

/** Layers that a generator can have; the others belong into discriminators. */
const GENERATOR_LAYERS = [
  "activation",
  "avg-pool",
  "batch-norm",
  "conditional-batch-norm",
  "conv",
  "conv-transpose",
  "dense",
  "depthwise-conv",
  "dropout",
  "flatten",
  "gaussian-noise",
  "global-avg-pool",
  "global-sum-pool",
  "group-norm",
  "instance-norm",
  "label-embedding",
  "layer-norm",
  "max-pool",
  "maxout",
  "pad",
  "pixel-shuffle",
  "reshape",
  "residual",
  "self-attention",
  "upsample",
];

Deno.test(`exportOnnx() gives TensorFlow.js' values for ${count} random networks`, async () => {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (let seed = first; seed < first + count; seed++) {
    const spec = randomSpec(seed);
    const { network, weights, reference } = trainedNetwork(spec, seed);
    network.layers.forEach(({ type }) => seen.add(type));
    try {
      const model = await exportOnnx({ spec, weights }, { opset: 13 + seed % 9, check: false });
      await checkParity(model, reference, { tolerance: 1e-4, count: 3, seed });
    } catch (error) {
      wrong.push(`network ${seed}: ${error}; ${JSON.stringify(spec.layers)}`);
    }
  }
  assertEquals(wrong, []);
  if (count >= 100) assertEquals([...seen].sort(), GENERATOR_LAYERS);
});
