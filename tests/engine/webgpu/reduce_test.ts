import { tf } from "../../../src/tensor/tf.ts";
import { assertMatchesCpu, plainNormals, testByFamily } from "./helpers.ts";

/** Shapes and axes: all, columns, rows, a middle, axes apart, one element, the presets' sizes. */
const CASES: [number[], number[] | undefined][] = [
  [[1], undefined],
  [[5], undefined],
  [[4, 1, 3], [1]],
  [[37, 12], [0]],
  [[37, 12], [1]],
  [[33, 7], [1]],
  [[3, 7, 5, 6], [0, 1, 2]],
  [[2, 8, 8, 3], [1, 2, 3]],
  [[2, 5, 4, 8], [1, 2]],
  [[4, 3, 5, 6], [0, 2]],
  [[100, 5, 20], [1]],
  [[2, 16, 16, 32], [0, 1, 2]],
  [[2000], undefined],
  [[300, 1], [0]],
  [[9000, 12], [0]], // in parts, by any adapter
  [[3, 40000], [1]],
  [[5, 700, 8], [1]],
  [[6000, 5], [1]],
];

testByFamily(
  (family) => `sum, mean, max and min for ${family} match the cpu backend`,
  async () => {
    let stream = 0;
    for (const [shape, axes] of CASES) {
      await assertMatchesCpu(
        `[${shape}] over ${axes}`,
        [plainNormals(shape, stream++)],
        (x) => [
          tf.sum(x, axes),
          tf.mean(x, axes),
          tf.max(x, axes),
          tf.min(x, axes),
          tf.sum(x, axes, true),
        ],
        3e-6,
      );
    }
  },
);
