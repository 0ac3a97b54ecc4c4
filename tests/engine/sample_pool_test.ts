/** Pools of samples on the host; what engines refuse of them is in contract/refusals_test.ts. */
import { assertEquals, assertThrows } from "@std/assert";
import { checkPools, gatherRows } from "../../src/engine/sample_pool.ts";
import type { SamplePool } from "../../src/engine/types.ts";

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

Deno.test("checkPools() refuses pools that do not go with their input", () => {
  const check = (pool: SamplePool, shape = [2, 3], dtype: "float32" | "int32" = "float32") =>
    checkPools({ real: { shape, dtype, pool } });
  check(bytes);
  check({ ...bytes, rowsPerSample: 2 });
  assertThrows(
    () => check({ ...bytes, rowSize: 2 }),
    RangeError,
    'the pool of input "real" has 9 values, which are no rows of 2',
  );
  assertThrows(
    () => check(bytes, [4]),
    RangeError,
    "has samples of 3 values, of which [4] is not a whole number",
  );
  assertThrows(
    () => check({ ...bytes, rowsPerSample: 4 }),
    RangeError,
    "has samples of 12 values, of which [2,3] is not a whole number",
  );
  assertThrows(
    () => check(bytes, [3], "int32"),
    TypeError,
    "gives float32, and the input is int32",
  );
  assertThrows(
    () => check({ ...bytes, byteValues: undefined }),
    TypeError,
    "holds Uint8Array: byteValues must have 256 values",
  );
  assertThrows(
    () => check({ rows: new Float32Array(9), rowSize: 3, byteValues }),
    TypeError,
    "holds Float32Array: byteValues must have no values",
  );
});
