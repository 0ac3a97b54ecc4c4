/** Fusion, common subexpressions and views must not change a bit of any program. */
import { checkProperty } from "../../properties.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { tf } from "../../../src/tensor/tf.ts";
import type { TensorMap } from "../../../src/tensor/types.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { normals, testByFamily } from "./helpers.ts";

const [ROWS, COLUMNS] = [4, 8];

/** Steps of a program on `[4, 8]` tensors; `pick` chooses among the results so far. */
type Move = (pick: (n: number) => tf.Tensor2D, a: number, b: number) => tf.Tensor2D;

const MOVES: Record<string, Move> = {
  add: (pick, a, b) => tf.add(pick(a), pick(b)),
  mul: (pick, a, b) => tf.mul(pick(a), pick(b)),
  sub: (pick, a, b) => tf.sub(pick(a), pick(b)),
  tanh: (pick, a) => tf.tanh(pick(a)),
  relu: (pick, a) => tf.relu(pick(a)),
  scale: (pick, a) => tf.add(tf.mul(pick(a), 0.3), 0.1),
  rowMean: (pick, a, b) => tf.sub(pick(a), tf.mean(pick(b), 1, true)),
  columnSum: (pick, a, b) => tf.mul(pick(a), tf.tanh(tf.sum(tf.square(pick(b)), 0))),
  total: (pick, a, b) => tf.add(pick(a), tf.sigmoid(tf.sum(tf.mul(pick(b), pick(a))))),
  transpose: (pick, a) => tf.reshape(tf.transpose(pick(a)), [ROWS, COLUMNS]),
  matmul: (pick, a, b) =>
    tf.matMul(tf.matMul(pick(a), pick(b), false, true), tf.tanh(pick(a))) as tf.Tensor2D,
  halves: (pick, a) => {
    const [left, right] = tf.split(pick(a), 2, 1);
    return tf.concat([tf.mul(right, left), left], 1) as tf.Tensor2D;
  },
  select: (pick, a, b) => tf.where(tf.greater(pick(a), pick(b)), pick(a), tf.neg(pick(b))),
  ones: (pick, a) => tf.mul(tf.onesLike(pick(a)), tf.slice(pick(a), [0, 0], [1, 1])),
};

const program = fc.array(
  fc.record({
    move: fc.constantFrom(...Object.keys(MOVES)),
    a: fc.nat(20),
    b: fc.nat(20),
  }),
  { minLength: 2, maxLength: 14 },
);

testByFamily(
  (family) => `random programs, tuned for ${family}, give the same bits fused, unfused and eagerly`,
  async ({ tuning }) => {
    const fused = await createWebGpuEngine({ tuning });
    const unfused = await createWebGpuEngine({ fuse: false, tuning });
    const shape = [ROWS, COLUMNS];
    const spec = { shape, dtype: "float32" as const };
    await checkProperty(
      fc.asyncProperty(program, async (moves) => {
        const run = ({ x, y }: TensorMap): TensorMap => {
          const results = [x, y] as tf.Tensor2D[];
          for (const { move, a, b } of moves) {
            const pick = (n: number) => results[n % results.length];
            results.push(MOVES[move](pick, a, b));
          }
          return { last: results.at(-1)!, middle: results[Math.ceil(results.length / 2)] };
        };
        const host = (stream: number) => ({ ...spec, data: normals(shape, stream) });
        const inputs = { x: host(1), y: host(2) };
        const outputs: Record<string, number[]>[] = [];
        for (const engine of [fused, unfused]) {
          const compiled = await engine.compileFunction(run, { x: spec, y: spec });
          const { last, middle } = await compiled.run(inputs);
          outputs.push({ last: [...last.data], middle: [...middle.data] });
          await compiled.dispose();
        }
        const eager = tf.tidy(() =>
          run({ x: tf.tensor(inputs.x.data, shape), y: tf.tensor(inputs.y.data, shape) })
        );
        const [last, middle] = await Promise.all([eager.last.data(), eager.middle.data()]);
        tf.dispose(eager);
        outputs.push({ last: [...last], middle: [...middle] });
        assertEquals(outputs[0], outputs[2]);
        assertEquals(outputs[1], outputs[2]);
      }),
      { numRuns: 40, seed: 11 },
    );
    await fused.dispose();
    await unfused.dispose();
  },
);
