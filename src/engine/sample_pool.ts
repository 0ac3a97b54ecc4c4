/**
 * Batches picked from a pool, on the host: what the engines do that compute there, and what a device
 * does not do where the pool is too large for it. A device's own kernel must give the same bits.
 */
import { elementCount } from "../bytes.ts";
import type { InputSpec, SamplePool, StepInputs } from "./types.ts";

/**
 * Checks the pools of a step's inputs, before anything is built on them.
 * @throws {RangeError} when sizes do not go together
 * @throws {TypeError} when bytes come without their meaning, floats with one, or the input is int32
 */
export function checkPools(inputs: Record<string, InputSpec>): void {
  for (const [name, spec] of Object.entries(inputs)) {
    const { pool, dtype, shape } = spec;
    if (!pool) continue;
    const { byteValues, rowSize, rows, rowsPerSample = 1 } = pool;
    const fail = (what: string) => `Cannot compile the step: the pool of input "${name}" ${what}`;
    if (rowCount(pool) === 0 || !Number.isInteger(rowCount(pool))) {
      const elements = rowCount(pool) * rowSize;
      throw new RangeError(fail(`has ${elements} values, which are no rows of ${rowSize}`));
    }
    const size = elementCount(spec.shape);
    if (size === 0 || size % (rowSize * rowsPerSample) !== 0) {
      throw new RangeError(
        fail(
          `has samples of ${rowSize * rowsPerSample} values, ` +
            `of which [${shape}] is not a whole number`,
        ),
      );
    }
    if (dtype !== "float32") throw new TypeError(fail(`gives float32, and the input is ${dtype}`));
    const needed = isBytes(pool) ? 256 : undefined;
    if (byteValues?.length !== needed) {
      const held = isBytes(pool) ? "Uint8Array" : rows.constructor.name;
      throw new TypeError(
        fail(`holds ${held}: byteValues must have ${needed ?? "no"} values`),
      );
    }
  }
}

/** How many rows a pool has. */
export function rowCount({ rows, rowSize }: SamplePool): number {
  return "count" in rows ? rows.count : rows.length / rowSize;
}

/** Whether the rows of a pool are bytes. */
export function isBytes({ rows }: SamplePool): boolean {
  return !(rows instanceof Float32Array);
}

/** The bytes of rows of a pool of bytes, `[numbers.length, rowSize]`; valid until the next call. */
export function takeBytes({ rows, rowSize }: SamplePool, numbers: Uint32Array): Uint8Array {
  if (rows instanceof Float32Array) throw new TypeError("The rows of this pool are no bytes");
  if (!(rows instanceof Uint8Array)) return rows.take(numbers);
  const bytes = new Uint8Array(numbers.length * rowSize);
  for (let k = 0; k < numbers.length; k++) {
    bytes.set(rows.subarray(numbers[k] * rowSize, (numbers[k] + 1) * rowSize), k * rowSize);
  }
  return bytes;
}

/** How many row numbers an input with a pool takes a step. */
export function rowsPerStep(spec: InputSpec, pool: SamplePool): number {
  return elementCount(spec.shape) / pool.rowSize;
}

/** An input with a pool, for messages. */
export interface PoolInput {
  /** How the message begins. */
  task: string;
  /** The input's name. */
  name: string;
  /** What was declared. */
  spec: InputSpec;
  /** Where its rows are. */
  pool: SamplePool;
}

/**
 * Checks the row numbers of an input with a pool.
 * @throws {TypeError} when anything else was given
 * @throws {RangeError} when the pool has no such row
 */
export function checkRows(given: StepInputs[string], { task, name, spec, pool }: PoolInput): void {
  const wanted = rowsPerStep(spec, pool);
  if (!(given instanceof Uint32Array) || given.length !== wanted) {
    throw new TypeError(
      `${task}: input "${name}" must be a Uint32Array of ${wanted} row numbers of ` +
        `its pool, found ${given?.constructor.name} of ${given?.length}`,
    );
  }
  const count = rowCount(pool);
  for (const row of given) {
    if (row >= count) {
      throw new RangeError(
        `${task}: the pool of input "${name}" has no row ${row}: it has ${count}`,
      );
    }
  }
}

/**
 * Writes the samples that are made of these rows.
 * @param out `[samples, rowSize, rowsPerSample]` flat
 * @param numbers `[samples, rowsPerSample]` flat, each below {@linkcode rowCount}
 */
export function gatherRows(out: Float32Array, pool: SamplePool, numbers: Uint32Array): void {
  const { byteValues, rowSize, rowsPerSample: parts = 1 } = pool;
  const isFile = "count" in pool.rows;
  const rows = "count" in pool.rows ? pool.rows.take(numbers) : pool.rows;
  for (let k = 0; k < numbers.length; k++) {
    const from = (isFile ? k : numbers[k]) * rowSize;
    const part = k % parts;
    const to = (k - part) * rowSize + part;
    if (byteValues) {
      for (let i = 0; i < rowSize; i++) out[to + i * parts] = byteValues[rows[from + i]];
    } else {
      for (let i = 0; i < rowSize; i++) out[to + i * parts] = rows[from + i];
    }
  }
}

/**
 * Writes an input of one step into `out`, which has its size.
 * @param given values, or row numbers where the input has a pool; checked (checks.ts)
 */
export function fillInput(
  out: Float32Array | Int32Array,
  spec: InputSpec,
  given: StepInputs[string],
): void {
  if (spec.pool) gatherRows(out as Float32Array, spec.pool, given as Uint32Array);
  else out.set(given);
}

/**
 * The values of an input of one step: those given, or those picked.
 * @param given values, or row numbers where the input has a pool; checked (checks.ts)
 */
export function inputValues(
  spec: InputSpec,
  given: StepInputs[string],
): Float32Array | Int32Array {
  if (!spec.pool) return given as Float32Array | Int32Array;
  const values = new Float32Array(elementCount(spec.shape));
  gatherRows(values, spec.pool, given as Uint32Array);
  return values;
}
