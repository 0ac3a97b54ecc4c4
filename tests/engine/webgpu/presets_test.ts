/** Replay against eager execution for the steps of real presets, dropout and batch norm included. */
import { assert, assertEquals } from "@std/assert";
import { presetConfig } from "../../../src/config/presets/mod.ts";
import { tf } from "../../../src/engine/tf.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { buildTrainingStep } from "../../../src/training/step.ts";
import { runEagerOnWebGpu } from "./eager_webgpu.ts";
import { normals, withWebGpu } from "./helpers.ts";

/** Preset, batch, shape of a sample, steps: fewer where a step is long. */
const CASES: [string, number, number[], number][] = [
  ["mixture-1d", 8, [1], 50],
  ["uniform-to-normal", 16, [1], 50],
  ["ring-2d", 4, [2], 5],
  ["mnist-mlp", 3, [28, 28, 1], 4],
  ["cifar-dcgan", 2, [32, 32, 3], 2],
];

for (const [name, batchSize, shape, steps] of CASES) {
  Deno.test(`${steps} replayed steps of ${name} give the weights of eager ones bit for bit`, () =>
    withWebGpu(async () => {
      const config = { ...presetConfig(name), batchSize };
      const { program, initialState, hostInputs } = buildTrainingStep(config, { shape });
      const batches = Array.from({ length: steps }, (_, step) => ({
        real: normals(program.inputs.real.shape, step),
        ...hostInputs(step),
      }));
      const eager = await runEagerOnWebGpu(program, initialState(1), { batches, seed: 9 });
      const engine = await createWebGpuEngine();
      const compiled = await engine.compileStep(program, initialState(1), 9);
      const scalars = await compiled.run(batches, 0);
      for (const [scalar, values] of Object.entries(scalars)) {
        assert(values.every(Number.isFinite), `${scalar}: ${values}`);
      }
      const replayed = await compiled.readState();
      await engine.dispose();
      assertEquals(Object.keys(replayed), Object.keys(eager));
      for (const [key, { data }] of Object.entries(eager)) {
        const differing = data.findIndex((value, i) => !Object.is(value, replayed[key].data[i]));
        assertEquals(differing, -1, `${key} of [${eager[key].shape}] differs`);
      }
      assertEquals(tf.memory().numTensors, 0);
    }));
}
