/** The contract of engines, first part: the same inputs give the same answers. */
import { assert, assertEquals } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import type { Engine, SamplePool, StepInputs, StepProgram } from "../../../src/engine/types.ts";
import { fillUniform } from "../../../src/random/counter_random.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { HostTensor, HostTensors, TensorMap } from "../../../src/tensor/types.ts";
import { ADDING_STATE, compileAdding, contract, integer, vector } from "./engines.ts";

contract("a step runs, and reports its scalars at each step", async (engine) => {
  const step = await compileAdding(engine);
  const batches = [1, 2, 3].map((x) => ({ x: Float32Array.of(x, x, x) }));
  assertEquals(await step.run(batches, 0), { total: Float32Array.of(6, 9, 15) });
  assertEquals(await step.readState(), { sum: vector(7, 8, 9), count: integer(3) });
});

contract("a call with no steps gives no scalars, and changes nothing", async (engine) => {
  const step = await compileAdding(engine);
  assertEquals(await step.run([], 0), {});
  assertEquals(await step.readState(), ADDING_STATE);
});

contract("the state is written, read, and goes on from there", async (engine) => {
  const step = await compileAdding(engine);
  await step.run([{ x: Float32Array.of(1, 1, 1) }], 0);
  const written = { sum: vector(-1, 0, 5), count: integer(40) };
  await step.writeState(written);
  assertEquals(await step.readState(), written);
  await step.run([{ x: Float32Array.of(1, 2, 3) }], 1);
  assertEquals(await step.readState(), { sum: vector(0, 2, 8), count: integer(41) });
});

contract("a state that was read or written is a copy", async (engine) => {
  const step = await compileAdding(engine);
  const written = { sum: vector(1, 1, 1), count: integer(1) };
  await step.writeState(written);
  written.sum.data[0] = 100;
  const read = await step.readState();
  read.sum.data[1] = 100;
  await step.run([{ x: Float32Array.of(1, 1, 1) }], 0);
  assertEquals((await step.readState()).sum, vector(2, 2, 2));
});

contract("an input that becomes state is a copy", async (engine) => {
  const keeping: StepProgram = {
    inputs: { x: { shape: [2], dtype: "float32" } },
    step: (_, { x }) => ({ state: { seen: x }, scalars: {} }),
  };
  const step = await engine.compileStep(keeping, { seen: vector(0, 0) }, 1);
  const x = Float32Array.of(1, 2);
  await step.run([{ x }], 0);
  x.fill(100);
  assertEquals((await step.readState()).seen, vector(1, 2));
});

contract("two steps of one engine have a state each", async (engine) => {
  const [one, two] = [await compileAdding(engine), await compileAdding(engine)];
  await one.run([{ x: Float32Array.of(1, 1, 1) }], 0);
  assertEquals((await one.readState()).sum, vector(2, 3, 4));
  assertEquals((await two.readState()).sum, vector(1, 2, 3));
});

/** Draws, constants, an int32 input, kinds, gradients, and state that stays or trades places. */
const VARIED: StepProgram = {
  inputs: {
    x: { shape: [4, 3], dtype: "float32" },
    row: { shape: [1], dtype: "int32" },
  },
  constants: { table: { shape: [3], dtype: "float32", data: Float32Array.of(1, 10, 100) } },
  kindOf: (step) => step % 3 === 0 ? "learn" : "decay",
  step({ weights, frozen, a, b }, { x, row, table }, random, kind) {
    const noise = tf.mul(random.normal([3, 2]), 0.1);
    const entry = tf.reshape(tf.gather(table, row as tf.Tensor1D), []);
    if (kind === "decay") {
      return {
        state: { weights: tf.add(tf.mul(weights, 0.9), noise), frozen, a: b, b: a },
        scalars: { entry } as TensorMap,
      };
    }
    const share = random.uniform([1]);
    const { value: loss, grad } = tf.valueAndGrad((weights: tf.Tensor) =>
      tf.mean(tf.square(tf.tanh(tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D))))
    )(weights);
    return {
      state: { weights: tf.sub(tf.add(weights, noise), tf.mul(grad, share)), frozen, a: b, b: a },
      scalars: { entry, loss },
    };
  },
};

const VARIED_STATE: HostTensors = {
  weights: { shape: [3, 2], dtype: "float32", data: Float32Array.of(0.1, -0.2, 0.3, 0.4, -0.5, 1) },
  frozen: vector(3, 4),
  a: vector(1),
  b: vector(2),
};

const VARIED_BATCHES: StepInputs[] = Array.from({ length: 7 }, (_, step) => ({
  x: fillUniform(new Float32Array(12), { seed: 5, stream: 0, step }),
  row: Int32Array.of(step % 3),
}));

/** Seven steps from number 2 on, in calls of 1, 4 and 2. */
async function runVaried(engine: Engine, seed: number) {
  const step = await engine.compileStep(VARIED, VARIED_STATE, seed);
  const parts = [];
  for (const [start, end] of [[0, 1], [1, 5], [5, 7]]) {
    parts.push(await step.run(VARIED_BATCHES.slice(start, end), 2 + start));
  }
  const state = await step.readState();
  await step.dispose();
  return { parts, state };
}

const REFERENCE = createEagerEngine("cpu", "");
const expected = await runVaried(REFERENCE, 11);
const otherSeed = await runVaried(REFERENCE, 12);

function assertNear(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assertEquals(actual.length, expected.length, what);
  Array.from(expected).forEach((value, i) => {
    const same = Number.isNaN(value) ? Number.isNaN(actual[i]) : Math.abs(value - actual[i]) < 1e-5;
    assert(same, `${what} ${i}: ${actual[i]}, not ${value}`);
  });
}

function farApart(a: HostTensor, b: HostTensor): boolean {
  return a.data.some((value, i) => Math.abs(value - b.data[i]) > 1e-3);
}

contract("kinds, draws, constants and gradients give the reference's values", async (engine) => {
  const { parts, state } = await runVaried(engine, 11);
  parts.forEach((part, call) => {
    assertEquals(Object.keys(part).sort(), Object.keys(expected.parts[call]).sort());
    for (const [name, values] of Object.entries(expected.parts[call])) {
      assertNear(`call ${call}, ${name}`, part[name], values);
    }
  });
  assertEquals(Object.keys(state).sort(), Object.keys(VARIED_STATE).sort());
  for (const [name, { data, dtype, shape }] of Object.entries(expected.state)) {
    assertEquals({ dtype, shape }, { dtype: state[name].dtype, shape: state[name].shape });
    assertNear(name, state[name].data, data);
  }
  assert(farApart(state.weights, otherSeed.state.weights), "the seed matters");
});

contract("a scalar is NaN at the steps whose kind has none", async (engine) => {
  const step = await engine.compileStep(VARIED, VARIED_STATE, 11);
  const { loss } = await step.run(VARIED_BATCHES.slice(0, 5), 2); // kinds: decay learn decay decay learn
  assertEquals([...loss].map(Number.isNaN), [true, false, true, true, false]);
});

const POOL: SamplePool = {
  rows: Uint8Array.of(0, 1, 2, 253, 254, 255, 7, 8, 9),
  rowSize: 3,
  byteValues: Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1),
};

/** Keeps the last batch that it saw. */
const MIRROR: StepProgram = {
  inputs: { real: { shape: [2, 3], dtype: "float32", pool: POOL } },
  step: (_, { real }) => ({ state: { seen: real }, scalars: {} }),
};

contract(
  "an input with a pool gets the rows whose numbers are given, bit for bit",
  async (engine) => {
    const seen = { shape: [2, 3], dtype: "float32" as const, data: new Float32Array(6) };
    const step = await engine.compileStep(MIRROR, { seen }, 1);
    await step.run([{ real: Uint32Array.of(1, 1) }, { real: Uint32Array.of(1, 2) }], 0);
    const bytes = [253, 254, 255, 7, 8, 9];
    assertEquals(
      (await step.readState()).seen.data,
      Float32Array.from(bytes, (byte) => POOL.byteValues![byte]),
    );
  },
);

contract("a function gives its outputs, booleans as int32", async (engine) => {
  const compiled = await engine.compileFunction(
    ({ x, i }) => ({
      twice: tf.mul(x, 2),
      above: tf.greater(x, 1.5),
      chosen: tf.gather(x, i as tf.Tensor1D),
      same: x,
      next: tf.add(i, tf.scalar(1, "int32")),
    }),
    { x: { shape: [3], dtype: "float32" }, i: { shape: [2], dtype: "int32" } },
  );
  const i: HostTensor = { shape: [2], dtype: "int32", data: Int32Array.of(2, 0) };
  for (const shift of [0, 10]) {
    const [a, b, c] = [1 + shift, 2 + shift, 3 + shift];
    assertEquals(await compiled.run({ x: vector(a, b, c), i }), {
      twice: vector(2 * a, 2 * b, 2 * c),
      above: { shape: [3], dtype: "int32", data: Int32Array.of(shift ? 1 : 0, 1, 1) },
      chosen: vector(c, a),
      same: vector(a, b, c),
      next: { shape: [2], dtype: "int32", data: Int32Array.of(3, 1) },
    });
  }
});

contract("a step and a function of one engine run in turn", async (engine) => {
  const step = await compileAdding(engine);
  const double = await engine.compileFunction(
    ({ sum }) => ({ sum: tf.mul(sum, 2) }),
    { sum: { shape: [3], dtype: "float32" } },
  );
  for (let k = 0; k < 2; k++) {
    await step.run([{ x: Float32Array.of(1, 1, 1) }], k);
    const { sum } = await step.readState();
    assertEquals((await double.run({ sum })).sum, vector(...[...sum.data].map((v) => 2 * v)));
  }
});
