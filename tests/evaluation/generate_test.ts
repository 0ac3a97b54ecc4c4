import { assert, assertEquals } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { Engine } from "../../src/engine/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { compileNetwork, seededLatents } from "../../src/evaluation/generate.ts";

/** Dropout at sampling on points and on an image. */
const network = buildNetwork({
  inputShape: [4],
  init: "torch",
  layers: [
    { type: "dense", units: 48 },
    { type: "dropout", rate: 0.3, atSampling: true },
    { type: "reshape", shape: [4, 4, 3] },
    { type: "conv", filters: 2, kernel: 3, padding: 1 },
    { type: "dropout", rate: 0.5, atSampling: true },
  ],
});
const latent = { dimension: 4, distribution: "normal" } as const;
const weights = initialParameters(network, 1);

async function draw(engine: Engine, seeds: number[], batchSize: number): Promise<Float32Array> {
  const runner = await compileNetwork(engine, network, batchSize);
  const latents = seededLatents(latent, seeds[0], seeds.length);
  const { data } = await runner.run(weights, latents, { seeds });
  await runner.dispose();
  return data as Float32Array;
}

Deno.test("compileNetwork() draws dropout at sampling by seed, alike in any batch and on any engine", async () => {
  const eager = createEagerEngine("cpu", "test");
  const seeds = [3, 4, 5, 6, 7];
  const expected = await draw(eager, seeds, 2);
  assertEquals(await draw(eager, seeds, 5), expected);
  assertEquals(await draw(eager, [5, 6], 3), expected.subarray(2 * 32, 4 * 32));
  assert(expected.some((value) => value === 0) && expected.some((value) => value !== 0));
  await eager.dispose();

  const engines = [await createOnnxEngine({ threads: 1 })];
  if (await openWebGpu() !== undefined) engines.push(await createWebGpuEngine());
  for (const engine of engines) {
    compare(await draw(engine, seeds, 2), expected, engine.name);
    await engine.dispose();
  }
});

/** The same zeros exactly, and the same values up to rounding. */
function compare(found: Float32Array, expected: Float32Array, engine: string): void {
  found.forEach((value, i) => {
    assertEquals(value === 0, expected[i] === 0, `${engine}, number ${i}`);
    assert(Math.abs(value - expected[i]) < 1e-5, `${engine}, number ${i}`);
  });
}
