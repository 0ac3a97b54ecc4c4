import { assert } from "@std/assert";
import { tf } from "../../../src/engine/tf.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { assertMatchesCpu, plainNormals, withWebGpu } from "./helpers.ts";

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

for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
  Deno.test(`sum, mean, max and min for ${tuning.family} match the cpu backend`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
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
      } finally {
        backend.tuning = before;
      }
    }));

  Deno.test(`reductions for ${tuning.family} keep a NaN in its own result`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
        for (const axis of [0, 1]) {
          const x = tf.tensor2d([[1, 2, 3, 4], [5, NaN, 7, 8], [9, 1, 2, 3], [4, 5, 6, 7]]);
          for (const op of ["sum", "mean", "max", "min"] as const) {
            const values = await tf[op](x, axis).data();
            values.forEach((v, i) =>
              assert(Number.isNaN(v) === (i === 1), `${op} ${axis} ${i}: ${v}`)
            );
          }
        }
      } finally {
        backend.tuning = before;
      }
    }));
}
