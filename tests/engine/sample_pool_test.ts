import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { checkPools, gatherRows, inputValues } from "../../src/engine/sample_pool.ts";
import type { Engine, SamplePool, StepProgram } from "../../src/engine/types.ts";

const byteValues = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);
const bytes: SamplePool = {
  rows: Uint8Array.of(0, 1, 2, 253, 254, 255, 7, 8, 9),
  rowSize: 3,
  byteValues,
};

Deno.test("gatherRows() gives what each byte stands for, row by row", () => {
  const out = new Float32Array(6);
  gatherRows(out, bytes, Uint32Array.of(2, 0));
  assertEquals(out, Float32Array.of(...[7, 8, 9, 0, 1, 2].map((byte) => byte / 127.5 - 1)));
});

Deno.test("gatherRows() keeps floats, and alternates the rows of one sample", () => {
  const rows = Float32Array.of(1, -2, 0.5, -0, 5e-45, Infinity);
  const out = new Float32Array(6);
  gatherRows(out, { rows, rowSize: 2 }, Uint32Array.of(2, 1, 2));
  assertEquals(out, Float32Array.of(5e-45, Infinity, 0.5, -0, 5e-45, Infinity));
  const stacked = new Float32Array(8);
  gatherRows(stacked, { rows, rowSize: 2, rowsPerSample: 2 }, Uint32Array.of(0, 2, 1, 0));
  assertEquals(stacked, Float32Array.of(1, 5e-45, -2, Infinity, 0.5, 1, -0, -2));
});

Deno.test("inputValues() refuses what is no row of the pool, and row numbers without one", () => {
  const spec = { shape: [2, 3], dtype: "float32" as const, pool: bytes };
  const pick = (given: Uint32Array | Float32Array) => inputValues({ name: "real", spec, given });
  assertEquals(pick(Uint32Array.of(0, 2)).length, 6);
  assertThrows(
    () => pick(Uint32Array.of(0, 3)),
    RangeError,
    'the pool of input "real" has no row 3: it has 3',
  );
  assertThrows(
    () => pick(new Float32Array(6)),
    TypeError,
    'input "real" must be a Uint32Array of 2 row numbers of its pool, found Float32Array of 6',
  );
  assertThrows(() => pick(Uint32Array.of(1)), TypeError, "found Uint32Array of 1");
  assertThrows(
    () =>
      inputValues({
        name: "real",
        spec: { shape: [2], dtype: "int32" },
        given: Uint32Array.of(0, 1),
      }),
    TypeError,
    'input "real" is given row numbers, and it has no pool',
  );
});

Deno.test("inputValues() refuses values of another type or number than the input", () => {
  const check = (dtype: "float32" | "int32", given: Float32Array | Int32Array) =>
    inputValues({ name: "x", spec: { shape: [2, 2], dtype }, given });
  assertEquals(check("int32", Int32Array.of(1, 2, 3, 4)), Int32Array.of(1, 2, 3, 4));
  const message = (found: string) =>
    `input "x" must be a Float32Array of 4 numbers ([2,2]), found ${found}`;
  assertThrows(
    () => check("float32", new Float32Array(3)),
    TypeError,
    message("Float32Array of 3"),
  );
  assertThrows(
    () => check("float32", new Float32Array(5)),
    TypeError,
    message("Float32Array of 5"),
  );
  assertThrows(() => check("float32", new Int32Array(4)), TypeError, message("Int32Array of 4"));
  assertThrows(
    () => check("int32", new Float32Array(4)),
    TypeError,
    "must be an Int32Array of 4 numbers ([2,2]), found Float32Array of 4",
  );
});

Deno.test("checkPools() refuses pools that do not go with their input", () => {
  const check = (pool: SamplePool, shape = [2, 3], dtype: "float32" | "int32" = "float32") =>
    checkPools({ real: { shape, dtype, pool } });
  check(bytes);
  check({ ...bytes, rowsPerSample: 2 });
  assertThrows(
    () => check({ ...bytes, rowSize: 2 }),
    RangeError,
    'the pool of input "real" has 9 numbers, which are no rows of 2',
  );
  assertThrows(
    () => check(bytes, [4]),
    RangeError,
    "has samples of 3 numbers, of which [4] is not a whole number",
  );
  assertThrows(
    () => check({ ...bytes, rowsPerSample: 4 }),
    RangeError,
    "has samples of 12 numbers, of which [2,3] is not a whole number",
  );
  assertThrows(
    () => check(bytes, [3], "int32"),
    TypeError,
    "gives float32, and the input is int32",
  );
  assertThrows(
    () => check({ ...bytes, byteValues: undefined }),
    TypeError,
    "holds Uint8Array: byteValues must have 256 numbers",
  );
  assertThrows(
    () => check({ rows: new Float32Array(9), rowSize: 3, byteValues }),
    TypeError,
    "holds Float32Array: byteValues must have no numbers",
  );
});

/** Shows what it was given: the state is the batch of the last step. */
const mirror: StepProgram = {
  inputs: { real: { shape: [2, 3], dtype: "float32", pool: bytes } },
  step: (_, { real }) => ({ state: { seen: real }, scalars: {} }),
};

const engines: Record<string, () => Engine | Promise<Engine>> = {
  "tfjs-cpu": () => createEagerEngine("cpu", ""),
  "onnx": () => createOnnxEngine({ threads: 1 }),
};

for (const [name, open] of Object.entries(engines)) {
  Deno.test(`a step of the engine ${name} sees the rows whose numbers it is given`, async () => {
    const engine = await open();
    const seen = { shape: [2, 3], dtype: "float32" as const, data: new Float32Array(6) };
    const compiled = await engine.compileStep(mirror, { seen }, 1);
    await compiled.run([{ real: Uint32Array.of(1, 1) }, { real: Uint32Array.of(1, 2) }], 0);
    const { data } = (await compiled.readState()).seen;
    assertEquals([...data], [253, 254, 255, 7, 8, 9].map((byte) => byteValues[byte]));
    await compiled.dispose();
    await engine.dispose();
  });

  Deno.test(`a step of the engine ${name} refuses an input that is too short`, async () => {
    const engine = await open();
    const compiled = await engine.compileStep(
      {
        inputs: { x: { shape: [3], dtype: "float32" } },
        step: (_, { x }) => ({ state: { seen: x }, scalars: {} }),
      },
      { seen: { shape: [3], dtype: "float32", data: new Float32Array(3) } },
      1,
    );
    await assertRejects(
      () => compiled.run([{ x: new Float32Array(2) }], 0),
      TypeError,
      'input "x" must be a Float32Array of 3 numbers ([3]), found Float32Array of 2',
    );
    await compiled.dispose();
    await engine.dispose();
  });
}
