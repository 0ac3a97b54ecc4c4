/** Steps of several kinds, on three engines: what they draw and measure, and the state that they share. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { kindRuns } from "../../src/engine/step_kinds.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { CompiledStep, Engine, StepProgram } from "../../src/engine/types.ts";
import type { HostTensors, TensorMap } from "../../src/tensor/types.ts";
import type { WebGpuStep } from "../../src/engine/webgpu/compiled_step.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { runEagerOnWebGpu } from "./webgpu/eager_webgpu.ts";
import { test, withWebGpu } from "./webgpu/helpers.ts";

/**
 * A step that learns a kernel by convolving ("c"), or only decays it ("d"): ONNX Runtime wants the kernel
 * in another layout than TensorFlow.js for the one, and in none in particular for the other.
 */
function program(kinds: string): StepProgram {
  return {
    inputs: { x: { shape: [2, 5, 5, 3], dtype: "float32" } },
    kindOf: (step) => kinds[step % kinds.length],
    step({ kernel, count, spare }, { x }, random, kind) {
      const counted = tf.add(count, tf.scalar(1, "int32"));
      const size = tf.mean(tf.square(kernel));
      if (kind === "d") {
        const noise = tf.mul(random.normal([3, 3, 3, 4]), 0.01);
        const decayed = tf.add(tf.mul(kernel, 0.9), noise);
        return {
          state: { kernel: decayed, count: counted, spare },
          scalars: { size } as TensorMap,
        };
      }
      const share = random.uniform([2, 1, 1, 1]);
      const noisy = tf.add(x, tf.mul(share, random.normal([2, 5, 5, 3]))) as tf.Tensor4D;
      const { value: loss, grad } = tf.valueAndGrad((kernel: tf.Tensor) =>
        tf.mean(tf.square(tf.conv2d(noisy, kernel as tf.Tensor4D, 2, "valid")))
      )(kernel);
      return {
        state: {
          kernel: tf.sub(kernel, tf.mul(grad, 0.1)),
          count: counted,
          spare: tf.add(spare, loss),
        },
        scalars: { size, loss },
      };
    },
  };
}

const start: HostTensors = {
  kernel: {
    shape: [3, 3, 3, 4],
    dtype: "float32",
    data: fillNormal(new Float32Array(108), { seed: 1, stream: 0, step: 0 }),
  },
  count: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  spare: { shape: [], dtype: "float32", data: Float32Array.of(0.5) },
};

const batches = Array.from({ length: 9 }, (_, step) => ({
  x: fillNormal(new Float32Array(150), { seed: 2, stream: 0, step }),
}));

/** Nine steps in calls of 4 and 5, in which kinds change. */
async function nineSteps(compiled: CompiledStep) {
  const parts = [
    await compiled.run(batches.slice(0, 4), 0),
    await compiled.run(batches.slice(4), 4),
  ];
  const scalars = Object.fromEntries(["size", "loss"].map((name) => [
    name,
    parts.flatMap((part, k) => [...part[name] ?? new Float32Array([4, 5][k]).fill(NaN)]),
  ]));
  return { scalars, state: await compiled.readState() };
}

function assertNear(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assertEquals(actual.length, expected.length, what);
  Array.from(expected).forEach((value, i) => {
    const same = Number.isNaN(value) ? Number.isNaN(actual[i]) : Math.abs(value - actual[i]) < 1e-5;
    assert(same, `${what} ${i}: ${actual[i]}, not ${value}`);
  });
}

const hasAdapter = await openWebGpu() !== undefined;

for (const kinds of ["cdd", "dcd", "ccccccd"]) {
  Deno.test(`steps of kinds ${kinds} give the eager engine's values on every engine`, async () => {
    const eager = createEagerEngine("cpu", "");
    const expected = await nineSteps(await eager.compileStep(program(kinds), start, 3));
    const isMeasured = (step: number) => kinds[step % kinds.length] === "c";
    assertEquals(
      expected.scalars.loss.map((value) => !Number.isNaN(value)),
      batches.map((_, step) => isMeasured(step)),
    );
    const engines: Engine[] = [await createOnnxEngine({ runtime: "web", threads: 1 })];
    if (hasAdapter) engines.push(await createWebGpuEngine());
    for (const engine of engines) {
      const actual = await nineSteps(await engine.compileStep(program(kinds), start, 3));
      for (const [name, values] of Object.entries(expected.scalars)) {
        assertNear(`${engine.name}: ${name}`, actual.scalars[name], values);
      }
      for (const [name, { data }] of Object.entries(expected.state)) {
        assertNear(`${engine.name}: ${name}`, actual.state[name].data, data);
      }
      await engine.dispose();
    }
  });
}

test("replayed steps of two kinds give the bits of eager ones, in the buffers of one", () =>
  withWebGpu(async () => {
    const eager = await runEagerOnWebGpu(program("cdd"), start, { batches, seed: 3 });
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(program("cdd"), start, 3) as WebGpuStep;
    assertEquals(Object.keys(step.dispatchCounts), ["c"]);
    const bytes = step.executable.totalBytes;
    const { state } = await nineSteps(step);
    assertEquals(state, eager);
    const { c, d } = step.dispatchCounts;
    assert(d < c, `${d} dispatches, ${c} with the convolution`);
    // The second kind adds its uniform blocks and its constants: no state, inputs or temporaries.
    const added = step.executable.totalBytes - bytes;
    assert(added <= 256 * (d + 1), `the second kind took ${added} bytes`);
    await engine.dispose();
  }));

Deno.test("a kind that hides randomness is refused when it is met, and the state stays", async () => {
  const impure: StepProgram = {
    inputs: {},
    kindOf: (step) => step === 1 ? "impure" : "pure",
    step: ({ a }, _, __, kind) => ({
      state: { a: tf.add(a, kind === "pure" ? 1 : tf.randomUniform([2])) },
      scalars: {},
    }),
  };
  const state: HostTensors = { a: { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) } };
  const engines: Engine[] = [await createOnnxEngine({ runtime: "web", threads: 1 })];
  if (hasAdapter) engines.push(await createWebGpuEngine());
  for (const engine of engines) {
    const step = await engine.compileStep(impure, state, 1);
    await step.run([{}], 0);
    await assertRejects(() => step.run([{}], 1), Error, "differ");
    assertEquals([...(await step.readState()).a.data], [2, 3]);
    await step.run([{}, {}], 2);
    assertEquals([...(await step.readState()).a.data], [4, 5]);
    await engine.dispose();
  }
});

Deno.test("kindRuns() cuts steps where their kind changes", () => {
  assertEquals(kindRuns(program("cdd"), 1, 5), [
    { kind: "d", start: 0, count: 2 },
    { kind: "c", start: 2, count: 1 },
    { kind: "d", start: 3, count: 2 },
  ]);
  assertEquals(kindRuns({ step: program("c").step, inputs: {} }, 7, 3), [
    { kind: "", start: 0, count: 3 },
  ]);
});
