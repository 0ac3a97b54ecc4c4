/**
 * Replays a small step 12,500 times and prints how many bytes the process grew by in the last 10,000. A
 * process of its own: in a test runner, other tests' memory comes and goes.
 *
 * A replayed step leaves a few wrapper objects of WebGPU behind, which hold native memory until V8 next
 * collects them; so garbage is collected as the steps go.
 */
import v8 from "node:v8";
import vm from "node:vm";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { tf } from "../../../src/engine/tf.ts";

v8.setFlagsFromString("--expose-gc");
const collect: () => void = vm.runInNewContext("gc");

function rss(): number {
  collect();
  return Deno.memoryUsage().rss;
}

/** 500 steps, and away with their garbage: otherwise the heap grows until V8 looks after it. */
async function runChunk(chunk: number): Promise<void> {
  await step.run(batches, 500 * chunk);
  collect();
}

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
const batches = Array.from({ length: 500 }, (_, k) => ({ x: new Float32Array(12).fill(k / 500) }));
for (let chunk = 0; chunk < 5; chunk++) await runChunk(chunk);
const before = rss();
for (let chunk = 5; chunk < 25; chunk++) await runChunk(chunk);
console.log(rss() - before);
Deno.exit(0);
