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
    if (rows.length === 0 || !Number.isInteger(rowCount(pool))) {
      throw new RangeError(fail(`has ${rows.length} numbers, which are no rows of ${rowSize}`));
    }
    const size = elementCount(spec.shape);
    if (size === 0 || size % (rowSize * rowsPerSample) !== 0) {
      throw new RangeError(
        fail(
          `has samples of ${rowSize * rowsPerSample} numbers, ` +
            `of which [${shape}] is not a whole number`,
        ),
      );
    }
    if (dtype !== "float32") throw new TypeError(fail(`gives float32, and the input is ${dtype}`));
    const needed = rows instanceof Uint8Array ? 256 : undefined;
    if (byteValues?.length !== needed) {
      throw new TypeError(
        fail(`holds ${rows.constructor.name}: byteValues must have ${needed ?? "no"} numbers`),
      );
    }
  }
}

/** How many rows a pool has. */
export function rowCount({ rows, rowSize }: SamplePool): number {
  return rows.length / rowSize;
}

/** How many row numbers an input with a pool takes a step. */
export function rowsPerStep(spec: InputSpec, pool: SamplePool): number {
  return elementCount(spec.shape) / pool.rowSize;
}

/** An input of one step, as the caller gave it. */
export interface GivenInput {
  /** The input's name, for messages. */
  name: string;
  /** What was declared. */
  spec: InputSpec;
  /** Values, or row numbers where the input has a pool. */
  given: StepInputs[string];
}

/**
 * The row numbers of an input with a pool.
 * @throws {TypeError} when anything else was given
 * @throws {RangeError} when the pool has no such row
 */
export function checkedRows({ name, spec, given }: GivenInput, pool: SamplePool): Uint32Array {
  const wanted = rowsPerStep(spec, pool);
  if (!(given instanceof Uint32Array) || given.length !== wanted) {
    throw new TypeError(
      `Cannot run the step: input "${name}" must be a Uint32Array of ${wanted} row numbers of ` +
        `its pool, found ${given?.constructor.name} of ${given?.length}`,
    );
  }
  const count = rowCount(pool);
  for (const row of given) {
    if (row >= count) {
      throw new RangeError(
        `Cannot run the step: the pool of input "${name}" has no row ${row}: it has ${count}`,
      );
    }
  }
  return given;
}

/**
 * Writes the samples that are made of these rows.
 * @param out `[samples, rowSize, rowsPerSample]` flat
 * @param numbers `[samples, rowsPerSample]` flat, each below {@linkcode rowCount}
 */
export function gatherRows(out: Float32Array, pool: SamplePool, numbers: Uint32Array): void {
  const { byteValues, rowSize, rows, rowsPerSample: parts = 1 } = pool;
  for (let k = 0; k < numbers.length; k++) {
    const from = numbers[k] * rowSize;
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
 * @throws {TypeError | RangeError} as {@linkcode inputValues}
 */
export function fillInput(out: Float32Array | Int32Array, input: GivenInput): void {
  const { pool } = input.spec;
  if (pool) gatherRows(out as Float32Array, pool, checkedRows(input, pool));
  else out.set(inputValues(input));
}

/**
 * The values of an input of one step: those given, or those picked.
 * @throws {TypeError} when it has a pool and is not given row numbers, or the other way round, or when
 * values are of another type or number than the input
 * @throws {RangeError} when the pool has no such row
 */
export function inputValues(input: GivenInput): Float32Array | Int32Array {
  const { name, spec, given } = input;
  const size = elementCount(spec.shape);
  if (spec.pool) {
    const values = new Float32Array(size);
    fillInput(values, input);
    return values;
  }
  const Type = spec.dtype === "float32" ? Float32Array : Int32Array;
  if (given instanceof Type && given.length === size) return given;
  const what = given instanceof Uint32Array
    ? "is given row numbers, and it has no pool"
    : `must be ${Type === Float32Array ? "a Float32Array" : "an Int32Array"} of ${size} numbers ` +
      `([${spec.shape}]), found ${given?.constructor.name} of ${given?.length}`;
  throw new TypeError(`Cannot run the step: input "${name}" ${what}`);
}
