import { assert } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { type Case, compare, normal } from "../export/support.ts";

type T4 = tf.Tensor4D;

/** Applies a function and its gradients with respect to all inputs, pulled back from fixed numbers. */
function withGradients(fn: (...inputs: tf.Tensor[]) => tf.Tensor): Case["fn"] {
  return (given) => {
    const inputs = Object.values(given);
    const y = fn(...inputs);
    const dy = normal(y.shape, 77);
    const gradients = tf.grads(fn as (...args: tf.Tensor[]) => tf.Tensor)(inputs, dy);
    return {
      y,
      ...Object.fromEntries(gradients.map((gradient, index) => [`d${index}`, gradient])),
    };
  };
}

const CONVOLUTIONS: {
  size: [number, number];
  kernel: [number, number];
  stride: number;
  pad: "same" | "valid" | number;
}[] = [
  { size: [5, 6], kernel: [3, 3], stride: 1, pad: "same" },
  { size: [5, 6], kernel: [3, 2], stride: 1, pad: "valid" },
  { size: [8, 8], kernel: [3, 3], stride: 2, pad: "same" },
  { size: [7, 9], kernel: [3, 3], stride: 2, pad: "valid" },
  { size: [9, 8], kernel: [4, 4], stride: 2, pad: 1 },
  { size: [10, 10], kernel: [3, 3], stride: 3, pad: 0 },
  { size: [4, 4], kernel: [1, 1], stride: 1, pad: 0 },
  { size: [6, 6], kernel: [1, 1], stride: 2, pad: 0 },
  { size: [18, 17], kernel: [3, 3], stride: 1, pad: "same" },
  { size: [18, 18], kernel: [5, 5], stride: 2, pad: 2 },
];

Deno.test("convolutions and their gradients give TensorFlow.js' values", async (t) => {
  for (const { size, kernel, stride, pad } of CONVOLUTIONS) {
    const inputs = { x: normal([2, ...size, 6], 1), w: normal([...kernel, 6, 4], 2) };
    await t.step(`${size} kernel ${kernel} stride ${stride} pad ${pad}`, async () => {
      const fn = withGradients((x, w) => tf.conv2d(x as T4, w as T4, stride, pad));
      const { difference } = await compare({ fn, inputs });
      assert(difference < 3e-5, `differs by ${difference}`);
    });
  }
});

Deno.test("dilated and fused convolutions give TensorFlow.js' values", async () => {
  const inputs = { x: normal([2, 9, 8, 3], 1), w: normal([3, 3, 3, 4], 2), b: normal([4], 3) };
  const fn: Case["fn"] = ({ x, w, b }) => ({
    dilated: tf.conv2d(x as T4, w as T4, 1, "same", "NHWC", 2),
    fused: tf.fused.conv2d({
      x: x as T4,
      filter: w as T4,
      strides: 2,
      pad: "same",
      bias: b,
      activation: "leakyrelu",
      leakyreluAlpha: 0.2,
    }),
  });
  const { difference } = await compare({ fn, inputs });
  assert(difference < 1e-5, `differs by ${difference}`);
});

Deno.test("kernels that TensorFlow.js fuses or keeps for gradients give its values", async () => {
  const inputs = { x: normal([1, 4, 4, 3], 1), w: normal([3, 3, 3, 2], 2), b: normal([6], 3) };
  const run = (kernel: string, given: tf.NamedTensorMap, attributes: tf.NamedAttrMap) =>
    tf.engine().runKernel(kernel, given, attributes) as tf.Tensor;
  const { difference } = await compare({
    inputs,
    fn: ({ x, w, b }) => ({
      depthwise: tf.fused.depthwiseConv2d({
        x: x as T4,
        filter: w as T4,
        strides: 1,
        pad: "same",
        bias: b,
        activation: "relu6",
      }),
      elu: run("EluGrad", { dy: x, y: tf.elu(x) }, {}),
      enlarged: run("ResizeNearestNeighborGrad", { images: x, dy: tf.tile(x, [1, 2, 3, 1]) }, {
        alignCorners: false,
      }),
      aligned: run("ResizeNearestNeighborGrad", { images: x, dy: tf.tile(x, [1, 2, 2, 1]) }, {
        alignCorners: true,
      }),
    }),
  });
  assert(difference < 1e-5, `differs by ${difference}`);
});

Deno.test("transposed convolutions and their gradients give TensorFlow.js' values", async () => {
  for (const [kernel, stride, output] of [[4, 2, 10], [3, 2, 9], [3, 2, 10], [3, 1, 5]]) {
    const inputs = { x: normal([2, 5, 5, 3], 1), w: normal([kernel, kernel, 4, 3], 2) };
    const fn = withGradients((x, w) =>
      tf.conv2dTranspose(x as T4, w as T4, [2, output, output, 4], stride, "same")
    );
    const { difference } = await compare({ fn, inputs });
    assert(difference < 3e-5, `kernel ${kernel} stride ${stride} differs by ${difference}`);
  }
});

Deno.test("depthwise convolutions and their gradients give TensorFlow.js' values", async () => {
  const cases = [[3, 1, 1, "same"], [3, 2, 2, "same"], [2, 1, 3, "valid"], [5, 2, 1, "valid"]];
  for (const [kernel, stride, multiplier, pad] of cases as [number, number, number, "same"][]) {
    const inputs = { x: normal([2, 8, 9, 3], 1), w: normal([kernel, kernel, 3, multiplier], 2) };
    const fn = withGradients((x, w) => tf.depthwiseConv2d(x as T4, w as T4, stride, pad));
    const { difference } = await compare({ fn, inputs });
    assert(difference < 3e-5, `kernel ${kernel} stride ${stride} differs by ${difference}`);
  }
});

Deno.test("pooling and its gradients give TensorFlow.js' values", async (t) => {
  const inputs = { x: normal([2, 6, 9, 3], 1) };
  for (const [size, stride, pad] of [[2, 2, 0], [3, 3, 0], [3, 2, "valid"], [3, 1, "same"]]) {
    const options = [size, stride, pad] as [number, number, "same"];
    await t.step(`size ${size} stride ${stride} pad ${pad}`, async () => {
      const max = await compare({
        fn: withGradients((x) => tf.maxPool(x as T4, ...options)),
        inputs,
        since: 16,
      });
      assert(max.difference < 1e-6, `maxPool differs by ${max.difference}`);
      const avg = await compare({
        fn: withGradients((x) => tf.avgPool(x as T4, ...options)),
        inputs,
      });
      assert(avg.difference < 1e-6, `avgPool differs by ${avg.difference}`);
    });
  }
});

Deno.test("resizing gives TensorFlow.js' numbers, its bilinear gradient too", async (t) => {
  // Square, because TensorFlow.js' cpu kernel for the bilinear gradient swaps height and width.
  const inputs = { x: normal([2, 5, 5, 4], 1) };
  for (const size of [[10, 10], [15, 15], [7, 8], [2, 3]] as [number, number][]) {
    for (const [align, half] of [[false, false], [true, false], [false, true]]) {
      await t.step(
        `to ${size} ${align ? "aligned corners" : half ? "half pixels" : ""}`,
        async () => {
          const linear = withGradients((x) => tf.image.resizeBilinear(x as T4, size, align, half));
          // TensorFlow.js' bilinear gradient knows no half pixel centers.
          const plain: Case["fn"] = ({ x }) => tf.image.resizeBilinear(x as T4, size, align, half);
          const bilinear = await compare({ fn: half ? plain : linear, inputs });
          assert(bilinear.difference < 1e-5, `bilinear differs by ${bilinear.difference}`);
          const nearest = await compare({
            fn: ({ x }) => tf.image.resizeNearestNeighbor(x as T4, size, align, half),
            inputs,
          });
          assert(nearest.difference === 0, `nearest differs by ${nearest.difference}`);
        },
      );
    }
  }
});

Deno.test("the gradient of a nearest resize adds up what each pixel was copied to", async () => {
  // TensorFlow.js' own cpu kernel is wrong for batches of more than one: gathering is the reference.
  const cases: [[number, number], number[], number[]][] = [
    [[6, 10], [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]],
    [[3, 15], [0, 1, 2], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]],
  ];
  for (const [size, rows, columns] of cases) {
    const byResize = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as T4, size);
    const byGather = (x: tf.Tensor) =>
      tf.gather(tf.gather(x, tf.tensor1d(rows, "int32"), 1), tf.tensor1d(columns, "int32"), 2);
    const { difference } = await compare({
      fn: withGradients(byResize),
      reference: withGradients(byGather),
      inputs: { x: normal([2, 3, 5, 4], 1) },
    });
    assert(difference < 1e-6, `to ${size} differs by ${difference}`);
  }
});

Deno.test("depth to space and batch norm with given statistics give TensorFlow.js' values", async () => {
  const channels = normal([8], 5);
  const inputs = { x: normal([2, 3, 4, 8], 1), c: channels };
  const { difference } = await compare({
    inputs,
    fn: ({ x, c }) => ({
      shuffled: tf.depthToSpace(x as T4, 2),
      normalized: tf.batchNorm(
        x as T4,
        c as tf.Tensor1D,
        tf.abs(c) as tf.Tensor1D,
        c as tf.Tensor1D,
        c as tf.Tensor1D,
        1e-3,
      ),
      flat: tf.batchNorm(
        tf.reshape(x, [24, 8]) as tf.Tensor2D,
        c as tf.Tensor1D,
        tf.abs(c) as tf.Tensor1D,
      ),
    }),
  });
  assert(difference < 1e-5, `differs by ${difference}`);
});
