import { assert } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import {
  GPU_TUNING,
  type KernelTuning,
  SOFTWARE_TUNING,
} from "../../../src/engine/webgpu/tuning.ts";
import { assertMatchesCpu, normals, plainNormals, runOn, test, withWebGpu } from "./helpers.ts";

type Pad = "same" | "valid" | [[0, 0], [number, number], [number, number], [0, 0]];
const sides = (top: number, bottom: number, left = top, right = bottom): Pad => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

/** batch, height, width, channels, filters, kernel height and width, stride, pad */
type Case = [number, number, number, number, number, number, number, number, Pad];

/** The presets' own sizes are in preset_kernels_test.ts. */
const CASES: Case[] = [
  [1, 1, 1, 1, 1, 1, 1, 1, "valid"],
  [2, 8, 8, 4, 8, 3, 3, 1, "same"],
  [2, 7, 5, 3, 6, 3, 2, 1, "valid"],
  [1, 9, 9, 8, 12, 3, 3, 2, sides(1, 1)],
  [1, 5, 5, 20, 24, 3, 3, 1, sides(1, 1)],
  [1, 7, 7, 4, 4, 5, 5, 3, sides(2, 1, 0, 2)],
  [1, 6, 6, 2, 5, 4, 4, 2, sides(1, 1)],
  [3, 4, 4, 8, 8, 1, 1, 1, "valid"],
];

const { large } = GPU_TUNING.groupTiles;
/** As if everything were large, and sums in parts. */
const LARGE_TUNING: KernelTuning = {
  ...GPU_TUNING,
  groupTiles: { large, largeProducts: 0, short: large, usual: [large] },
  targetTiles: 64,
  minDepth: 8,
};

/** Strides, sides that differ, channels in fours and not: what the programs of large tiles differ in. */
const LARGE_CASES = CASES.filter(([, , , , , height, , stride]) => height === 5 || stride === 2);

const TILES: [name: string, tuning: KernelTuning, cases: Case[]][] = [
  ["in registers", SOFTWARE_TUNING, CASES],
  ["of workgroups", GPU_TUNING, CASES],
  ["of workgroups, large and in parts,", LARGE_TUNING, LARGE_CASES],
];

for (const [tiles, tuning, cases] of TILES) {
  test(`conv2d and its gradients by tiles ${tiles} match the cpu backend`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
        let stream = 0;
        for (const [n, h, w, ci, co, kh, kw, stride, pad] of cases) {
          const x = plainNormals([n, h, w, ci], stream++);
          const filter = plainNormals([kh, kw, ci, co], stream++);
          const what = `${n}x${h}x${w}x${ci} * ${kh}x${kw}x${co} / ${stride} ${pad}`;
          const conv = (x: tf.Tensor, f: tf.Tensor) =>
            tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, pad);
          const [y] = await runOn("cpu", [x, filter], conv);
          const weights = normals([y.length], stream++);
          await assertMatchesCpu(what, [x, filter], (x, f) => {
            const fixed = tf.tensor(weights, conv(x, f).shape);
            const grads = tf.grads((x, f) => tf.sum(tf.mul(conv(x, f), fixed)))([x, f]);
            return [conv(x, f), ...grads];
          });
        }
      } finally {
        backend.tuning = before;
      }
    }));

  test(`dilated and transposed convolutions by tiles ${tiles} match`, () =>
    withWebGpu(async () => {
      const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
      const before = backend.tuning;
      backend.tuning = tuning;
      try {
        const x = plainNormals([2, 9, 8, 4], 1);
        const filter = plainNormals([3, 3, 4, 8], 2);
        await assertMatchesCpu(
          "dilated",
          [x, filter],
          (x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, "valid", "NHWC", 2),
        );
        for (const [kernel, stride] of [[4, 2], [3, 2], [3, 1], [5, 3]]) {
          const f = plainNormals([kernel, kernel, 6, 4], 3);
          const small = plainNormals([2, 4, 3, 4], 4);
          await assertMatchesCpu(
            `transposed ${kernel} / ${stride}`,
            [small, f],
            (x, f) =>
              tf.conv2dTranspose(
                x as tf.Tensor4D,
                f as tf.Tensor4D,
                [2, 4 * stride, 3 * stride, 6],
                stride,
                "same",
              ),
          );
        }
      } finally {
        backend.tuning = before;
      }
    }));
}

test("fused conv2d adds bias and activation", () =>
  withWebGpu(async () => {
    const inputs = [
      plainNormals([2, 5, 5, 4], 1),
      plainNormals([3, 3, 4, 8], 2),
      plainNormals([8], 3),
    ];
    for (const activation of ["linear", "relu", "elu", "sigmoid"] as const) {
      await assertMatchesCpu(activation, inputs, (x, filter, bias) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          bias,
          strides: 1,
          pad: "same",
          activation,
        }));
    }
  }));

test("a NaN in a pixel reaches the outputs whose patch has it, and no other", () =>
  withWebGpu(async () => {
    const x = plainNormals([1, 6, 6, 4], 1);
    (x.values as Float32Array)[(2 * 6 + 3) * 4] = NaN; // row 2, column 3
    const [y] = await runOn(
      "webgpu",
      [x, plainNormals([3, 3, 4, 4], 2)],
      (x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, "same"),
    );
    y.forEach((value, i) => {
      const [row, column] = [Math.floor(i / 24), Math.floor(i / 4) % 6];
      const touches = Math.abs(row - 2) <= 1 && Math.abs(column - 3) <= 1;
      assert(Number.isNaN(value) === touches, `row ${row}, column ${column}: ${value}`);
    });
  }));
