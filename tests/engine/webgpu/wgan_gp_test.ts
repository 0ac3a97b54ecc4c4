/** A convolutional WGAN-GP step: second-order gradients, several critic updates, an EMA, captured. */
import { assertEquals } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { buildTrainingStep } from "../../../src/training/step.ts";
import { runEagerOnWebGpu } from "./eager_webgpu.ts";
import { assertClose, normals, test, withWebGpu } from "./helpers.ts";
import { WGAN_GP } from "./wgan_gp_config.ts";

test("a convolutional WGAN-GP step, captured, has the cpu engine's losses and eager weights", async () => {
  const { program, initialState, hostInputs } = buildTrainingStep(WGAN_GP, { shape: [8, 8, 3] });
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
