/**
 * Runs a small step 10,500 times on an engine, "webgpu" or "onnx" by the argument, and prints by how many
 * bytes the process grew in the last 10,000. A process of its own: in a test runner, other tests' memory
 * comes and goes.
 *
 * Nobody asks V8 to collect garbage: what a step leaves behind stays. (The tests keep V8's nursery small,
 * whose pages would else be touched one after another for thousands of steps.)
 */
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { tf } from "../../src/tensor/tf.ts";

/** Steps a call: a WebGPU engine waits at least 10 ms at the end of each. */
const STEPS_A_CALL = Deno.args[0] === "webgpu" ? 50 : 10;

/** The weights have 40 kB. */
const SIZE = 100;

const engine = Deno.args[0] === "webgpu"
  ? await createWebGpuEngine()
  : await createOnnxEngine({ threads: 1 });
const step = await engine.compileStep(
  {
    step({ w }, { x }, random) {
      const noise = tf.mul(random.normal([SIZE, SIZE]), 0.001);
      const loss = (weight: tf.Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, weight)));
      const gradient = tf.grad(loss)(w);
      return {
        state: { w: tf.add(tf.sub(w, tf.mul(gradient, 0.01)), noise) },
        scalars: { loss: loss(w) },
      };
    },
    inputs: { x: { shape: [3, SIZE], dtype: "float32" } },
  },
  { w: { shape: [SIZE, SIZE], dtype: "float32", data: new Float32Array(SIZE ** 2).fill(0.1) } },
  1,
);

/** Runs the steps from one to another. */
async function run(from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += STEPS_A_CALL) {
    const batches = Array.from(
      { length: STEPS_A_CALL },
      (_, k) => ({ x: new Float32Array(3 * SIZE).fill(k / 500) }),
    );
    await step.run(batches, first);
  }
}

await run(0, 500);
const before = Deno.memoryUsage().rss;
await run(500, 10_500);
console.log(Deno.memoryUsage().rss - before);
Deno.exit(0);
