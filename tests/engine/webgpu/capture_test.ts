import { assertEquals } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { StepFunction, StepProgram } from "../../../src/engine/types.ts";
import type { HostTensors } from "../../../src/tensor/types.ts";
import type { WebGpuFunction } from "../../../src/engine/webgpu/compiled_function.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import {
  GPU_TUNING,
  type KernelTuning,
  SOFTWARE_TUNING,
} from "../../../src/engine/webgpu/tuning.ts";
import { assertClose, normals, test, withWebGpu } from "./helpers.ts";

const vector = (...values: number[]) => ({
  shape: [values.length],
  dtype: "float32" as const,
  data: Float32Array.from(values),
});

/** Compiles, runs `count` steps without inputs, and gives the state and the scalars. */
async function runSteps(
  step: StepFunction,
  state: HostTensors,
  { count, tuning }: { count: number; tuning?: KernelTuning },
) {
  const engine = await createWebGpuEngine({ tuning });
  const compiled = await engine.compileStep({ step, inputs: {} }, state, 1);
  const scalars = await compiled.run(Array.from({ length: count }, () => ({})), 0);
  const after = await compiled.readState();
  await engine.dispose();
  return { state: after, scalars };
}

for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
  const title = `by tiles in ${tuning.family}, state that is swapped, kept, shared or made ` +
    "constant ends where the step puts it";
  test(title, () =>
    withWebGpu(async () => {
      const { state, scalars } = await runSteps(
        ({ a, b, kept, sum, twice, literal }) => {
          const doubled = tf.mul(b, 2);
          return {
            state: {
              a: b, // swapped
              b: a,
              kept,
              sum: tf.add(sum, a), // reads the old a
              twice: doubled,
              literal: tf.add(tf.zerosLike(literal), 7),
              other: doubled, // one tensor, two names
            },
            scalars: { first: tf.sum(a), old: tf.reshape(tf.slice(twice, 0, 1), []) },
          };
        },
        {
          a: vector(1, 2, 3),
          b: vector(10, 20, 30),
          kept: vector(5),
          sum: vector(0, 0, 0),
          twice: vector(-1, 0, 0),
          literal: vector(0, 0),
          other: vector(0, 0, 0),
        },
        { count: 3, tuning },
      );
      const values = Object.fromEntries(Object.entries(state).map(([n, t]) => [n, [...t.data]]));
      assertEquals(values, {
        a: [10, 20, 30],
        b: [1, 2, 3],
        kept: [5],
        sum: [12, 24, 36], // 1 + 10 + 1, ...
        twice: [20, 40, 60],
        literal: [7, 7],
        other: [20, 40, 60],
      });
      assertEquals([...scalars.first], [6, 60, 6]);
      assertEquals([...scalars.old], [-1, 20, 2]);
    }));
}

test("random draws of a step depend on the step's number alone, not on how runs are cut", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const program: StepProgram = {
      inputs: {},
      step: (_, __, random) => ({
        state: {},
        scalars: { u: tf.sum(random.uniform([5])), n: tf.sum(random.normal([5])) },
      }),
    };
    const step = await engine.compileStep(program, {}, 3);
    const whole = await step.run([{}, {}, {}], 4);
    const last = await step.run([{}], 6);
    const cpu = await createEagerEngine("cpu", "").compileStep(program, {}, 3);
    const expected = await cpu.run([{}, {}, {}], 4);
    await cpu.dispose();
    for (const name of ["u", "n"]) {
      assertClose(name, whole[name], expected[name], 1e-6);
      assertEquals(last[name][0], whole[name][2]);
    }
    await engine.dispose();
    await tf.setBackend("webgpu");
  }));

test("constants stay on the device, and int32 inputs index them", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(
      {
        step: ({ a }, { table, rows }) => ({
          state: { a },
          scalars: { sum: tf.sum(tf.gather(table, tf.cast(rows, "int32"))) },
        }),
        inputs: { rows: { shape: [2], dtype: "int32" } },
        constants: {
          table: { shape: [3, 2], dtype: "float32", data: Float32Array.of(1, 2, 3, 4, 5, 6) },
        },
      },
      { a: vector(0) },
      1,
    );
    const { sum } = await step.run(
      [{ rows: Int32Array.of(0, 2) }, { rows: Int32Array.of(1, 1) }],
      0,
    );
    assertEquals([...sum], [14, 14]);
    await engine.dispose();
  }));

test("a run whose inputs pass the transfer buffer is cut and gives every step's scalars", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const size = 5 << 20; // 20 MB a step: three steps fit one transfer
    const step = await engine.compileStep(
      {
        step: ({ a }, { x }) => ({
          state: { a: tf.add(a, tf.slice(x, 0, 1)) },
          scalars: { last: tf.reshape(tf.slice(x, size - 1, 1), []), a: tf.reshape(a, []) },
        }),
        inputs: { x: { shape: [size], dtype: "float32" } },
      },
      { a: vector(0) },
      1,
    );
    const batches = [1, 2, 3, 4].map((x) => ({ x: new Float32Array(size).fill(x) }));
    const { last, a } = await step.run(batches, 0);
    assertEquals([...last], [1, 2, 3, 4]);
    assertEquals([...a], [0, 1, 3, 6]);
    assertEquals(await step.run([], 4), {});
    await engine.dispose();
  }));

test("repeated work is done once, unused work not at all, chains in one dispatch", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const spec = { x: { shape: [4, 8], dtype: "float32" as const } };
    const count = async (fn: (x: tf.Tensor2D) => tf.Tensor) => {
      const compiled = await engine.compileFunction(({ x }) => ({ y: fn(x as tf.Tensor2D) }), spec);
      const { dispatchCount } = (compiled as WebGpuFunction).executable;
      await compiled.dispose();
      return dispatchCount;
    };
    assertEquals(await count((x) => tf.tanh(tf.add(tf.mul(x, 2), 1))), 1);
    assertEquals(
      await count((x) => {
        tf.matMul(x, x, false, true);
        return tf.tanh(x);
      }),
      1,
    );
    const square = (x: tf.Tensor2D) => tf.matMul(x, x, false, true);
    assertEquals(await count((x) => tf.add(square(x), square(x))), 2);
    // Three dispatches: the products cannot run in the middle of an elementwise kernel.
    assertEquals(await count((x) => tf.add(tf.relu(tf.neg(x)), tf.matMul(square(x), x))), 3);
    assertEquals(await count((x) => tf.sum(tf.square(tf.sub(x, 1)), 0)), 1);
    assertEquals(await count((x) => tf.tanh(tf.transpose(x))), 1);
    assertEquals(await count((x) => tf.mul(tf.slice(x, [0, 0], [4, 4]), 2)), 1);
    await engine.dispose();
  }));

test("gradients are computed for the inputs that need one, of fused operations too", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const specs = {
      x: { shape: [1, 4, 4, 4], dtype: "float32" as const },
      w: { shape: [3, 3, 4, 8], dtype: "float32" as const },
    };
    /** Dispatches of gradients of `sum(conv(x, w)^2)`, the convolution itself included. */
    const count = async (isFused: boolean, names: ("x" | "w")[]) => {
      const compiled = await engine.compileFunction((given) => {
        const loss = (...values: tf.Tensor[]) => {
          const all = {
            ...given,
            ...Object.fromEntries(names.map((name, i) => [name, values[i]])),
          };
          const x = all.x as tf.Tensor4D;
          const filter = all.w as tf.Tensor4D;
          const y = isFused
            ? tf.fused.conv2d({ x, filter, strides: 1, pad: "same" })
            : tf.conv2d(x, filter, 1, "same");
          return tf.sum(tf.square(y));
        };
        const gradients = tf.grads(loss)(names.map((name) => given[name]));
        return Object.fromEntries(names.map((name, i) => [name, gradients[i]]));
      }, specs);
      const { dispatchCount } = (compiled as WebGpuFunction).executable;
      await compiled.dispose();
      return dispatchCount;
    };
    for (const isFused of [false, true]) {
      const both = await count(isFused, ["x", "w"]);
      const [ofX, ofW] = [await count(isFused, ["x"]), await count(isFused, ["w"])];
      // All have the convolution and 2 y.
      assertEquals([ofX - 2, ofW - 2], [1, both - 3], isFused ? "fused" : "plain");
    }
    await engine.dispose();
  }));

test("compileFunction() gives the eager values, run after run", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const compiled = await engine.compileFunction(
      ({ x, w }) => ({
        y: tf.relu(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)),
        big: tf.greater(x, 0),
      }),
      { x: { shape: [2, 3], dtype: "float32" }, w: { shape: [3, 4], dtype: "float32" } },
    );
    for (const stream of [1, 2]) {
      const x = normals([2, 3], stream);
      const w = normals([3, 4], stream + 5);
      const { y, big } = await compiled.run({
        x: { shape: [2, 3], dtype: "float32", data: x },
        w: { shape: [3, 4], dtype: "float32", data: w },
      });
      await tf.setBackend("cpu");
      const expected = tf.relu(tf.matMul(tf.tensor2d(x, [2, 3]), tf.tensor2d(w, [3, 4])));
      assertClose("y", y.data as Float32Array, expected.dataSync() as Float32Array, 1e-6);
      assertEquals([...big.data], [...x].map((value) => value > 0 ? 1 : 0));
      assertEquals(y.shape, [2, 4]);
    }
    await engine.dispose();
    await tf.setBackend("webgpu");
  }));
