/**
 * The engines that keep the contract of src/engine/types.ts, and one test for each of them from one
 * case: `contract  <case>  [<engine>]`, so that the list of tests reads as a table.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { createEagerEngine } from "../../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../../src/engine/onnx/mod.ts";
import type { CompiledStep, Engine, StepProgram } from "../../../src/engine/types.ts";
import { openWebGpu } from "../../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import type { HostTensor, HostTensors } from "../../../src/tensor/types.ts";
import { tf } from "../../../src/tensor/tf.ts";

const hasAdapter = await openWebGpu() !== undefined;

/** How each engine is opened, and whether this machine can. */
const ENGINES: Record<string, { open(): Engine | Promise<Engine>; isMissing: boolean }> = {
  eager: { open: () => createEagerEngine("cpu", "the reference"), isMissing: false },
  webgpu: { open: () => createWebGpuEngine(), isMissing: !hasAdapter },
  onnx: { open: () => createOnnxEngine({ runtime: "web", threads: 1 }), isMissing: false },
};

/** Defines a test of each engine; it must leave no tensors behind. */
export function contract(title: string, test: (engine: Engine) => Promise<void>): void {
  for (const [name, { open, isMissing }] of Object.entries(ENGINES)) {
    Deno.test({
      name: `contract  ${title}  [${name}]`,
      ignore: isMissing,
      async fn() {
        const engine = await open();
        const before = tf.memory().numTensors;
        try {
          await test(engine);
        } finally {
          await engine.dispose();
        }
        assertEquals(tf.memory().numTensors, before, "tensors are left behind");
      },
    });
  }
}

/** A float32 vector. */
export function vector(...values: number[]): HostTensor {
  return { shape: [values.length], dtype: "float32", data: Float32Array.from(values) };
}

/** An int32 scalar. */
export function integer(value: number): HostTensor {
  return { shape: [], dtype: "int32", data: Int32Array.of(value) };
}

/** Adds its input to `sum`, and counts. Exact in float32 for small integers. */
export const ADDING: StepProgram = {
  inputs: { x: { shape: [3], dtype: "float32" } },
  step: ({ sum, count }, { x }) => ({
    state: { sum: tf.add(sum, x), count: tf.add(count, tf.scalar(1, "int32")) },
    scalars: { total: tf.sum(sum) },
  }),
};

/** What {@linkcode ADDING} starts with. */
export const ADDING_STATE: HostTensors = { sum: vector(1, 2, 3), count: integer(0) };

/** Compiles {@linkcode ADDING}. */
export function compileAdding(engine: Engine): Promise<CompiledStep> {
  return engine.compileStep(ADDING, ADDING_STATE, 1);
}

/** An input of that step. */
export const ONES: Record<string, Float32Array> = { x: Float32Array.of(1, 1, 1) };

/** A function of a tensor: twice its values. */
export function compileDoubling(engine: Engine) {
  return engine.compileFunction(
    ({ x }) => ({ y: tf.mul(x, 2) }),
    { x: { shape: [3], dtype: "float32" } },
  );
}

/** A class of errors. */
export type ErrorClass = new (message: string) => Error;

/** Expects a rejection with exactly this class and message. */
export async function assertRefused(
  call: () => Promise<unknown>,
  Class: ErrorClass,
  message: string,
): Promise<void> {
  const error = await assertRejects(call);
  const { name, message: found } = error as Error;
  assertEquals({ name, message: found }, { name: Class.name, message });
}
