import { assert } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { assertClose, assertMatchesCpu, plainNormals, runOn, test, withWebGpu } from "./helpers.ts";

/**
 * M, K, N: not multiples of a tile, single rows and columns, long sums. The presets' sizes are in
 * preset_kernels_test.ts.
 */
const SIZES = [
  [1, 1, 1],
  [3, 4, 1],
  [17, 33, 7],
  [33, 64, 68],
  [20, 36, 20],
  [2, 2048, 4],
  [4, 6400, 1],
  [36, 30, 132], // large enough for A to be turned first
  [100, 9, 20], // tiles of 28 rows where both are read across the sum
];

for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
  test(`matMul by tiles in ${tuning.family} gives the cpu backend's values`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
        let stream = 0;
        for (const [m, k, n] of SIZES) {
          for (const [ta, tb] of [[false, false], [false, true], [true, false], [true, true]]) {
            const a = plainNormals(ta ? [k, m] : [m, k], stream++);
            const b = plainNormals(tb ? [n, k] : [k, n], stream++);
            const what = `${m}x${k}x${n} ${ta ? "T" : "N"}${tb ? "T" : "N"}`;
            await assertMatchesCpu(what, [a, b], (x, y) => tf.matMul(x, y, ta, tb), 3e-6);
          }
        }
        const batches = [plainNormals([3, 5, 7], 900), plainNormals([3, 7, 6], 901)];
        await assertMatchesCpu("batches", batches, (x, y) => tf.matMul(x, y), 3e-6);
        const one = [plainNormals([3, 5, 7], 900), plainNormals([1, 9, 7], 902)];
        await assertMatchesCpu("broadcast", one, (x, y) => tf.matMul(x, y, false, true), 3e-6);
      } finally {
        backend.tuning = before;
      }
    }));
}

const { large, short, usual } = GPU_TUNING.groupTiles;
for (const tile of [large, short, ...usual]) {
  const { rows, columns, depth } = tile;
  test(`every product of matMul by tiles of ${rows}x${columns}x${depth} matches`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      try {
        let stream = 0;
        // A tile and some more: sums whole, sizes in fours; then sums in parts, sizes not in fours.
        for (
          const { targetTiles, m, k, n } of [
            { targetTiles: 1, m: rows + 4, k: 36, n: columns + 8 },
            { targetTiles: 64, m: rows + 1, k: 37, n: columns + 3 },
          ]
        ) {
          const groupTiles = { large: tile, largeProducts: 0, short: tile, usual: [tile] };
          backend.tuning = { ...GPU_TUNING, groupTiles, targetTiles, minDepth: 8 };
          for (const [ta, tb] of [[false, false], [false, true], [true, false], [true, true]]) {
            const a = plainNormals(ta ? [k, m] : [m, k], stream++);
            const b = plainNormals(tb ? [n, k] : [k, n], stream++);
            const what = `${m}x${k}x${n} ${ta ? "T" : "N"}${tb ? "T" : "N"}`;
            await assertMatchesCpu(what, [a, b], (x, y) => tf.matMul(x, y, ta, tb), 3e-6);
          }
        }
      } finally {
        backend.tuning = before;
      }
    }));
}

test("fused matMul adds bias and activation", () =>
  withWebGpu(async () => {
    const inputs = [plainNormals([5, 8], 1), plainNormals([8, 12], 2), plainNormals([12], 3)];
    const names = ["linear", "relu", "tanh", "sigmoid", "elu"] as const;
    for (const activation of names) {
      const [expected] = await runOn("cpu", inputs, (a, b, bias) => {
        const linear = tf.add(tf.matMul(a, b), bias);
        return activation === "linear" ? linear : tf[activation](linear);
      });
      const [actual] = await runOn("webgpu", inputs, (a, b, bias) =>
        tf.fused.matMul({
          a: a as tf.Tensor2D,
          b: b as tf.Tensor2D,
          bias,
          activation: activation as "relu",
        }));
      assertClose(activation, actual, expected, 1e-5);
    }
  }));

test("matMul's gradients have the cpu backend's values", () =>
  withWebGpu(async () => {
    const inputs = [plainNormals([6, 100], 1), plainNormals([100, 24], 2)];
    await assertMatchesCpu("gradients", inputs, (a, b) =>
      tf.grads((a, b) =>
        tf.sum(tf.square(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)))
      )([a, b]));
  }));

test("a NaN in a row of A makes that row of the product NaN, and no other", () =>
  withWebGpu(async () => {
    const a = plainNormals([5, 8], 1);
    (a.values as Float32Array)[8 + 3] = NaN;
    const [product] = await runOn(
      "webgpu",
      [a, plainNormals([8, 4], 2)],
      (x, y) => tf.matMul(x, y),
    );
    product.forEach((x, i) => assert(Number.isNaN(x) === (i >= 4 && i < 8), `element ${i}: ${x}`));
  }));

test("matMul with a transposed B and a long sum is right at batch 1 (stock kernel: wrong)", () =>
  withWebGpu(async () => {
    // The case of TensorFlow.js's split-K bug: K >= 2000, multiples of 4, few tiles.
    const inputs = [plainNormals([1, 2048], 5), plainNormals([160, 2048], 6)];
    await assertMatchesCpu("1x2048x160 NT", inputs, (x, y) => tf.matMul(x, y, false, true), 3e-6);
  }));
