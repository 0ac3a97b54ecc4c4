/**
 * onnxruntime-web on WebGPU, hardware or software, must give what its WebAssembly gives: for every
 * preset's file whole, and for some of the random networks (each is new shaders, so not for all).
 * GANFORGE_WEBGPU_NETWORKS says how many of these.
 */
import { assert, assertLess } from "@std/assert";
import type { NetworkSpec } from "../../src/config/network.ts";
import type { LatentDistribution } from "../../src/manifest.ts";
import { type ExportDtype, exportOnnx } from "../../src/export/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { presetGenerators, trainedNetwork } from "../export/networks.ts";
import { randomSpec } from "../export/random_spec.ts";

const RANDOM = Number(Deno.env.get("GANFORGE_WEBGPU_NETWORKS") ?? 6);

const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) console.warn("no WebGPU adapter here: its checks are left out");

/** One sample on both devices. @returns the largest difference, as a share of values beyond 1 */
async function difference(
  spec: NetworkSpec,
  seed: number,
  options: { distribution?: LatentDistribution; dtype?: ExportDtype },
): Promise<number> {
  const { weights } = trainedNetwork(spec, seed);
  const { dtype, distribution } = options;
  const { bytes } = await exportOnnx({ spec, weights }, {
    dtype,
    generator: { distribution },
    check: false,
  });
  const values = [];
  for (const device of ["wasm", "webgpu"] as const) {
    await using sampler = await Sampler.load(bytes, { device });
    assert(sampler.device.name === device);
    const [sample] = await sampler.sample({ seed });
    values.push(sample.values);
  }
  const [expected, found] = values;
  assert(found.length === expected.length);
  let largest = 0;
  expected.forEach((value: number, index: number) => {
    const gap = Math.abs(value - found[index]) / Math.max(1, Math.abs(value));
    largest = Math.max(largest, Number.isNaN(gap) ? Infinity : gap);
  });
  return largest;
}

const quietly = { sanitizeOps: false, sanitizeResources: false }; // the runtime keeps its device

Deno.test({
  name: "onnxruntime-web on WebGPU computes every preset's file as its WebAssembly does",
  ignore: !adapter,
  ...quietly,
  async fn(t) {
    for (const { name, spec, distribution } of presetGenerators()) {
      await t.step({
        name,
        ...quietly,
        fn: async () => assertLess(await difference(spec, 1, { distribution }), 1e-4),
      });
    }
  },
});

Deno.test({
  name: `onnxruntime-web on WebGPU computes ${RANDOM} random networks as its WebAssembly does`,
  ignore: !adapter,
  ...quietly,
  async fn(t) {
    for (let seed = 1000; seed < 1000 + RANDOM; seed++) {
      // Weights of 8 bits are turned back into the same float32 on both.
      const dtype = seed % 2 === 0 ? "fp32" : "int8";
      await t.step({
        name: `network ${seed}, ${dtype}`,
        ...quietly,
        fn: async () => assertLess(await difference(randomSpec(seed), seed, { dtype }), 1e-4),
      });
    }
  },
});
