import { assert, assertEquals } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { assertClose, withWebGpu } from "./helpers.ts";
import { tinyBatches, tinyProgram, tinyState } from "./tiny_gan.ts";

const BATCH = 7;

Deno.test("a captured step gives the cpu engine's losses and weights after 5 steps", async () => {
  const cpu = await createEagerEngine("cpu", "").compileStep(tinyProgram(BATCH), tinyState(), 42);
  const expected = await cpu.run(tinyBatches(BATCH, 0, 5), 0);
  const expectedState = await cpu.readState();
  await cpu.dispose();
  await withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(tinyProgram(BATCH), tinyState(), 42);
    const actual = await step.run(tinyBatches(BATCH, 0, 5), 0);
    for (const name of Object.keys(expected)) {
      assertClose(name, actual[name], expected[name], 1e-4);
    }
    const state = await step.readState();
    assertEquals(Object.keys(state).sort(), Object.keys(expectedState).sort());
    for (const [name, { data }] of Object.entries(expectedState)) {
      assertClose(name, state[name].data as Float32Array, data as Float32Array, 2e-4);
    }
    await engine.dispose();
  });
});
