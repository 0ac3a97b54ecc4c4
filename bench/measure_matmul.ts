/**
 * How fast an engine multiplies matrices of 1024 x 1024, in a process of its own: the figure beside the
 * peer's, so that a reader sees what both compute with. Prints a JSON line.
 *
 *     deno run -A bench/measure_matmul.ts ENGINE          # onnx-web, onnx-node or webgpu
 */
import { fillUniform } from "../src/random/counter_random.ts";
import { tf } from "../src/tensor/tf.ts";
import type { HostTensors } from "../src/tensor/types.ts";
import { openBenchEngine } from "./engines.ts";

const SIDE = 1024;
const STEPS = 8;
const CALLS = 5;

const engine = await openBenchEngine(Deno.args[0]);
const matrix = (stream: number) => ({
  shape: [SIDE, SIDE],
  dtype: "float32" as const,
  data: fillUniform(new Float32Array(SIDE * SIDE), { seed: 1, stream, step: 0 }),
});
const state: HostTensors = { left: matrix(1), right: matrix(2), product: matrix(3) };
const compiled = await engine.compileStep(
  {
    inputs: {},
    step: ({ left, right }) => {
      const product = tf.matMul(left as tf.Tensor2D, right as tf.Tensor2D);
      return {
        state: { left, right, product },
        scalars: { first: tf.slice(product, [0, 0], [1, 1]) },
      };
    },
  },
  state,
  0,
);
const batches = Array.from({ length: STEPS }, () => ({}));
await compiled.run(batches, 0);
let best = Infinity;
for (let call = 1; call <= CALLS; call++) {
  const from = performance.now();
  await compiled.run(batches, call * STEPS);
  best = Math.min(best, (performance.now() - from) / STEPS);
}
console.log(JSON.stringify({ engine: Deno.args[0], gflops: 2 * SIDE ** 3 / best / 1e6 }));
Deno.exit(0);
