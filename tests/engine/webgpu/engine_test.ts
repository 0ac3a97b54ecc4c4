import { assert, assertEquals } from "@std/assert";
import { createEagerEngine, toHosts, toTensors } from "../../../src/engine/eager.ts";
import { tf } from "../../../src/engine/tf.ts";
import type { HostTensors } from "../../../src/engine/types.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import type { WebGpuStep } from "../../../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { drawRandom } from "../../../src/engine/webgpu/kernels/elementwise.ts";
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
      assertClose(name, state[name].data as Float32Array, data as Float32Array, 2e-4, 0.01);
    }
    await engine.dispose();
  });
});

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

/** The same step run by TensorFlow.js on the webgpu backend, with our kernels and random numbers. */
async function runEager(count: number): Promise<HostTensors> {
  const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
  let state = toTensors(tinyState());
  const program = tinyProgram(BATCH);
  const batches = tinyBatches(BATCH, 0, count);
  for (let step = 0; step < count; step++) {
    const before = state;
    state = tf.tidy(() => {
      const inputs = Object.fromEntries(
        Object.entries(program.inputs).map(([name, { shape, dtype }]) => [
          name,
          tf.tensor(batches[step][name as "real"], shape, dtype),
        ]),
      );
      const address = tf.tensor1d(Int32Array.of(42, step), "int32");
      let stream = 0;
      const draw = (kind: "uniform" | "normal") => (shape: number[]) =>
        tf.engine().makeTensorFromTensorInfo(
          drawRandom(backend, kind, address, { shape, stream: stream++ }),
        );
      const random = { uniform: draw("uniform"), normal: draw("normal") };
      return program.step(before, inputs, random).state;
    });
    tf.dispose(before);
  }
  const host = await toHosts(state);
  tf.dispose(state);
  return host;
}

Deno.test("50 replayed steps give the weights of 50 eager ones bit for bit", () =>
  withWebGpu(async () => {
    const eager = await runEager(50);
    const unfused = await runTiny({ fuse: false }, [50]);
    assertEquals(unfused.state, eager);
    const fused = await runTiny({}, [1, 20, 29]);
    assertEquals(fused.scalars, unfused.scalars);
    assertEquals(fused.state, eager);
    assert(fused.dispatches < 0.6 * unfused.dispatches);
  }));
