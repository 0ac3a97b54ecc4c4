import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { minStepBytes } from "../../src/engine/onnx/memory.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { Engine, StepProgram } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { traceFunction } from "../../src/graph/trace/trace.ts";
import { CONFIGS, openStep } from "./onnx_steps.ts";

/** The largest difference of a tensor, relative to its largest element. */
function relativeDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let difference = 0;
  let largest = 1e-6;
  for (let index = 0; index < expected.length; index++) {
    difference = Math.max(difference, Math.abs(expected[index] - actual[index]));
    largest = Math.max(largest, Math.abs(expected[index]));
  }
  return Number.isNaN(difference) ? Infinity : difference / largest;
}

function openEngine(): Promise<Engine> {
  return createOnnxEngine({ runtime: "web", threads: 2 });
}

Deno.test("compileStep() gives the eager engine's losses and weights over 20 steps", async (t) => {
  const engine = await openEngine();
  const eager = createEagerEngine("cpu", "");
  for (const [name, config] of Object.entries(CONFIGS)) {
    await t.step(name, async () => {
      const { step, state, batches } = openStep(config);
      const reference = await eager.compileStep(step.program, state, 5);
      const compiled = await engine.compileStep(step.program, state, 5);
      const expected = await reference.run(batches(0, 20), 0);
      // The length of a call must not matter.
      const parts = [
        await compiled.run(batches(0, 7), 0),
        await compiled.run(batches(7, 1), 7),
        await compiled.run(batches(8, 12), 8),
      ];
      for (const [scalar, values] of Object.entries(expected)) {
        const joined = parts.flatMap((part) => [...part[scalar]]);
        assertEquals(joined.length, 20);
        joined.forEach((value, index) => {
          const difference = Math.abs(value - values[index]) / Math.max(1, Math.abs(values[index]));
          assert(difference < 1e-4, `${scalar} at step ${index}: ${value}, not ${values[index]}`);
        });
      }
      const after = await compiled.readState();
      for (const [tensor, { data }] of Object.entries(await reference.readState())) {
        const difference = relativeDifference(data, after[tensor].data);
        assert(difference < 1e-4, `${tensor} differs by ${difference}`);
      }
      await reference.dispose();
      await compiled.dispose();
    });
  }
  await engine.dispose();
});

Deno.test("writeState() continues bit for bit from what readState() gave", async () => {
  const engine = await openEngine();
  const { step, state, batches } = openStep(
    CONFIGS["a DCGAN with batch norm, strides and up-sampling"],
  );
  const whole = await engine.compileStep(step.program, state, 5);
  await whole.run(batches(0, 6), 0);
  const first = await engine.compileStep(step.program, state, 5);
  await first.run(batches(0, 3), 0);
  const second = await engine.compileStep(step.program, state, 5);
  await second.writeState(await first.readState());
  await second.run(batches(3, 3), 3);
  assertEquals(await second.readState(), await whole.readState());
  await engine.dispose();
});

const counter: StepProgram = {
  inputs: { x: { shape: [2], dtype: "float32" } },
  constants: { table: { shape: [3], dtype: "float32", data: Float32Array.of(1, 10, 100) } },
  step: (state, { x, table }, random) => ({
    state: {
      total: tf.add(state.total, tf.sum(x)),
      count: tf.add(state.count, tf.scalar(1, "int32")),
      frozen: state.frozen,
      swappedA: state.swappedB,
      swappedB: state.swappedA,
    },
    scalars: {
      total: tf.mul(state.total, 3),
      lookup: tf.gather(table, state.count),
      unused: tf.scalar(2.5),
      noise: tf.mean(random.uniform([4])),
    },
  }),
};

const counterState: HostTensors = {
  total: { shape: [], dtype: "float32", data: Float32Array.of(0.5) },
  count: { shape: [], dtype: "int32", data: Int32Array.of(0) },
  frozen: { shape: [2], dtype: "float32", data: Float32Array.of(3, 4) },
  swappedA: { shape: [1], dtype: "float32", data: Float32Array.of(1) },
  swappedB: { shape: [1], dtype: "float32", data: Float32Array.of(2) },
};

Deno.test("compileStep() handles integers, constants, and state that stays or trades places", async () => {
  const engine = await openEngine();
  const eager = createEagerEngine("cpu", "");
  const batches = [1, 2, 3].map((value) => ({ x: Float32Array.of(value, value) }));
  const compiled = await engine.compileStep(counter, counterState, 9);
  const reference = await eager.compileStep(counter, counterState, 9);
  assertEquals(await compiled.run(batches, 4), await reference.run(batches, 4));
  assertEquals(await compiled.readState(), await reference.readState());
  await reference.dispose();
  await engine.dispose();
});

Deno.test("compileStep() refuses steps that are not pure, and says where", async () => {
  const engine = await openEngine();
  const compile = (step: StepProgram["step"]) =>
    engine.compileStep({ ...counter, step }, counterState, 1);
  const impure = await assertRejects(
    () =>
      compile((state) => ({
        state: { ...state, frozen: tf.add(state.frozen, tf.randomUniform([2])) },
        scalars: {},
      })),
    UserError,
  );
  assert(
    impure.message.includes("run twice, it differs in input b of kernel 0, Add"),
    impure.message,
  );
  const reading = await assertRejects(
    () => compile((state) => ({ state, scalars: { x: tf.scalar(state.total.dataSync()[0]) } })),
    UserError,
  );
  assert(reading.message.includes("reads tensors on the host"), reading.message);
  assertEquals(tf.getBackend(), "cpu");
  await engine.dispose();
});

Deno.test("compileFunction() gives the eager engine's values", async () => {
  const engine = await openEngine();
  const eager = createEagerEngine("cpu", "");
  const specs = {
    x: { shape: [3, 4], dtype: "float32" as const },
    i: { shape: [3], dtype: "int32" as const },
  };
  const fn = ({ x, i }: Record<string, tf.Tensor>) => ({
    y: tf.softmax(tf.add(x, tf.oneHot(i as tf.Tensor1D, 4))),
    above: tf.greater(x, 0.5),
    untouched: x,
  });
  const inputs: HostTensors = {
    x: {
      shape: [3, 4],
      dtype: "float32",
      data: Float32Array.from({ length: 12 }, (_, k) => k / 7),
    },
    i: { shape: [3], dtype: "int32", data: Int32Array.of(2, 0, 3) },
  };
  const compiled = await engine.compileFunction(fn, specs);
  const actual = await compiled.run(inputs);
  const expected = await (await eager.compileFunction(fn, specs)).run(inputs);
  assert(relativeDifference(expected.y.data, actual.y.data) < 1e-6);
  assertEquals(actual.untouched, inputs.x);
  assertEquals([...actual.above.data], [...expected.above.data]);
  await engine.dispose();
});

Deno.test("the engine leaves no tensors behind in TensorFlow.js", async () => {
  const engine = await openEngine();
  await tf.setBackend("cpu");
  const before = tf.memory().numTensors;
  const { step, state, batches } = openStep(CONFIGS["a gradient penalty by second derivatives"]);
  const compiled = await engine.compileStep(step.program, state, 5);
  await compiled.run(batches(0, 3), 0);
  await compiled.dispose();
  assertEquals(tf.memory().numTensors, before);
  await engine.dispose();
});

Deno.test("a step that does not fit says how many bytes it needs and how many there are", async () => {
  const program: StepProgram = {
    inputs: { x: { shape: [100, 50], dtype: "float32" } },
    step: ({ w }, { x }) => {
      const hidden = tf.relu(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)); // [100, 30]
      return {
        state: { w: tf.mul(w, tf.mean(tf.exp(hidden))) },
        scalars: { size: tf.sum(hidden) },
      };
    },
  };
  const state = {
    w: { shape: [50, 30], dtype: "float32" as const, data: new Float32Array(1500) },
  };
  // x, w before and after, relu's result, and that of exp; two sums; relu is computed in place.
  const needed = 4 * (100 * 50 + 2 * 50 * 30 + 2 * 100 * 30 + 2);
  const compile = async (memoryBytes: number) => {
    const engine = await createOnnxEngine({ runtime: "web", threads: 1, memoryBytes });
    await engine.compileStep(program, state, 1).finally(() => engine.dispose());
  };
  await compile(needed);
  const { message } = await assertRejects(() => compile(needed - 1), UserError);
  assertMatch(
    message,
    new RegExp(
      `^The training step does not fit onnxruntime-web .*: it needs at least [\\d.]+ kB ` +
        `\\(${needed} bytes\\), and [\\d.]+ kB \\(${
          needed - 1
        } bytes\\) are available\\. Use a smaller`,
    ),
  );
});

Deno.test("minStepBytes() counts what is there at once: no views, and results in place of inputs", () => {
  const numbers = (fn: (x: tf.Tensor) => tf.Tensor) => {
    const x = { shape: [8, 4], dtype: "float32" as const };
    return minStepBytes(traceFunction(({ x }) => ({ y: fn(x) }), { x })) / 4;
  };
  assertEquals(numbers((x) => tf.sum(x)), 32 + 1);
  assertEquals(numbers((x) => tf.sum(tf.exp(x))), 32 + 32 + 1);
  assertEquals(numbers((x) => tf.sum(tf.tanh(tf.exp(x)))), 32 + 32 + 1);
  assertEquals(numbers((x) => tf.sum(tf.tanh(tf.transpose(tf.reshape(x, [4, 8]))))), 32 + 32 + 1);
  assertEquals(numbers((x) => tf.sum(tf.mul(tf.exp(x), tf.tanh(tf.exp(x))))), 32 + 2 * 32 + 1);
  assertEquals(numbers((x) => tf.sum(tf.add(x, tf.range(0, 4)))), 32 + 4 + 32 + 1);
});

Deno.test("run() says when there is too little memory", async () => {
  const engine = await openEngine();
  const rows = 36_000; // the product takes 5.2 GB, more than WebAssembly has
  const compiled = await engine.compileFunction(
    ({ x }) => ({ y: tf.sum(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true)) }),
    { x: { shape: [rows, 1], dtype: "float32" } },
  );
  const x = { shape: [rows, 1], dtype: "float32" as const, data: new Float32Array(rows) };
  const error = await assertRejects(() => compiled.run({ x }), UserError);
  assertMatch(
    error.message,
    /^Cannot compute this on the CPU: onnxruntime-web .* take a smaller batch or network, or/,
  );
  await engine.dispose();
});

Deno.test("createOnnxEngine() takes the native runtime where it is installed, and says how else", async () => {
  let engine: Engine;
  try {
    engine = await createOnnxEngine({ runtime: "node", threads: 1 });
  } catch (error) {
    assert(error instanceof UserError);
    assertMatch(
      error.message,
      /^Cannot load onnxruntime-node: .*npm install --no-save --ignore-scripts onnxruntime-node@1\.30\.0 makes it/,
    );
    return;
  }
  const web = await openEngine();
  const { step, state, batches } = openStep(CONFIGS["dense layers with dropout"]);
  const native = await engine.compileStep(step.program, state, 5);
  const reference = await web.compileStep(step.program, state, 5);
  const expected = await reference.run(batches(0, 5), 0);
  for (const [name, values] of Object.entries(await native.run(batches(0, 5), 0))) {
    assert(relativeDifference(expected[name], values) < 1e-4, name);
  }
  await engine.dispose();
  await web.dispose();
});
