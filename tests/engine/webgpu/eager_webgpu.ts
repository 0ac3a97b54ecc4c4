/** The oracle of replay: the same step run by TensorFlow.js on the backend "webgpu", kernel by kernel. */
import { toHosts, toTensors } from "../../../src/engine/eager/engine.ts";
import { kindOf } from "../../../src/engine/step_kinds.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { StepInputs, StepProgram } from "../../../src/engine/types.ts";
import type { HostTensors } from "../../../src/tensor/types.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { drawRandom } from "../../../src/engine/webgpu/kernels/elementwise.ts";

/** The state after a step for each batch, with our kernels and the GPU's random numbers. */
export async function runEagerOnWebGpu(
  program: StepProgram,
  initial: HostTensors,
  options: { batches: StepInputs[]; seed: number },
): Promise<HostTensors> {
  const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
  let state = toTensors(initial);
  options.batches.forEach((batch, step) => {
    const before = state;
    state = tf.tidy(() => {
      const inputs = Object.fromEntries(
        Object.entries(program.inputs).map(([name, { shape, dtype }]) => [
          name,
          tf.tensor(batch[name], shape, dtype),
        ]),
      );
      const address = tf.tensor1d(Int32Array.of(options.seed, step), "int32");
      let stream = 0;
      const draw = (kind: "uniform" | "normal") => (shape: number[]) =>
        tf.engine().makeTensorFromTensorInfo(
          drawRandom(backend, kind, address, { shape, stream: stream++ }),
        );
      const random = { uniform: draw("uniform"), normal: draw("normal") };
      return program.step(before, inputs, random, kindOf(program, step)).state;
    });
    const kept = new Set(Object.values(state));
    for (const old of Object.values(before)) if (!kept.has(old)) old.dispose();
  });
  const host = await toHosts(state);
  tf.dispose(state);
  return host;
}
