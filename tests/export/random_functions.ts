/**
 * Random functions of images and vectors, by seed: open height and width, several inputs, slices of all kinds.
 * What TensorFlow.js itself refuses at a size is not drawn.
 */
import { tf } from "../../src/tensor/tf.ts";
import type { TensorMap } from "../../src/tensor/types.ts";
import type { FunctionTarget } from "../../src/export/mod.ts";
import { pcg4d } from "../../src/random/counter_random.ts";
import { normal } from "./support.ts";

/** A function, and the names of what it does. */
export interface RandomFunction {
  target: FunctionTarget<tf.Tensor>;
  steps: string[];
}

type Step = (x: tf.Tensor4D, other: tf.Tensor4D) => tf.Tensor4D;

const CHANNELS = 3;

/** Draws the function of a seed. */
export function randomFunction(seed: number): RandomFunction {
  let drawn = 0;
  const integer = (low: number, high: number): number =>
    low + pcg4d(drawn++, 0, 1, seed)[0] % (high - low + 1);
  const pick = <T>(items: readonly T[]): T => items[integer(0, items.length - 1)];
  const filter = (...shape: number[]) => tf.mul(normal(shape, seed + integer(1, 99)), 0.4);
  const pad = (): "same" | "valid" => pick(["same", "same", "valid"]);

  /** Each gives an image of as many channels, of at least a few pixels. */
  const steps: Record<string, () => Step> = {
    convolution: () => {
      const [size, stride, padding] = [integer(1, 3), integer(1, 2), pad()];
      const w = filter(size, size, CHANNELS, CHANNELS) as tf.Tensor4D;
      return (x) => tf.conv2d(x, w, stride, padding);
    },
    "dilated convolution": () => {
      const w = filter(2, 3, CHANNELS, CHANNELS) as tf.Tensor4D;
      return (x) => tf.conv2d(x, w, 1, "same", "NHWC", 2);
    },
    depthwise: () => {
      const [size, stride, padding] = [integer(2, 3), integer(1, 2), pad()];
      const w = filter(size, size, CHANNELS, 1) as tf.Tensor4D;
      return (x) => tf.depthwiseConv2d(x, w, stride, padding);
    },
    "transposed convolution": () => {
      const w = filter(3, 3, CHANNELS, CHANNELS) as tf.Tensor4D;
      return (x) => {
        const [batch, height, width] = x.shape;
        return tf.conv2dTranspose(x, w, [batch, height * 2, width * 2, CHANNELS], 2, "same");
      };
    },
    pooling: () => {
      const [size, stride, padding, isMean] = [integer(2, 3), integer(1, 2), pad(), integer(0, 1)];
      return (x) =>
        isMean ? tf.avgPool(x, size, stride, padding) : tf.maxPool(x, size, stride, padding);
    },
    resize: () => {
      const isLinear = integer(0, 1);
      return (x) => {
        const size: [number, number] = [x.shape[1] * 2, x.shape[2] * 2];
        return isLinear
          ? tf.image.resizeBilinear(x, size, false, true)
          : tf.image.resizeNearestNeighbor(x, size);
      };
    },
    slice: () => {
      const [top, left] = [integer(0, 2), integer(0, 2)];
      return (x) => tf.slice(x, [0, top, left, 0], [-1, -1, -1, -1]) as tf.Tensor4D;
    },
    "strided slice": () => {
      const strides = [1, pick([1, 2, -1]), pick([1, 2, -2]), pick([1, -1])];
      const masks = 0b1111;
      return (x) =>
        tf.stridedSlice(x, [0, 0, 0, 0], [0, 0, 0, 0], strides, masks, masks) as tf.Tensor4D;
    },
    "chosen row": () => {
      const [row, axis] = [pick([0, 1, -1]), pick([1, 2])];
      const mask = 1 << axis;
      return (x) => {
        const begin = x.shape.map((_, index) => index === axis ? row : 0);
        const line = tf.stridedSlice(
          x,
          begin,
          [0, 0, 0, 0],
          [1, 1, 1, 1],
          15 - mask,
          15 - mask,
          0,
          0,
          mask,
        );
        return tf.add(x, tf.expandDims(line, axis)) as tf.Tensor4D;
      };
    },
    padding: () => {
      const sides: [number, number][] = [[0, 0], [integer(0, 2), 1], [1, integer(0, 2)], [0, 0]];
      const isMirrored = integer(0, 1);
      return (x) =>
        (isMirrored ? tf.mirrorPad(x, sides, "reflect") : tf.pad(x, sides)) as tf.Tensor4D;
    },
    attention: () => (x) => {
      const rows = tf.reshape(x, [x.shape[0], -1, CHANNELS]) as tf.Tensor3D;
      const shares = tf.softmax(tf.mul(tf.matMul(rows, rows, false, true), 0.1));
      return tf.add(x, tf.reshape(tf.matMul(shares, rows), x.shape)) as tf.Tensor4D;
    },
    "dense over pixels": () => {
      const w = filter(CHANNELS, CHANNELS) as tf.Tensor2D;
      return (x) =>
        tf.reshape(
          tf.matMul(tf.reshape(x, [-1, CHANNELS]) as tf.Tensor2D, w),
          x.shape,
        ) as tf.Tensor4D;
    },
    "instance norm": () => (x) => {
      const { mean, variance } = tf.moments(x, [1, 2], true);
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.1))) as tf.Tensor4D;
    },
    "depth to space": () => (x) =>
      tf.depthToSpace(tf.concat([x, x, tf.neg(x), x], 3) as tf.Tensor4D, 2),
    "the other input": () => (x, other) => {
      const mean = tf.mean(other, [1, 2], true);
      return tf.add(x, mean) as tf.Tensor4D;
    },
    activation: () => {
      const fn = pick([tf.relu, tf.tanh, tf.sigmoid, tf.elu, tf.softplus]);
      return (x) => fn(x) as tf.Tensor4D;
    },
    reversal: () => {
      const axis = pick([1, 2, 3]);
      return (x) => tf.reverse(x, axis);
    },
  };
  const names = Array.from({ length: integer(2, 6) }, () => pick(Object.keys(steps)));
  const chosen = names.map((name) => steps[name]());
  const shape = [null, null, null, CHANNELS];
  const flat = integer(0, 2);
  return {
    steps: names,
    target: {
      inputs: { a: { shape }, b: { shape: ["N", "H_b", 5, CHANNELS] }, scale: { shape: [null] } },
      fn({ a, b, scale }: TensorMap) {
        const image = chosen.reduce((x, step) => step(x, b as tf.Tensor4D), a as tf.Tensor4D);
        const scaled = tf.mul(image, tf.reshape(scale, [-1, 1, 1, 1]));
        const means = tf.mean(scaled, flat === 0 ? [1, 2] : flat === 1 ? [2] : [1, 2, 3]);
        return { scaled, means };
      },
    },
  };
}
