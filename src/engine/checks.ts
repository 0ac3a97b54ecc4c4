/**
 * What every engine refuses, in the same words and with the same class of error: programs, states,
 * inputs and results that are not what was declared. An engine calls these before it does anything, so
 * that a refused call leaves everything as it was.
 *
 * A TypeError says that something has another name, shape, type or size than was declared; a RangeError
 * that a number is out of its range.
 */
import { elementCount } from "../bytes.ts";
import type { HostTensor, HostTensors, TensorMap, TensorSpec } from "../tensor/types.ts";
import { checkPools, checkRows } from "./sample_pool.ts";
import type { InputSpec, StepInputs, StepProgram } from "./types.ts";

/** A step that exchanges values with other processes needs something that does it. */
export const NO_COLLECTIVE =
  "Cannot compile the step: it averages over several processes, and its program has no collective";

/** Step numbers address random numbers, as 32 unsigned bits. */
const MAX_STEP = 2 ** 32 - 1;

/**
 * Checks a program and the state that it starts with.
 * @throws {TypeError | RangeError} see above
 */
export function checkProgram(program: StepProgram, state: HostTensors): void {
  const { constants = {}, inputs } = program;
  checkPools(inputs);
  for (const name of Object.keys(constants)) {
    if (name in inputs) {
      throw new TypeError(
        `Cannot compile the step: "${name}" is an input and a constant; give one another name`,
      );
    }
  }
  for (const [what, tensors] of [["state", state], ["constant", constants]] as const) {
    for (const [name, tensor] of Object.entries(tensors)) {
      const fault = faultOfData(tensor);
      if (fault) throw new TypeError(`Cannot compile the step: ${what} "${name}" ${fault}`);
    }
  }
}

/**
 * Checks a state that is to take the place of another.
 * @param specs the state that the step has
 * @throws {TypeError} when names, shapes, types or sizes differ
 */
export function checkState(specs: Record<string, TensorSpec>, state: HostTensors): void {
  checkTensors(specs, state, { task: "Cannot write the state", owner: "the step" });
}

/**
 * Checks the inputs of a function.
 * @param specs the inputs that were declared
 * @throws {TypeError} when names, shapes, types or sizes differ
 */
export function checkFunctionInputs(specs: Record<string, TensorSpec>, given: HostTensors): void {
  checkTensors(specs, given, { task: "Cannot run the function", owner: "it", kind: "input " });
}

/** How messages name what is checked. */
interface Words {
  task: string;
  owner: string;
  kind?: string;
}

function checkTensors(
  specs: Record<string, TensorSpec>,
  given: HostTensors,
  { task, owner, kind = "" }: Words,
): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const tensor = given[name];
    if (tensor?.dtype !== dtype || tensor.shape.join() !== shape.join()) {
      const found = tensor ? `${tensor.dtype} [${tensor.shape}]` : "nothing";
      throw new TypeError(
        `${task}: ${kind}"${name}" must be ${dtype} [${shape}], found ${found}`,
      );
    }
    const fault = faultOfData(tensor);
    if (fault) throw new TypeError(`${task}: ${kind}"${name}" ${fault}`);
  }
  for (const name of Object.keys(given)) {
    if (name in specs) continue;
    throw new TypeError(`${task}: ${owner} has no ${kind}"${name}", only ${listed(specs)}`);
  }
}

/** What is wrong with a tensor's data, or undefined. */
function faultOfData({ data, dtype, shape }: HostTensor): string | undefined {
  const Type = arrayOf(dtype);
  const size = elementCount(shape);
  if (data instanceof Type && data.length === size) return undefined;
  return `is ${dtype} [${shape}], so its data must be ${article(Type)} of ${size} values, found ` +
    `${nameOf(data)} of ${data?.length}`;
}

/**
 * Checks the inputs of steps.
 * @param inputs what the program declares
 * @throws {TypeError} when an input is missing, not declared, or of another type or size
 * @throws {RangeError} when a pool has no such row, or `firstStep` is no step
 */
export function checkBatches(
  inputs: Record<string, InputSpec>,
  batches: readonly StepInputs[],
  firstStep: number,
): void {
  const lastStep = firstStep + Math.max(0, batches.length - 1);
  if (!Number.isInteger(firstStep) || firstStep < 0 || lastStep > MAX_STEP) {
    throw new RangeError(
      `Cannot run steps ${firstStep} to ${lastStep}: their numbers must be integers from 0 to ` +
        `${MAX_STEP}`,
    );
  }
  batches.forEach((batch, index) => checkBatch(inputs, batch, firstStep + index));
}

function checkBatch(inputs: Record<string, InputSpec>, batch: StepInputs, step: number): void {
  const task = `Cannot run step ${step}`;
  for (const [name, spec] of Object.entries(inputs)) {
    const given = batch[name];
    if (given === undefined) throw new TypeError(`${task}: input "${name}" is missing`);
    if (spec.pool) {
      checkRows(given, { task, name, spec, pool: spec.pool });
      continue;
    }
    const Type = arrayOf(spec.dtype);
    const size = elementCount(spec.shape);
    if (given instanceof Type && given.length === size) continue;
    const fault = given instanceof Uint32Array
      ? "is given row numbers, and it has no pool"
      : `must be ${article(Type)} of ${size} values ([${spec.shape}]), found ` +
        `${nameOf(given)} of ${given.length}`;
    throw new TypeError(`${task}: input "${name}" ${fault}`);
  }
  for (const name of Object.keys(batch)) {
    if (name in inputs) continue;
    throw new TypeError(`${task}: it has no input "${name}", only ${listed(inputs)}`);
  }
}

/**
 * Checks what a step has returned.
 * @param specs the state that it was given
 * @throws {TypeError} when the state has other names, shapes or types, or a scalar is none
 */
export function checkStepResult(
  { state, scalars }: { state: TensorMap; scalars: TensorMap },
  specs: Record<string, TensorSpec>,
): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const next = state[name];
    if (!next) throw new TypeError(`The step does not return the state "${name}"`);
    if (next.dtype === dtype && next.shape.join() === shape.join()) continue;
    throw new TypeError(
      `The step returns the state "${name}" as ${next.dtype} [${next.shape}]: ` +
        `it was ${dtype} [${shape}]`,
    );
  }
  for (const name of Object.keys(state)) {
    if (name in specs) continue;
    throw new TypeError(
      `The step returns the state "${name}", which it was not given, only ${listed(specs)}`,
    );
  }
  for (const [name, { size, dtype }] of Object.entries(scalars)) {
    if (size === 1 && dtype === "float32") continue;
    throw new TypeError(
      `The step returns the scalar "${name}" as ${size} values of ${dtype}: expected one of float32`,
    );
  }
}

/** The names, shapes and types of host tensors. */
export function specsOf(tensors: HostTensors): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape: [...shape], dtype }]),
  );
}

function arrayOf(dtype: TensorSpec["dtype"]): typeof Float32Array | typeof Int32Array {
  return dtype === "float32" ? Float32Array : Int32Array;
}

function article(Type: typeof Float32Array | typeof Int32Array): string {
  return Type === Float32Array ? "a Float32Array" : "an Int32Array";
}

function nameOf(value: unknown): string {
  return (value as object | undefined)?.constructor.name ?? String(value);
}

/** `"a", "b"`, or `none`. */
function listed(specs: Record<string, unknown>): string {
  return Object.keys(specs).map((name) => `"${name}"`).join(", ") || "none";
}
