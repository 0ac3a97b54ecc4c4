import { assertEquals } from "@std/assert";
import { groupedConv2d } from "../../../src/tensor/grouped_conv.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { WebGpuFunction } from "../../../src/engine/webgpu/compiled_function.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { GPU_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { assertMatchesCpu, normals, plainNormals, runOn, test, withTuning } from "./helpers.ts";

/** batch, height, width, channels, filters, groups, kernel, stride, padding */
const CASES: [number, number, number, number, number, number, number, number, number][] = [
  [2, 6, 5, 8, 8, 2, 3, 1, 1],
  [1, 5, 5, 6, 9, 3, 3, 1, 1], // 2 channels and 3 filters a group: no fours
  [2, 7, 7, 16, 8, 4, 3, 2, 1],
  [1, 4, 4, 12, 12, 12, 3, 1, 1], // a channel a group
  [3, 8, 8, 32, 64, 2, 4, 2, 1],
];

for (const parts of [1, 8]) {
  const title = `groupedConv2d() on GPUs, sums in up to ${parts} parts, has the values and both ` +
    "derivatives of its groups by themselves";
  test(
    title,
    () =>
      withTuning({ ...GPU_TUNING, targetTiles: parts, minDepth: 8 }, async () => {
        let stream = 0;
        for (const [n, height, width, channels, filters, groups, size, strides, p] of CASES) {
          const pad: [[0, 0], [number, number], [number, number], [0, 0]] = [
            [0, 0],
            [p, p],
            [p, p],
            [0, 0],
          ];
          const conv = (x: tf.Tensor, filter: tf.Tensor) =>
            groupedConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { groups, strides, pad });
          const inputs = [
            plainNormals([n, height, width, channels], stream++),
            plainNormals([size, size, channels / groups, filters], stream++),
          ];
          const [y] = await runOn("cpu", inputs, conv);
          const weights = normals([y.length], stream++);
          const what = `${n}x${height}x${width}x${channels} to ${filters} in ${groups} groups`;
          await assertMatchesCpu(what, inputs, (x, filter) => {
            const fixed = tf.tensor(weights, conv(x, filter).shape);
            // Not linear in x, so that no second derivative vanishes.
            const loss = (x: tf.Tensor, filter: tf.Tensor) => {
              const y = conv(x, filter);
              return tf.sum(tf.mul(tf.square(y), fixed)) as tf.Scalar;
            };
            const squaredGradient = (x: tf.Tensor, filter: tf.Tensor) =>
              tf.sum(tf.square(tf.grad((x) => loss(x, filter))(x))) as tf.Scalar;
            return [
              conv(x, filter),
              ...tf.grads(loss)([x, filter]),
              ...tf.grads(squaredGradient)([x, filter]),
            ];
          }, 2e-5);
        }
      }),
  );
}

test("a convolution of groups, and each of its gradients, is one kernel on GPUs", () =>
  withTuning(GPU_TUNING, async () => {
    const engine = await createWebGpuEngine({ tuning: GPU_TUNING });
    const conv = (x: tf.Tensor, filter: tf.Tensor) =>
      groupedConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, {
        groups: 16,
        strides: 1,
        pad: [[0, 0], [1, 1], [1, 1], [0, 0]],
      });
    const specs = {
      x: { shape: [2, 4, 4, 64], dtype: "float32" as const },
      filter: { shape: [3, 3, 4, 64], dtype: "float32" as const },
    };
    const dispatches = async (fn: (x: tf.Tensor, filter: tf.Tensor) => tf.Tensor) => {
      const compiled = await engine.compileFunction(
        ({ x, filter }) => ({ y: fn(x, filter) }),
        specs,
      ) as WebGpuFunction;
      return compiled.executable.dispatchCount;
    };
    assertEquals(await dispatches(conv), 1);
    const linear = (x: tf.Tensor, filter: tf.Tensor) => tf.sum(conv(x, filter)) as tf.Scalar;
    // The gradient of a sum is ones, which a kernel has to write first; the filter's is in parts.
    assertEquals(await dispatches((x, filter) => tf.grad((x) => linear(x, filter))(x)), 2);
    assertEquals(await dispatches((x, filter) => tf.grad((f) => linear(x, f))(filter)), 2);
    await engine.dispose();
  }));
