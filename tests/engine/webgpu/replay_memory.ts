/**
 * Replays a small step 10,500 times and prints by how many bytes the process grew in the last 10,000. A
 * process of its own: in a test runner, other tests' memory comes and goes.
 *
 * Nobody asks V8 to collect garbage: what a step leaves behind stays. (The test keeps V8's nursery small,
 * whose pages would else be touched one after another for thousands of steps.)
 */
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { tf } from "../../../src/engine/tf.ts";

/** Steps a call: those of a training run that looks at its losses a few times a second. */
const STEPS_A_CALL = 50;

const engine = await createWebGpuEngine();
const step = await engine.compileStep(
  {
    step({ w }, { x }, random) {
      const noise = tf.mul(random.normal([4, 4]), 0.001);
      const loss = (weight: tf.Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, weight)));
      const slope = tf.grad(loss)(w);
      return {
        state: { w: tf.add(tf.sub(w, tf.mul(slope, 0.01)), noise) },
        scalars: { loss: loss(w) },
      };
    },
    inputs: { x: { shape: [3, 4], dtype: "float32" } },
  },
  { w: { shape: [4, 4], dtype: "float32", data: new Float32Array(16).fill(0.1) } },
  1,
);

/** Replays from one step to another. */
async function replay(from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += STEPS_A_CALL) {
    const batches = Array.from(
      { length: STEPS_A_CALL },
      (_, k) => ({ x: new Float32Array(12).fill(k / 500) }),
    );
    await step.run(batches, first);
  }
}

await replay(0, 500);
const before = Deno.memoryUsage().rss;
await replay(500, 10_500);
console.log(Deno.memoryUsage().rss - before);
Deno.exit(0);
