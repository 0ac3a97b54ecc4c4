import { assert, assertEquals } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { HostTensors } from "../../../src/tensor/types.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import type { WebGpuStep } from "../../../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { runEagerOnWebGpu } from "./eager_webgpu.ts";
import { assertClose, test, withWebGpu } from "./helpers.ts";
import { tinyBatches, tinyProgram, tinyState } from "./tiny_gan.ts";

const BATCH = 7;

for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
  const title =
    `a captured step by tiles in ${tuning.family} gives the cpu engine's losses and weights`;
  test(title, async () => {
    const batches = tinyBatches(BATCH, 0, 5);
    const cpu = await createEagerEngine("cpu", "").compileStep(tinyProgram(BATCH), tinyState(), 42);
    const expected = await cpu.run(batches, 0);
    const expectedState = await cpu.readState();
    await cpu.dispose();
    await withWebGpu(async () => {
      const engine = await createWebGpuEngine({ tuning });
      const step = await engine.compileStep(tinyProgram(BATCH), tinyState(), 42);
      const actual = await step.run(batches, 0);
      for (const name of Object.keys(expected)) {
        assertClose(name, actual[name], expected[name], 1e-4);
      }
      const state = await step.readState();
      assertEquals(Object.keys(state).sort(), Object.keys(expectedState).sort());
      for (const [name, { data }] of Object.entries(expectedState)) {
        assertClose(name, state[name].data as Float32Array, data as Float32Array, 2e-4, 0.01);
      }
      await engine.dispose();
    });
  });
}

/** Runs `count` steps in chunks and gives the scalars and the final state. */
async function runTiny(
  options: Parameters<typeof createWebGpuEngine>[0],
  chunks: number[],
): Promise<{ scalars: Record<string, number[]>; state: HostTensors; dispatches: number }> {
  const engine = await createWebGpuEngine(options);
  const step = await engine.compileStep(tinyProgram(BATCH), tinyState(), 42) as WebGpuStep;
  const scalars: Record<string, number[]> = {};
  let first = 0;
  for (const count of chunks) {
    const values = await step.run(tinyBatches(BATCH, first, count), first);
    for (const [name, list] of Object.entries(values)) (scalars[name] ??= []).push(...list);
    first += count;
  }
  const state = await step.readState();
  const dispatches = step.executable.dispatchCount;
  await engine.dispose();
  return { scalars, state, dispatches };
}

for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
  const title =
    `by tiles in ${tuning.family} 50 replayed steps give the weights of 50 eager ones bit for bit`;
  test(title, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
        const batches = tinyBatches(BATCH, 0, 50);
        const options = { batches, seed: 42 };
        const eager = await runEagerOnWebGpu(tinyProgram(BATCH), tinyState(), options);
        const unfused = await runTiny({ fuse: false, tuning }, [50]);
        assertEquals(unfused.state, eager);
        const fused = await runTiny({ tuning }, [1, 20, 29]);
        assertEquals(fused.scalars, unfused.scalars);
        assertEquals(fused.state, eager);
        assert(fused.dispatches < 0.6 * unfused.dispatches);
      } finally {
        backend.tuning = before;
      }
    }));
}
