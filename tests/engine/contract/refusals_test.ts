/**
 * The contract of engines, second part: what is refused. The same mistakes give the same class of error
 * with the same words, always as a rejection, and leave everything as it was.
 */
import { assertEquals } from "@std/assert";
import type { SamplePool, StepFunction, StepProgram } from "../../../src/engine/types.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { HostTensors } from "../../../src/tensor/types.ts";
import {
  ADDING,
  ADDING_STATE,
  assertRefused,
  compileAdding,
  compileDoubling,
  contract,
  type ErrorClass,
  integer,
  ONES,
  vector,
} from "./engines.ts";

/** Wrong states by what is wrong with them, and what is said. */
const WRONG_STATES: Record<string, [state: HostTensors, message: string]> = {
  "a name is missing": [
    { sum: vector(9, 9, 9) },
    'Cannot write the state: "count" must be int32 [], found nothing',
  ],
  "a name is unknown": [
    { ...ADDING_STATE, sum: vector(9, 9, 9), extra: vector(1) },
    'Cannot write the state: the step has no "extra", only "sum", "count"',
  ],
  "a shape is wrong": [
    { sum: vector(9, 9), count: integer(9) },
    'Cannot write the state: "sum" must be float32 [3], found float32 [2]',
  ],
  "a type is wrong": [
    { sum: vector(9, 9, 9), count: { shape: [], dtype: "float32", data: Float32Array.of(9) } },
    'Cannot write the state: "count" must be int32 [], found float32 []',
  ],
  "data are too short": [
    { sum: { ...vector(9, 9, 9), data: Float32Array.of(9, 9) }, count: integer(9) },
    'Cannot write the state: "sum" is float32 [3], so its data must be a Float32Array of 3 values, ' +
    "found Float32Array of 2",
  ],
  "data are of another type": [
    { sum: vector(9, 9, 9), count: { shape: [], dtype: "int32", data: Float32Array.of(9) } },
    'Cannot write the state: "count" is int32 [], so its data must be an Int32Array of 1 values, ' +
    "found Float32Array of 1",
  ],
};

for (const [what, [state, message]] of Object.entries(WRONG_STATES)) {
  contract(`writeState() is refused where ${what}`, async (engine) => {
    const step = await compileAdding(engine);
    await assertRefused(() => step.writeState(state), TypeError, message);
    assertEquals(await step.readState(), ADDING_STATE, "nothing of it is written");
  });
}

const POOL: SamplePool = { rows: new Float32Array(6), rowSize: 3 };

/** Takes values and rows of a pool. */
const WITH_POOL: StepProgram = {
  inputs: {
    x: { shape: [3], dtype: "float32" },
    real: { shape: [1, 3], dtype: "float32", pool: POOL },
    label: { shape: [], dtype: "int32" },
  },
  step: ({ sum, count }, { x, real, label }) => ({
    state: { sum: tf.add(sum, tf.add(x, tf.reshape(real, [3]))), count: tf.add(count, label) },
    scalars: {},
  }),
};

const RIGHT = { ...ONES, real: Uint32Array.of(1), label: Int32Array.of(1) };

/** Wrong inputs by what is wrong with them, and what is said of step 6. */
const WRONG_INPUTS: Record<string, [given: Record<string, unknown>, Class: ErrorClass, string]> = {
  "one is missing": [{ x: undefined }, TypeError, 'input "x" is missing'],
  "one is unknown": [
    { y: Float32Array.of(1) },
    TypeError,
    'it has no input "y", only "x", "real", "label"',
  ],
  "one is too short": [
    { x: Float32Array.of(1, 1) },
    TypeError,
    'input "x" must be a Float32Array of 3 values ([3]), found Float32Array of 2',
  ],
  "one is too long": [
    { label: Int32Array.of(1, 2) },
    TypeError,
    'input "label" must be an Int32Array of 1 values ([]), found Int32Array of 2',
  ],
  "one is of another type": [
    { label: Float32Array.of(1) },
    TypeError,
    'input "label" must be an Int32Array of 1 values ([]), found Float32Array of 1',
  ],
  "one is a plain array": [
    { x: [1, 1, 1] },
    TypeError,
    'input "x" must be a Float32Array of 3 values ([3]), found Array of 3',
  ],
  "one gets row numbers without a pool": [
    { x: Uint32Array.of(1, 1, 1) },
    TypeError,
    'input "x" is given row numbers, and it has no pool',
  ],
  "a pool gets values": [
    { real: Float32Array.of(1, 1, 1) },
    TypeError,
    'input "real" must be a Uint32Array of 1 row numbers of its pool, found Float32Array of 3',
  ],
  "a pool has no such row": [
    { real: Uint32Array.of(2) },
    RangeError,
    'the pool of input "real" has no row 2: it has 2',
  ],
};

for (const [what, [given, Class, message]] of Object.entries(WRONG_INPUTS)) {
  contract(`run() is refused where of its inputs ${what}`, async (engine) => {
    const step = await engine.compileStep(WITH_POOL, ADDING_STATE, 1);
    const wrong = { ...RIGHT, ...given };
    if ("x" in given && given.x === undefined) delete (wrong as { x?: unknown }).x;
    await assertRefused(
      () => step.run([RIGHT, wrong as typeof RIGHT], 5),
      Class,
      `Cannot run step 6: ${message}`,
    );
    assertEquals(await step.readState(), ADDING_STATE, "the first of the two has not run");
    await step.run([RIGHT], 5);
    assertEquals((await step.readState()).count, integer(1));
  });
}

contract("run() is refused where its first step is no step", async (engine) => {
  const step = await compileAdding(engine);
  for (const [first, range] of [[-1, "-1 to -1"], [0.5, "0.5 to 0.5"], [2 ** 32, ""]] as const) {
    await assertRefused(
      () => step.run([ONES], first),
      RangeError,
      `Cannot run steps ${
        range || `${first} to ${first}`
      }: their numbers must be integers from 0 ` +
        "to 4294967295",
    );
  }
  assertEquals(await step.readState(), ADDING_STATE);
});

/** What a step can do wrong, and what is said of it. */
const WRONG_STEPS: Record<string, [step: StepFunction, Class: ErrorClass, message: string]> = {
  "throws": [
    () => {
      throw new RangeError("no luck");
    },
    RangeError,
    "no luck",
  ],
  "loses a state": [
    ({ sum }) => ({ state: { sum }, scalars: {} }),
    TypeError,
    'The step does not return the state "count"',
  ],
  "adds a state": [
    ({ sum, count }) => ({ state: { sum, count, more: tf.add(sum, 1) }, scalars: {} }),
    TypeError,
    'The step returns the state "more", which it was not given, only "sum", "count"',
  ],
  "changes a state's shape": [
    ({ sum, count }) => ({ state: { sum: tf.slice(sum, 0, 2), count }, scalars: {} }),
    TypeError,
    'The step returns the state "sum" as float32 [2]: it was float32 [3]',
  ],
  "changes a state's type": [
    ({ sum, count }) => ({ state: { sum, count: tf.cast(count, "float32") }, scalars: {} }),
    TypeError,
    'The step returns the state "count" as float32 []: it was int32 []',
  ],
  "has a scalar of several values": [
    ({ sum, count }) => ({ state: { sum, count }, scalars: { loss: tf.add(sum, 1) } }),
    TypeError,
    'The step returns the scalar "loss" as 3 values of float32: expected one of float32',
  ],
  "has an int32 scalar": [
    ({ sum, count }) => ({
      state: { sum, count },
      scalars: { steps: tf.add(count, tf.scalar(1, "int32")) },
    }),
    TypeError,
    'The step returns the scalar "steps" as 1 values of int32: expected one of float32',
  ],
};

for (const [what, [wrong, Class, message]] of Object.entries(WRONG_STEPS)) {
  contract(`a step that ${what} is refused at the latest when it runs`, async (engine) => {
    const compileAndRun = async () => {
      const step = await engine.compileStep({ ...ADDING, step: wrong }, ADDING_STATE, 1);
      await step.run([ONES], 0);
    };
    await assertRefused(compileAndRun, Class, message);
    const fine = await compileAdding(engine); // the engine is none the worse
    await fine.run([ONES], 0);
    assertEquals((await fine.readState()).sum, vector(2, 3, 4));
  });
}

/** Programs that are refused before they are compiled. */
const WRONG_PROGRAMS: Record<
  string,
  [program: Partial<StepProgram>, state: HostTensors, Class: ErrorClass, message: string]
> = {
  "a pool does not fit its input": [
    { inputs: { x: { shape: [4], dtype: "float32", pool: POOL } } },
    ADDING_STATE,
    RangeError,
    'Cannot compile the step: the pool of input "x" has samples of 3 values, of which [4] is not a ' +
    "whole number",
  ],
  "a constant has an input's name": [
    { constants: { x: vector(1) } },
    ADDING_STATE,
    TypeError,
    'Cannot compile the step: "x" is an input and a constant; give one another name',
  ],
  "a constant's data are too short": [
    { constants: { table: { ...vector(1, 2), shape: [3] } } },
    ADDING_STATE,
    TypeError,
    'Cannot compile the step: constant "table" is float32 [3], so its data must be a Float32Array ' +
    "of 3 values, found Float32Array of 2",
  ],
  "the state's data are too long": [
    {},
    { ...ADDING_STATE, sum: { ...vector(1, 2, 3, 4), shape: [3] } },
    TypeError,
    'Cannot compile the step: state "sum" is float32 [3], so its data must be a Float32Array of 3 ' +
    "values, found Float32Array of 4",
  ],
};

for (const [what, [program, state, Class, message]] of Object.entries(WRONG_PROGRAMS)) {
  contract(
    `compileStep() is refused where ${what}`,
    (engine) =>
      assertRefused(() => engine.compileStep({ ...ADDING, ...program }, state, 1), Class, message),
  );
}

/** Wrong inputs of a function of `x`, float32 [3]. */
const WRONG_ARGUMENTS: Record<string, [given: HostTensors, message: string]> = {
  "is missing": [{}, 'input "x" must be float32 [3], found nothing'],
  "is unknown": [{ x: vector(1, 2, 3), y: vector(1) }, 'it has no input "y", only "x"'],
  "has another shape": [{ x: vector(1, 2) }, 'input "x" must be float32 [3], found float32 [2]'],
  "has another type": [
    { x: { shape: [3], dtype: "int32", data: Int32Array.of(1, 2, 3) } },
    'input "x" must be float32 [3], found int32 [3]',
  ],
  "has too few values": [
    { x: { ...vector(1, 2), shape: [3] } },
    'input "x" is float32 [3], so its data must be a Float32Array of 3 values, found Float32Array ' +
    "of 2",
  ],
};

for (const [what, [given, message]] of Object.entries(WRONG_ARGUMENTS)) {
  contract(`a function is refused an input that ${what}`, async (engine) => {
    const double = await compileDoubling(engine);
    await assertRefused(() => double.run(given), TypeError, `Cannot run the function: ${message}`);
    assertEquals(await double.run({ x: vector(1, 2, 3) }), { y: vector(2, 4, 6) });
  });
}

contract("a function that throws is refused at the latest when it runs", (engine) =>
  assertRefused(
    async () => {
      const compiled = await engine.compileFunction(() => {
        throw new RangeError("no luck");
      }, {});
      await compiled.run({});
    },
    RangeError,
    "no luck",
  ));
