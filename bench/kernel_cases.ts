/** The kernels that bench/webgpu_kernels.ts and bench/webgpu_tiles.ts measure, with their sizes. */
import { tf } from "../src/tensor/tf.ts";
import type { TensorMap, TensorSpec } from "../src/tensor/types.ts";

/** A kernel and what it works on. */
export interface KernelCase {
  /** For the table. */
  name: string;
  /** Shapes of what it reads. */
  inputs: Record<string, number[]>;
  /** Calls it. */
  run(tensors: TensorMap): tf.Tensor | tf.Tensor[];
  /** Floating point operations, or... */
  flops?: number;
  /** ...bytes moved. */
  bytes?: number;
}

function matmulCase(what: string, [m, k, n]: [number, number, number]): KernelCase[] {
  const product = (ta: boolean, tb: boolean): KernelCase => ({
    name: `matmul ${ta ? "T" : "N"}${tb ? "T" : "N"} ${m}x${k}x${n} (${what})`,
    inputs: { a: ta ? [k, m] : [m, k], b: tb ? [n, k] : [k, n] },
    run: ({ a, b }) => tf.matMul(a, b, ta, tb),
    flops: 2 * m * k * n,
  });
  return [product(false, false), product(false, true), product(true, false)];
}

function convCases(
  what: string,
  image: [number, number, number, number],
  kernel: [number, number, number],
): KernelCase[] {
  const [batch, height, width, channels] = image;
  const [size, stride, filters] = kernel;
  const [outHeight, outWidth] = [height, width].map((side) => Math.ceil(side / stride));
  const flops = 2 * batch * outHeight * outWidth * filters * size * size * channels;
  const attrs = {
    strides: stride,
    pad: [[0, 0], [1, 1], [1, 1], [0, 0]],
    dataFormat: "NHWC",
    dimRoundingMode: "floor",
  };
  const x = image as number[];
  const f = [size, size, channels, filters];
  const y = [batch, outHeight, outWidth, filters];
  const name = `${batch}x${height}x${width}x${channels} ${size}x${size}/${stride} ${filters}`;
  const kernelOf = (kernelName: string, tensors: TensorMap, own: Record<string, unknown> = {}) =>
    tf.engine().runKernel(
      kernelName,
      tensors,
      { ...attrs, ...own } as unknown as tf.NamedAttrMap,
    ) as tf.Tensor;
  return [{
    name: `conv ${name} (${what})`,
    inputs: { x, filter: f },
    run: (t) => kernelOf("Conv2D", t, { dilations: 1 }),
    flops,
  }, {
    name: `conv input gradient ${name}`,
    inputs: { dy: y, filter: f },
    run: (t) => kernelOf("Conv2DBackpropInput", t, { inputShape: x }),
    flops,
  }, {
    name: `conv filter gradient ${name}`,
    inputs: { x, dy: y },
    run: (t) => kernelOf("Conv2DBackpropFilter", t, { filterShape: f }),
    flops,
  }];
}

const MEGA = 1 << 20;
const [parameter, moment] = [[784, 1024], [784, 1024]];
/** What is measured: large sizes, and those of presets. */
export const KERNEL_CASES: readonly KernelCase[] = [
  ...matmulCase("large", [1024, 1024, 1024]),
  ...matmulCase("mnist-mlp D", [64, 784, 1024]),
  ...matmulCase("mnist-mlp G", [32, 512, 1024]),
  ...matmulCase("ring-2d G", [100, 400, 400]),
  ...matmulCase("ring-2d D", [200, 200, 1000]),
  ...matmulCase("cifar-dcgan G", [32, 100, 8192]),
  ...convCases("cifar-dcgan G", [32, 16, 16, 128], [3, 1, 128]),
  ...convCases("cifar-dcgan G", [32, 32, 32, 128], [3, 1, 64]),
  ...convCases("cifar-dcgan G", [32, 32, 32, 64], [3, 1, 3]),
  ...convCases("cifar-dcgan D", [32, 32, 32, 3], [3, 2, 32]),
  ...convCases("cifar-dcgan D", [32, 16, 16, 32], [3, 2, 64]),
  ...convCases("cifar-dcgan D", [32, 9, 9, 64], [3, 2, 128]),
  ...convCases("cifar-dcgan D", [32, 5, 5, 128], [3, 1, 256]),
  {
    name: "add, 4 MB each",
    inputs: { a: [MEGA], b: [MEGA] },
    run: ({ a, b }) => tf.add(a, b),
    bytes: 12 * MEGA,
  },
  {
    name: "fused tanh(a * b + a), 4 MB each",
    inputs: { a: [MEGA], b: [MEGA] },
    run: ({ a, b }) => tf.tanh(tf.add(tf.mul(a, b), a)),
    bytes: 12 * MEGA,
  },
  {
    name: "Adam of [784, 1024]",
    inputs: { param: parameter, grad: parameter, m: moment, v: moment, hyper: [5] },
    run: ({ param, grad, m, v, hyper }) => {
      const number = (k: number) => tf.slice(hyper, k, 1);
      const first = tf.add(tf.mul(m, number(0)), tf.mul(grad, number(1)));
      const second = tf.add(tf.mul(v, number(2)), tf.mul(tf.square(grad), number(3)));
      const move = tf.div(tf.mul(first, number(4)), tf.add(tf.sqrt(second), 1e-8));
      return [tf.sub(param, move), first, second];
    },
    bytes: 28 * 784 * 1024,
  },
  {
    name: "column sums of [32768, 64]",
    inputs: { a: [32768, 64] },
    run: ({ a }) => tf.sum(a, 0),
    bytes: 8 * MEGA,
  },
  {
    name: "sum of squares of [8, 131072] over rows",
    inputs: { a: [8, 131072] },
    run: ({ a }) => tf.sum(tf.square(a), 1),
    bytes: 4 * MEGA,
  },
  {
    name: "up-sampling [32, 16, 16, 128] by 2",
    inputs: { a: [32, 16, 16, 128] },
    run: ({ a }) => tf.image.resizeNearestNeighbor(a as tf.Tensor4D, [32, 32]),
    bytes: 4 * 32 * 16 * 16 * 128 * 5,
  },
];

/** Shapes and types of a case's inputs. */
export function inputSpecs({ inputs }: KernelCase): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, shape]) => [key, { shape, dtype: "float32" }]),
  );
}

/** A case as a function of tensors. */
export function functionOf({ run }: KernelCase): (tensors: TensorMap) => TensorMap {
  return (tensors) => Object.fromEntries([run(tensors)].flat().map((y, k) => [`y${k}`, y]));
}
