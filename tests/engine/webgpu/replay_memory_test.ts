/** What replayed steps leave behind: no buffers, no tensors, no memory. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { WebGpuStep } from "../../../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { growthOf } from "../process_growth.ts";
import { normals, test, withWebGpu } from "./helpers.ts";

test("5,000 replayed steps create no buffers and keep no tensors; dispose gives all back", () =>
  withWebGpu(async (gpu) => {
    const { device } = gpu;
    const createBuffer = device.createBuffer;
    const open = new Set<GPUBuffer>();
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(device, descriptor);
      const destroy = buffer.destroy;
      buffer.destroy = () => {
        open.delete(buffer);
        destroy.call(buffer);
      };
      open.add(buffer);
      return buffer;
    };
    const tensorsBefore = tf.memory().numTensors;
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(
      {
        step: ({ w }, { x }, random) => {
          const noise = tf.mul(random.normal([4, 4]), 0.001);
          const loss = (w: tf.Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w)));
          const gradient = tf.grad(loss)(w);
          return {
            state: { w: tf.add(tf.sub(w, tf.mul(gradient, 0.01)), noise) },
            scalars: { loss: loss(w) },
          };
        },
        inputs: { x: { shape: [3, 4], dtype: "float32" } },
      },
      { w: { shape: [4, 4], dtype: "float32", data: normals([4, 4], 1) } },
      1,
    ) as WebGpuStep;
    const batches = Array.from({ length: 500 }, (_, k) => ({ x: normals([3, 4], k) }));
    await step.run(batches, 0);
    const bytes = step.executable.totalBytes;
    const buffers = open.size;
    let last = new Float32Array(0);
    for (let chunk = 1; chunk < 10; chunk++) {
      last = (await step.run(batches, 500 * chunk)).loss as Float32Array<ArrayBuffer>;
    }
    assert(last.every(Number.isFinite));
    assertEquals(open.size, buffers);
    assertEquals(step.executable.totalBytes, bytes);
    await engine.dispose();
    assertEquals(open.size, 0);
    assertEquals(tf.memory().numTensors, tensorsBefore);
    device.createBuffer = createBuffer;
  }));

test("500 replayed steps make a few objects of WebGPU and two uploads", () =>
  withWebGpu(async ({ device }) => {
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(
      {
        step: ({ w }, { x, rate }) => ({
          state: { w: tf.add(w, tf.mul(x, rate)) },
          scalars: { sum: tf.sum(w) },
        }),
        inputs: {
          x: { shape: [3], dtype: "float32" },
          rate: { shape: [], dtype: "float32" },
        },
      },
      { w: { shape: [3], dtype: "float32", data: new Float32Array(3) } },
      1,
    );
    const batches = Array.from({ length: 500 }, () => ({
      x: new Float32Array(3).fill(1),
      rate: Float32Array.of(2),
    }));
    await step.run(batches, 0);
    const counts: Record<string, number> = {};
    const counted = [
      ...["createBuffer", "createBindGroup", "createCommandEncoder"].map((name) => [device, name]),
      ...["submit", "writeBuffer"].map((name) => [device.queue, name]),
    ] as [Record<string, (...args: unknown[]) => unknown>, string][];
    const originals = counted.map(([owner, name]) => {
      const original = owner[name];
      owner[name] = (...args) => {
        counts[name] = (counts[name] ?? 0) + 1;
        return original.apply(owner, args);
      };
      return original;
    });
    const { sum } = await step.run(batches, 500);
    counted.forEach(([owner, name], k) => owner[name] = originals[k]);
    assertEquals([sum[0], sum[499]], [3000, 5994]);
    // 18 in chunks of 32 steps. A hardware GPU takes fewer a chunk where its first steps were slow, as
    // they are while pipelines are compiled; one a step would be 500.
    const { createCommandEncoder, submit, ...others } = counts;
    assertEquals(others, { writeBuffer: 2 });
    assertEquals(createCommandEncoder, submit);
    assertLess(submit, 250);
    await engine.dispose();
  }));

test("10,000 replayed steps do not grow the process, though no garbage is asked for", () =>
  withWebGpu(async () => {
    const grown = await growthOf("webgpu");
    assertLess(grown, 10e6); // one command buffer a step would leave 25 MB behind
  }));
