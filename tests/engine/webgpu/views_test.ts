import { tf } from "../../../src/tensor/tf.ts";
import { assertMatchesCpu, plainNormals, runOn, test, withWebGpu } from "./helpers.ts";
import { assertEquals } from "@std/assert";

test("slices, transpositions and tiles move the values that the cpu backend moves", () =>
  withWebGpu(async () => {
    const x = plainNormals([3, 4, 8, 5], 1);
    await assertMatchesCpu("slices", [x], (x) => [
      tf.slice(x, [1, 0, 2, 0], [2, 4, 4, 5]),
      tf.slice(x, [0, 1, 4, 0], [3, 2, 4, 5]),
      tf.slice(x, 2),
      tf.slice(x, [2, 3, 7, 4], [1, 1, 1, 1]),
    ], 0);
    await assertMatchesCpu("splits", [x], (x) => [
      ...tf.split(x, 4, 2),
      ...tf.split(x, [1, 2], 0),
      ...tf.split(x, 5, -1),
    ], 0);
    await assertMatchesCpu("transpositions", [x], (x) => [
      tf.transpose(x, [0, 2, 1, 3]),
      tf.transpose(x, [3, 2, 1, 0]),
      tf.transpose(x, [1, 0, 2, 3]),
      tf.transpose(x, [0, 1, 3, 2]),
    ], 0);
    await assertMatchesCpu("tiles", [plainNormals([3, 1, 4], 2)], (x) => [
      tf.tile(x, [1, 5, 1]),
      tf.tile(x, [2, 1, 1]),
      tf.tile(x, [1, 1, 3]),
      tf.tile(x, [2, 3, 2]),
      tf.tile(tf.reshape(x, [12]), [4]),
    ], 0);
  }));

test("nearest up-sampling and its gradient match, for a batch of two as well", () =>
  withWebGpu(async () => {
    for (const [channels, factor] of [[8, 2], [3, 2], [4, 3], [4, 1]]) {
      const x = plainNormals([2, 3, 5, channels], factor);
      const size: [number, number] = [3 * factor, 5 * factor];
      const up = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, size);
      await assertMatchesCpu(`up ${factor}`, [x], up, 0);
      // The gradient of sum(w * up(x)) is w summed over each pixel's copies.
      const weights = plainNormals([2, ...size, channels], 9);
      const [actual] = await runOn(
        "webgpu",
        [x, weights],
        (x, w) => tf.grad((x) => tf.sum(tf.mul(up(x), w)))(x),
      );
      const [expected] = await runOn(
        "cpu",
        [weights],
        (w) => tf.sum(tf.reshape(w, [6, factor, 5, factor, channels]), [1, 3]),
      );
      actual.forEach((value, i) => assertEquals(Math.abs(value - expected[i]) < 1e-5, true));
    }
  }));

test("pow has TensorFlow.js's values, negative bases and NaN included", () =>
  withWebGpu(async () => {
    const bases = { shape: [8], values: [2, -2, -2, 0, 3, NaN, -1.5, 4] };
    const powers = { shape: [8], values: [3, 3, 2, 0, -1.5, 2, 0.5, 1.5] };
    await assertMatchesCpu("pow", [bases, powers], tf.pow);
    await assertMatchesCpu(
      "pow 1.5",
      [{ shape: [4], values: [0, 1, 1e-3, 1e4] }],
      (x) => tf.pow(x, 1.5),
    );
  }));

test("running sums and products match at every length (stock kernel: wrong when reversed)", () =>
  withWebGpu(async () => {
    for (const length of [5, 9, 5, 33]) {
      await assertMatchesCpu(`${length}`, [plainNormals([2, length, 3], length)], (x) => [
        tf.cumsum(x, 1),
        tf.cumsum(x, 1, false, true),
        tf.cumsum(x, 1, true, true),
        tf.cumprod(x, 1, false, true),
        tf.cumprod(x, 1, true, false),
      ]);
    }
  }));
