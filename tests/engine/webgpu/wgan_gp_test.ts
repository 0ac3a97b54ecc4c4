/** A convolutional WGAN-GP step: second-order gradients, several critic updates, an EMA, captured. */
import { assertEquals } from "@std/assert";
import type { LayerSpec } from "../../../src/config/network.ts";
import { presetConfig } from "../../../src/config/presets/mod.ts";
import type { RunConfig } from "../../../src/config/run_config.ts";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { buildTrainingStep } from "../../../src/training/step.ts";
import { runEagerOnWebGpu } from "./eager_webgpu.ts";
import { assertClose, normals, test, withWebGpu } from "./helpers.ts";

const conv = (filters: number, stride = 1): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride,
  padding: 1,
});
const leaky: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

/** 8x8 pixels, 3 images, 2 critic updates a step. */
const config: RunConfig = {
  ...presetConfig("cifar-dcgan"),
  batchSize: 3,
  latent: { dimension: 6, distribution: "normal" },
  generator: {
    inputShape: [6],
    init: "torch",
    layers: [
      { type: "dense", units: 4 * 4 * 8 },
      { type: "reshape", shape: [4, 4, 8] },
      { type: "upsample", factor: 2, mode: "nearest" },
      conv(8),
      { type: "activation", fn: "relu" },
      conv(3),
      { type: "activation", fn: "tanh" },
    ],
  },
  discriminator: {
    inputShape: [8, 8, 3],
    init: "torch",
    layers: [
      conv(8, 2),
      leaky,
      conv(12, 2),
      leaky,
      { type: "flatten" },
      { type: "dense", units: 1 },
    ],
  },
  objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 2,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  ema: { halfLifeImages: 100 },
  generatorOptimizer: { type: "adam", learningRate: 1e-3, beta1: 0.5, beta2: 0.9 },
  discriminatorOptimizer: { type: "rmsprop", learningRate: 1e-3 },
};

test("a convolutional WGAN-GP step, captured, has the cpu engine's losses and eager weights", async () => {
  const { program, initialState, hostInputs } = buildTrainingStep(config, { shape: [8, 8, 3] });
  const batches = Array.from({ length: 4 }, (_, step) => ({
    real: normals(program.inputs.real.shape, step),
    ...hostInputs(step),
  }));
  const cpu = await createEagerEngine("cpu", "").compileStep(program, initialState(1), 9);
  const expected = await cpu.run(batches, 0);
  const expectedState = await cpu.readState();
  await cpu.dispose();
  await withWebGpu(async () => {
    const eager = await runEagerOnWebGpu(program, initialState(1), { batches, seed: 9 });
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(program, initialState(1), 9);
    const scalars = await step.run(batches, 0);
    const state = await step.readState();
    await engine.dispose();
    assertEquals(Object.keys(scalars), Object.keys(expected));
    for (const name of Object.keys(expected)) {
      assertClose(name, scalars[name], expected[name], 1e-4, 0.1);
    }
    for (const [name, { data }] of Object.entries(expectedState)) {
      const { data: actual } = state[name];
      assertClose(name, actual as Float32Array, data as Float32Array, 1e-3, 0.01);
      assertEquals(actual, eager[name].data, name);
    }
  });
});
