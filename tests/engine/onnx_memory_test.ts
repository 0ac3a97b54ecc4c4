/** What steps of the cpu engine leave behind: no memory, while they run and when they are disposed. */
import { assertLess } from "@std/assert";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { StepProgram } from "../../src/engine/types.ts";
import { growthOf } from "./process_growth.ts";

Deno.test("10,000 steps on the cpu engine do not grow the process", async () => {
  assertLess(await growthOf("onnx"), 12e6); // results that are kept would leave 24 MB
});

Deno.test("a disposed step of the cpu engine gives its memory back", async () => {
  const size = 1000; // weights of 4 MB
  const program: StepProgram = {
    inputs: { x: { shape: [2, size], dtype: "float32" } },
    step({ w }, { x }) {
      const loss = (w: tf.Tensor) => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w)));
      const gradient = tf.grad(loss)(w);
      return { state: { w: tf.sub(w, tf.mul(gradient, 0.01)) }, scalars: { loss: loss(w) } };
    },
  };
  const data = new Float32Array(size * size).fill(0.1);
  const engine = await createOnnxEngine({ threads: 1 });
  const once = async () => {
    const w = { shape: [size, size], dtype: "float32" as const, data };
    const step = await engine.compileStep(program, { w }, 1);
    await step.run([{ x: new Float32Array(2 * size).fill(0.1) }], 0);
    await step.dispose();
  };
  for (let round = 0; round < 10; round++) await once();
  const before = Deno.memoryUsage().rss;
  for (let round = 0; round < 40; round++) await once();
  const grown = Deno.memoryUsage().rss - before;
  await engine.dispose();
  assertLess(grown, 40 * data.byteLength); // each would keep its weights at least three times
});
