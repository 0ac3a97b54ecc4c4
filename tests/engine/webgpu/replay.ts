/** Replays a training step and runs it eagerly, to be compared bit for bit. */
import { assert, assertEquals } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { StepInputs } from "../../../src/engine/types.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import type { TrainingStep } from "../../../src/training/step.ts";
import { runEagerOnWebGpu } from "./eager_webgpu.ts";

/**
 * Asserts that the captured engine leaves the state of eager execution, weights, running statistics and
 * optimizer alike, and that the losses on the way are numbers. Run it with the backend "webgpu" current.
 */
export async function assertReplayEqualsEager(
  step: TrainingStep,
  batches: StepInputs[],
): Promise<void> {
  const initial = step.initialState(1);
  const eager = await runEagerOnWebGpu(step.program, initial, { batches, seed: 9 });
  const engine = await createWebGpuEngine();
  const compiled = await engine.compileStep(step.program, initial, 9);
  const scalars = await compiled.run(batches, 0);
  for (const [scalar, values] of Object.entries(scalars)) {
    assert(values.every(Number.isFinite), `${scalar}: ${values}`);
  }
  const replayed = await compiled.readState();
  await engine.dispose();
  assertEquals(Object.keys(replayed), Object.keys(eager));
  for (const [key, { shape, data }] of Object.entries(eager)) {
    const other = replayed[key].data;
    const differing = data.findIndex((value, i) => !Object.is(value, other[i]));
    assertEquals(
      differing,
      -1,
      `${key} of [${shape}]: ${data[differing]} eagerly, ${other[differing]} replayed`,
    );
  }
  assertEquals(tf.memory().numTensors, 0);
}
