/** Open axes besides the batch: right for any length, or refused by the axis' name. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor, TensorMap } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import {
  EXPORT_DTYPES,
  exportOnnx,
  type FunctionTarget,
  type InputDimension,
} from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { graphOf } from "./networks.ts";
import { normal } from "./support.ts";

type Fn = FunctionTarget<tf.Tensor>["fn"];

await tf.setBackend("cpu");

/** Compares a file with the function at some sizes. @returns the largest difference */
async function compareAt(
  bytes: Uint8Array<ArrayBuffer>,
  fn: Fn,
  shapes: number[][],
): Promise<number> {
  await using session = await openModel(bytes);
  let largest = 0;
  for (const shape of shapes) {
    const size = shape.reduce((product, side) => product * side, 1);
    const data = fillNormal(new Float32Array(size), { seed: size, stream: 3, step: 0 });
    const x: HostTensor = { shape, dtype: "float32", data };
    const { output } = await session.run({ x });
    const expected = tf.tidy(() => fn({ x: tf.tensor(data, shape) }, noRandom) as tf.Tensor);
    assertEquals(output.shape, expected.shape, `for [${shape}]`);
    expected.dataSync().forEach((value, index) => {
      const gap = Math.abs(value - Number(output.data[index])) / Math.max(1, Math.abs(value));
      largest = Math.max(largest, Number.isNaN(gap) ? Infinity : gap);
    });
    expected.dispose();
  }
  return largest;
}

const noRandom = {
  normal: (): tf.Tensor => {
    throw new Error("draws");
  },
  uniform: (): tf.Tensor => {
    throw new Error("draws");
  },
};

const dims = ({ shape }: tf.Tensor): number[] => shape;
const image: InputDimension[] = [null, null, null, 3];
const sizes = [[1, 16, 16, 3], [2, 17, 24, 3], [1, 5, 9, 3], [3, 8, 7, 3]];
const kernel = normal([3, 3, 3, 4]) as tf.Tensor4D;
const depthwise = normal([3, 3, 3, 2], 2) as tf.Tensor4D;
const pointwise = normal([1, 1, 6, 4], 3) as tf.Tensor4D;

const SUPPORTED: Record<string, Fn> = {
  "convolution, same, stride 2": ({ x }) => tf.conv2d(x as tf.Tensor4D, kernel, 2, "same"),
  "convolution, same, stride 3 and 2": ({ x }) =>
    tf.conv2d(x as tf.Tensor4D, kernel, [3, 2], "same"),
  "convolution, valid, stride 2": ({ x }) => tf.conv2d(x as tf.Tensor4D, kernel, 2, "valid"),
  "convolution, dilated, same": ({ x }) =>
    tf.conv2d(x as tf.Tensor4D, kernel, 1, "same", "NHWC", 2),
  "two convolutions, same, stride 2": ({ x }) => {
    const half = tf.conv2d(x as tf.Tensor4D, kernel, 2, "same");
    return tf.conv2d(half, tf.transpose(kernel, [0, 1, 3, 2]) as tf.Tensor4D, 2, "same");
  },
  "depthwise convolution, same, stride 2": ({ x }) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, depthwise, 2, "same"),
  "separable convolution, same, stride 2": ({ x }) =>
    tf.separableConv2d(x as tf.Tensor4D, depthwise, pointwise, 2, "same"),
  "average pooling, same, stride 2": ({ x }) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same"),
  "maximum pooling, same, stride 2": ({ x }) => tf.maxPool(x as tf.Tensor4D, 2, 2, "same"),
  "maximum pooling, same, stride 3": ({ x }) => tf.maxPool(x as tf.Tensor4D, 3, 3, "same"),
  "average pooling, valid": ({ x }) => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid"),
  "fused convolution, same, stride 2": ({ x }) =>
    tf.fused.conv2d({
      x: x as tf.Tensor4D,
      filter: kernel,
      strides: 2,
      pad: "same",
      activation: "relu",
    }),
  "transposed convolution": ({ x }) => {
    const [batch, height, width] = x.shape;
    const shape: [number, number, number, number] = [batch, height * 2, width * 2, 4];
    const filter = tf.transpose(kernel, [0, 1, 3, 2]) as tf.Tensor4D;
    return tf.conv2dTranspose(x as tf.Tensor4D, filter, shape, 2, "same");
  },
  "nearest and bilinear resizing by 2": ({ x }) => {
    const size: [number, number] = [dims(x)[1] * 2, dims(x)[2] * 2];
    const near = tf.image.resizeNearestNeighbor(x as tf.Tensor4D, size);
    return tf.add(near, tf.image.resizeBilinear(x as tf.Tensor4D, size, false, true));
  },
  "depth to space": ({ x }) => tf.depthToSpace(tf.concat([x, x, x, x], 3) as tf.Tensor4D, 2),
  "a dense layer over pixels": ({ x }) => tf.dot(tf.reshape(x, [-1, 3]), normal([3, 5])),
  "attention over pixels": ({ x }) => {
    const rows = tf.reshape(x, [dims(x)[0], -1, 3]) as tf.Tensor3D;
    const scores = tf.softmax(tf.matMul(rows, rows, false, true));
    return tf.reshape(tf.matMul(scores, rows), x.shape);
  },
  "a mean of pixels by their number": ({ x }) => tf.div(tf.sum(x, [1, 2]), dims(x)[1] * dims(x)[2]),
  "padding, reflected": ({ x }) =>
    tf.mirrorPad(x as tf.Tensor4D, [[0, 0], [1, 2], [2, 1], [0, 0]], "reflect"),
  "a strip of the border": ({ x }) => tf.slice(x, [0, dims(x)[1] - 2, 1, 0], [-1, 2, -1, -1]),
  "the middle half": ({ x }) => {
    const half = Math.floor(dims(x)[1] / 2);
    return tf.slice(x, [0, 0, 0, 0], [-1, half, -1, -1]);
  },
  "reversal": ({ x }) => tf.reverse(x, [1, 2]),
  "zeros around": ({ x }) => tf.pad(x, [[0, 0], [1, 1], [0, 3], [0, 0]]),
  "a constant repeated over the image": ({ x }) =>
    tf.concat([x, tf.tile(tf.tensor4d([5, 6], [1, 1, 1, 2]), [...x.shape.slice(0, 3), 1])], 3),
  "a u-net": ({ x }) => {
    const low = tf.avgPool(x as tf.Tensor4D, 2, 2, "valid");
    const [, height, width] = low.shape;
    const high = tf.image.resizeNearestNeighbor(low, [height * 2, width * 2]);
    return tf.conv2d(high, kernel, 1, "same");
  },
};

for (const [name, fn] of Object.entries(SUPPORTED)) {
  Deno.test(`exportOnnx() leaves height and width open: ${name}`, async () => {
    const { bytes } = await exportOnnx({ inputs: { x: { shape: image } }, fn });
    const difference = await compareAt(bytes, fn, sizes);
    assert(difference < 1e-5, `differs by ${difference}`);
  });
}

Deno.test("exportOnnx() leaves height and width open in every precision and opset", async () => {
  const wide = normal([3, 3, 3, 16], 4) as tf.Tensor4D;
  const fn: Fn = ({ x }) => {
    const half = tf.conv2d(x as tf.Tensor4D, wide, 2, "same");
    const pooled = tf.add(tf.avgPool(half, 3, 2, "same"), tf.maxPool(half, 3, 2, "same"));
    return tf.div(pooled, pooled.shape[1] as number);
  };
  const target = { inputs: { x: { shape: image } }, fn };
  for (const dtype of EXPORT_DTYPES) {
    for (const opset of [13, 17, 21]) await exportOnnx(target, { dtype, opset }); // checked there
  }
});

Deno.test("exportOnnx() keeps no length of a trace in a file with open axes", async () => {
  for (const fn of Object.values(SUPPORTED)) {
    const graph = graphOf(
      await exportOnnx({ inputs: { x: { shape: image } }, fn }, { check: false }),
    );
    assertEquals(graph.inputs[0].dims, ["N", "H", "W", 3]);
    const { nodes, inputs, outputs, values, initializers } = graph;
    const integers = initializers.filter(({ dtype }) => dtype !== "float32").map(({ data }) =>
      Array.from(new BigInt64Array(Uint8Array.from(data as Uint8Array).buffer), Number)
    );
    const text = JSON.stringify({ nodes, inputs, outputs, values, integers });
    for (const length of [101, 211, 307, 106, 154, 422, 614]) {
      assert(!new RegExp(`[^\\d.]${length}[^\\d.]`).test(text), `${length} is in ${text}`);
    }
  }
});

Deno.test("exportOnnx() names open axes N, T, H and W, or as they are called", async () => {
  const dimsOf = async (shape: InputDimension[]) => {
    const fn: Fn = ({ x }) => tf.neg(x);
    const { inputs, outputs } = graphOf(await exportOnnx({ inputs: { x: { shape } }, fn }));
    assertEquals(inputs[0].dims, outputs[0].dims);
    return inputs[0].dims;
  };
  assertEquals(await dimsOf([null, null, 5]), ["N", "T", 5]);
  assertEquals(await dimsOf([null, null, 6, 2]), ["N", "H", 6, 2]);
  assertEquals(await dimsOf([2, null, null, 2]), [2, "H", "W", 2]);
  assertEquals(await dimsOf([null, null, null, null, 2]), ["N", "D", "H", "W", 2]);
  assertEquals(await dimsOf(["batch", "side", "side", 2]), ["batch", "side", "side", 2]);
});

Deno.test("exportOnnx() leaves height, width and time of layers models open", async () => {
  const { layers } = tf;
  const open = (...shape: (number | null)[]) => shape as number[];
  const images = tf.sequential({
    layers: [
      layers.conv2d({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        inputShape: open(null, null, 3),
      }),
      layers.batchNormalization(),
      layers.separableConv2d({ filters: 6, kernelSize: 3, strides: 2, padding: "same" }),
      layers.averagePooling2d({ poolSize: 2, strides: 2, padding: "same" }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "relu6" }),
      layers.conv2dTranspose({ filters: 5, kernelSize: 4, strides: 2, padding: "same" }),
      layers.dense({ units: 4, activation: "tanh" }),
      layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }),
      layers.zeroPadding2d({ padding: 1 }),
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
    ],
  });
  const model: Fn = ({ x }) => images.apply(x) as tf.Tensor;
  await exportOnnx(images); // compared there
  const { bytes } = await exportOnnx({ inputs: { x: { shape: image } }, fn: model });
  assert(await compareAt(bytes, model, sizes.slice(0, 2)) < 1e-5);

  const series = tf.sequential({
    layers: [
      layers.conv1d({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        inputShape: open(null, 2),
      }),
      layers.averagePooling1d({ poolSize: 2, strides: 2, padding: "same" }),
      layers.dense({ units: 3 }),
      layers.layerNormalization(),
      layers.globalMaxPooling1d(),
    ],
  });
  const exported = await exportOnnx(series);
  assertEquals(graphOf(exported).inputs[0].dims, ["N", "T", 2]);

  const flat = tf.sequential({
    layers: [
      layers.conv2d({ filters: 2, kernelSize: 3, inputShape: open(null, 8, 1) }),
      layers.reshape({ targetShape: [4, 3] }),
    ],
  });
  const error = await assertRejects(() => exportOnnx(flat), UserError);
  assertMatch(
    error.message,
    /^Cannot export with any height \(H\): .* is open, and with H = 211 the target itself fails: Total size of new array must be unchanged\.; give it: /,
  );
  const given = await exportOnnx(flat, { shapes: { [flat.inputs[0].name]: [null, 3, 8, 1] } });
  assertEquals(graphOf(given).outputs[0].dims, ["N", 4, 3]);
});

Deno.test("exportOnnx() leaves time open for 1-D convolutions, dense layers and attention", async () => {
  const filter = normal([3, 4, 5]) as tf.Tensor3D;
  const cases: Fn[] = [
    ({ x }) => tf.conv1d(x as tf.Tensor3D, filter, 1, "same"),
    ({ x }) => tf.conv1d(x as tf.Tensor3D, filter, 2, "same"),
    ({ x }) => tf.conv1d(x as tf.Tensor3D, filter, 2, "valid"),
    ({ x }) => tf.softmax(tf.matMul(x, x, false, true)),
    ({ x }) => tf.stridedSlice(x, [0, -1, 0], [0, 0, 0], [1, 1, 1], 0b101, 0b111),
    ({ x }) => tf.max(x, 1),
  ];
  for (const fn of cases) {
    const { bytes } = await exportOnnx({ inputs: { x: { shape: [null, null, 4] } }, fn });
    assert(await compareAt(bytes, fn, [[1, 7, 4], [2, 8, 4], [1, 12, 4]]) < 1e-5);
  }
});

Deno.test("exportOnnx() refuses by its name an axis that decides what runs", async () => {
  const { layers } = tf;
  const time = tf.sequential({
    layers: [layers.lstm({ units: 3, inputShape: [null, 2] as unknown as [number, number] })],
  });
  const lstm = await assertRejects(() => exportOnnx(time), UserError);
  assertMatch(lstm.message, /time \(T\) is open, and .*; give it: .*--shape/);
  const name = time.inputs[0].name;
  const { bytes, outputNames } = await exportOnnx(time, { shapes: { [name]: [null, 6, 2] } });
  const fn: Fn = ({ x }) => time.apply(x) as tf.Tensor;
  await using session = await openModel(bytes);
  const x: HostTensor = {
    shape: [2, 6, 2],
    dtype: "float32",
    data: new Float32Array(24).fill(0.3),
  };
  const { data } = (await session.run({ [name]: x }))[outputNames[0]];
  const expected = (fn({ x: tf.fill([2, 6, 2], 0.3) }, noRandom) as tf.Tensor).dataSync();
  expected.forEach((value, index) => assert(Math.abs(value - Number(data[index])) < 1e-5));

  const cases: [Fn, RegExp][] = [
    [({ x }) => dims(x)[1] > 215 ? tf.abs(x) : tf.neg(x), /height \(H\) is open, and it decides/],
    [
      ({ x }) => tf.image.resizeBilinear(x as tf.Tensor4D, [dims(x)[1], dims(x)[2] + 1], true),
      /width \(W\) is open, and/,
    ],
    [
      ({ x }) => tf.add(x, tf.reshape(tf.range(0, dims(x)[2]), [1, 1, -1, 1])),
      /width \(W\) is open, and \w+ reads other constants/,
    ],
  ];
  for (const [fn, message] of cases) {
    const error = await assertRejects(
      () => exportOnnx({ inputs: { x: { shape: image } }, fn }),
      UserError,
    );
    assertMatch(error.message, message);
  }
});

Deno.test("exportOnnx() gives axes of one name one length in all inputs", async () => {
  const shape = [null, null, null, 2];
  const target: FunctionTarget<tf.Tensor> = {
    inputs: { a: { shape }, b: { shape }, flag: { shape: [null], dtype: "int32" } },
    fn: ({ a, b, flag }: TensorMap) =>
      tf.mul(tf.add(a, b), tf.reshape(tf.cast(flag, "float32"), [-1, 1, 1, 1])),
  };
  const exported = await exportOnnx(target);
  assertEquals(exported.inputNames, ["a", "b", "flag"]);
  assertEquals(graphOf(exported).inputs.map(({ dims }) => dims), [
    ["N", "H", "W", 2],
    ["N", "H", "W", 2],
    ["N"],
  ]);
});

Deno.test("exportOnnx() says what is wrong with a shape", async () => {
  const fn: Fn = ({ x }) => tf.neg(x);
  const wrong = (shape: unknown[], shapes?: Record<string, InputDimension[]>) =>
    assertRejects(
      () => exportOnnx({ inputs: { x: { shape: shape as InputDimension[] } }, fn }, { shapes }),
      UserError,
    );
  assertMatch((await wrong([null, 0])).message, /with 0 as dimension 1 of input x/);
  assertMatch((await wrong([null, "a b"])).message, /with "a b" as dimension 1 of input x/);
  assertMatch((await wrong([null, 3], { y: [1, 3] })).message, /input y a shape.*inputs are x/);
  assertMatch(
    (await wrong([null, 3], { x: [1, 4] })).message,
    /the shape \[1, 4\].*has \[any, 3\]/,
  );
});
