/** Steps that the WebGPU engine alone refuses: tensors from outside, and what does not fit. */
import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../../src/errors.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { StepFunction } from "../../../src/engine/types.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { test, withWebGpu } from "./helpers.ts";

const vector = (...values: number[]) => ({
  shape: [values.length],
  dtype: "float32" as const,
  data: Float32Array.from(values),
});

test("compileStep() refuses tensors from outside, and reads on the host", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine();
    const compile = (step: StepFunction) =>
      engine.compileStep({ step, inputs: {} }, { a: vector(1, 2, 3) }, 1);
    const outside = tf.add(tf.tensor1d([1, 2, 3]), 1);
    await assertRejects(
      () => compile(({ a }) => ({ state: { a: tf.add(a, outside) }, scalars: {} })),
      Error,
      "it uses a tensor that was made outside of it",
    );
    await assertRejects(
      () => compile(({ a }) => ({ state: { a: tf.add(a, a.dataSync()[0]) }, scalars: {} })),
      Error,
      "Cannot read a tensor",
    );
    // None of this harms the device: the next step works.
    const fine = await compile(({ a }) => ({ state: { a: tf.add(a, 1) }, scalars: {} }));
    await fine.run([{}], 0);
    assertEquals([...(await fine.readState()).a.data], [2, 3, 4]);
    await engine.dispose();
  }));

test("a step that does not fit says how many bytes it needs and how many there are", () =>
  withWebGpu(async (gpu) => {
    const engine = await createWebGpuEngine({ memoryBytes: 1000 });
    const step: StepFunction = ({ a }) => ({ state: { a: tf.add(a, 1) }, scalars: {} });
    const state = { a: { shape: [300], dtype: "float32" as const, data: new Float32Array(300) } };
    const error = await assertRejects(
      () => engine.compileStep({ step, inputs: {} }, state, 1),
      UserError,
    );
    assertEquals(
      error.message,
      `The training step does not fit ${gpu.description}: it needs 1.2 kB (1216 bytes), and ` +
        `1.0 kB (1000 bytes) are available. Use a smaller batch or network.`,
    );
    // A product with this many rows has to be stored: only elementwise work and vectors are joined.
    const rows = Math.ceil(gpu.device.limits.maxStorageBufferBindingSize / 16) + 1;
    const huge: StepFunction = ({ a }) => ({
      state: { a },
      scalars: {
        x: tf.sum(tf.matMul(tf.tile(a, [4 * rows]).as2D(rows, 4), tf.tile(a, [16]).as2D(4, 4))),
      },
    });
    await assertRejects(
      () => engine.compileStep({ step: huge, inputs: {} }, { a: vector(1) }, 1),
      UserError,
      "its largest tensor needs",
    );
    await engine.dispose();
  }));

test("a step whose buffers find no memory says so, whatever fails because of it", () =>
  withWebGpu(async ({ device, description }) => {
    const engine = await createWebGpuEngine();
    const { createBindGroup, popErrorScope } = device;
    const compile = () =>
      engine.compileStep(
        { step: ({ a }) => ({ state: { a: tf.add(a, 1) }, scalars: {} }), inputs: {} },
        { a: vector(1, 2, 3) },
        1,
      );
    let outOfMemory = false;
    device.createBindGroup = () => {
      throw new Error("no such buffer");
    };
    device.popErrorScope = async () => {
      const found = await popErrorScope.call(device);
      return outOfMemory ? new Error("out of memory") as unknown as GPUError : found;
    };
    try {
      await assertRejects(compile, Error, "no such buffer");
      outOfMemory = true;
      await assertRejects(
        compile,
        UserError,
        `The training step does not fit ${description}: it needs 32 bytes, more than is available`,
      );
    } finally {
      device.createBindGroup = createBindGroup;
      device.popErrorScope = popErrorScope;
    }
    await (await compile()).dispose();
    await assertRejects(() => device.popErrorScope()); // none was left open
    await engine.dispose();
  }));
