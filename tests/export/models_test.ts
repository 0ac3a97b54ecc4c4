/** Models and functions of TensorFlow.js: taken, or refused in words that help; never touched. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import {
  checkParity,
  exportOnnx,
  type ExportOptions,
  type FunctionTarget,
} from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { graphOf } from "./networks.ts";
import { compare, normal } from "./support.ts";

type Fn = FunctionTarget<tf.Tensor>["fn"];

const { layers } = tf;

await tf.setBackend("cpu");

Deno.test("exportOnnx() writes strided slices with every mask", async () => {
  const x = normal([4, 5, 6]);
  const slices: [begin: number[], end: number[], strides: number[], ...masks: number[]][] = [
    [[0, 1, 0], [4, 2, 6], [1, 1, 1], 0, 0, 0, 0, 0b010], // x[:, 1]
    [[1, 1, 2], [0, 0, 0], [1, 1, 1], 0, 0, 0, 0, 0b111], // x[1, 1, 2]
    [[-1, 0, 0], [0, 0, 0], [1, 1, 1], 0b110, 0b110, 0, 0, 0b001], // x[-1]
    [[3, -1, 0], [0, 0, 6], [-1, -2, 3], 0, 0, 0, 0, 0],
    [[0, 0, 0], [0, 0, 0], [-1, 1, 2], 0b111, 0b111, 0, 0, 0], // x[::-1, :, ::2]
    [[0, 2], [0, 4], [1, 1], 0, 0, 0b01, 0, 0], // x[..., 2:4]
    [[0, 2], [0, 3], [1, 1], 0, 0, 0b01, 0, 0b10], // x[..., 2]
    [[0, 0, 1], [0, 0, 3], [1, 1, 1], 0, 0, 0b010, 0b001, 0], // x[newaxis, ..., 1:3]
    [[1, 0, 0], [0, 0, 0], [1, 1, 1], 0, 0, 0b100, 0b010, 0b001], // x[1, newaxis, ...]
    [[1, 1], [3, 4], [1, 2], 0b10, 0b01, 0, 0, 0],
  ];
  for (const [begin, end, strides, ...masks] of slices) {
    const { difference } = await compare({
      inputs: { x },
      fn: ({ x }) => tf.stridedSlice(x, begin, end, strides, ...masks),
    });
    assertEquals(difference, 0, `[${begin}] [${end}] [${strides}] ${masks}`);
  }
});

/** What a model gives for a fixed input, and where its weights lie. */
function stateOf(model: tf.LayersModel, x: tf.Tensor): unknown {
  const { tensorInfo } = tf.engine().state;
  return {
    output: [...(model.predict(x) as tf.Tensor).dataSync()],
    weights: model.weights.map((weight) => {
      const { dataId } = weight.read() as unknown as { dataId: object };
      const { backend } = tensorInfo.get(dataId)!;
      return { dataId, backend };
    }),
  };
}

Deno.test("exportOnnx() never touches a model, whether it succeeds or fails", async () => {
  const model = tf.sequential({
    layers: [
      layers.dense({ units: 4, inputShape: [3], name: "first" }),
      layers.batchNormalization({ name: "norm" }),
    ],
  });
  const x = normal([2, 3]);
  const before = stateOf(model, x);
  const keys = model.layers.map((layer) => Object.keys(layer).sort());
  await exportOnnx(model);
  assertEquals(stateOf(model, x), before);

  const inputs = { x: { shape: [null, 3] } };
  const training: Fn = ({ x }) => model.apply(x, { training: true }) as tf.Tensor;
  const error = await assertRejects(() => exportOnnx({ inputs, fn: training }), UserError);
  assertMatch(error.message, /changes its model: layer norm updates its variable norm\/moving_/);
  assertMatch(error.message, /apply it with training: false$/);
  assertEquals(stateOf(model, x), before);

  const failing: Fn = ({ x }) => tf.tensor(tf.sum(model.apply(x) as tf.Tensor).arraySync());
  await assertRejects(
    () => exportOnnx({ inputs, fn: failing }),
    UserError,
    "reads tensors on the host",
  );
  assertEquals(stateOf(model, x), before);
  assertEquals(model.layers.map((layer) => Object.keys(layer).sort()), keys);

  // Guards are off again: training works.
  model.apply(x, { training: true });
  assert(stateOf(model, x) !== before);
});

Deno.test("exportOnnx() says what to use instead of predict", async () => {
  const model = tf.sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
  const fn: Fn = ({ x }) => model.predict(x) as tf.Tensor;
  const error = await assertRejects(
    () => exportOnnx({ inputs: { x: { shape: [null, 3] } }, fn }),
    UserError,
  );
  assertMatch(error.message, /calls predict of model .*use model\.apply\(x\).*or pass the model/);
});

Deno.test("exportOnnx() says who draws random numbers, and where to draw them", async () => {
  const draws: [name: string, fn: Fn][] = [
    ["tf.randomNormal", ({ x }) => tf.add(x, tf.randomNormal([1, 3]))],
    ["tf.randomNormal", ({ x }) => tf.add(x, tf.randomNormal(x.shape))],
    ["tf.randomNormal", ({ x }) => tf.add(x, tf.mul(tf.randomNormal([3]), 2))],
    ["tf.randomUniform", ({ x }) => tf.add(x, tf.randomUniform([1]))],
    ["tf.truncatedNormal", ({ x }) => tf.add(x, tf.truncatedNormal([1, 3]))],
    ["tf.dropout", ({ x }) => tf.dropout(x, 0.5)],
    ["tf.multinomial", ({ x }) => tf.multinomial(x as tf.Tensor2D, 2)],
  ];
  for (const [name, fn] of draws) {
    for (const batch of [null, 2]) {
      const error = await assertRejects(
        () => exportOnnx({ inputs: { x: { shape: [batch, 3] } }, fn }),
        UserError,
      );
      assertMatch(error.message, /draws? random numbers itself.*second argument/);
      assert(error.message.includes(name), error.message);
    }
  }
  // Seeded, they are constants.
  const { inputNames } = await exportOnnx({
    inputs: { x: { shape: [null, 3] } },
    fn: ({ x }: Record<string, tf.Tensor>) =>
      tf.add(x, tf.randomNormal([1, 3], 0, 1, "float32", 7)),
  });
  assertEquals(inputNames, ["x"]);
});

Deno.test("exportOnnx() runs the finished file against the function, unless it shall not", async () => {
  let calls = 0;
  // Impure in a way that the traces do not see: only the calls after them differ.
  const fn: Fn = ({ x }) => calls++ < 2 ? tf.neg(x) : tf.abs(x);
  const target = { inputs: { x: { shape: [null, 3] } }, fn };
  const error = await assertRejects(() => exportOnnx(target), UserError);
  assertMatch(
    error.message,
    /output output differs from the target's by up to .* at batch size \(N\) 1, more than the allowed/,
  );
  calls = 0;
  assertEquals((await exportOnnx(target, { check: false })).nodes, 1);

  const seen: number[][] = [];
  const watched: Fn = ({ x }) => {
    seen.push(x.shape);
    return tf.neg(x);
  };
  await exportOnnx({ inputs: { x: { shape: [null, null, null, 2] } }, fn: watched });
  assertEquals(seen.slice(-2), [[1, 24, 17, 2], [2, 17, 24, 2]]);
});

/** The generator of tfjs-examples' mnist-acgan in small: z and a class as float32 `[N, 1]`. */
function acgan(): tf.LayersModel {
  const core = tf.sequential({
    layers: [
      layers.dense({ units: 4 * 4 * 3, inputShape: [6], activation: "relu" }),
      layers.reshape({ targetShape: [4, 4, 3] }),
      layers.conv2dTranspose({ filters: 1, kernelSize: 5, strides: 2, padding: "same" }),
    ],
  });
  const latent = tf.input({ shape: [6], name: "z" });
  const imageClass = tf.input({ shape: [1], name: "imageClass" });
  const embedded = layers.embedding({ inputDim: 10, outputDim: 6 }).apply(imageClass);
  const flat = layers.flatten().apply(embedded) as tf.SymbolicTensor;
  const h = layers.multiply().apply([latent, flat]) as tf.SymbolicTensor;
  return tf.model({ inputs: [latent, imageClass], outputs: core.apply(h) as tf.SymbolicTensor });
}

Deno.test("exportOnnx() takes the ACGAN of tfjs-examples, whose label is float32", async () => {
  const model = acgan();
  const classNames = [..."0123456789"];
  for (
    const generator of [{ classNames }, { classNames, label: "imageClass", latent: "z" }]
  ) {
    const exported = await exportOnnx(model, { generator });
    assertEquals(graphOf(exported).inputs.map(({ name, dtype }) => [name, dtype]), [
      ["latent", "float32"],
      ["label", "int64"],
    ]);
    assertEquals(exported.manifest.classNames, classNames);
    await checkParity(exported, async (latents, labels) => {
      const z = tf.tensor(latents.data, latents.shape);
      const column = tf.tensor2d(Float32Array.from(labels!), [labels!.length, 1]);
      const output = model.predict([z, column]) as tf.Tensor;
      return { shape: output.shape, dtype: "float32", data: await output.data() as Float32Array };
    }, { tolerance: 1e-5, count: 10 });
  }
  const unnamed = await assertRejects(() => exportOnnx(model, { generator: {} }), UserError);
  assertMatch(unnamed.message, /without the classes: give classNames|say which is which/);
});

Deno.test("exportOnnx() takes one-hot labels and further inputs by name", async () => {
  const w = normal([8, 4]);
  const target: FunctionTarget<tf.Tensor> = {
    inputs: {
      z: { shape: [null, 2] },
      kind: { shape: [null, 3] },
      style: { shape: [null, 3] },
      strength: { shape: [null] },
    },
    fn: ({ z, kind, style, strength }) =>
      tf.mul(
        tf.matMul(tf.concat([z, kind, style], 1) as tf.Tensor2D, w as tf.Tensor2D),
        tf.reshape(strength, [-1, 1]),
      ),
  };
  const generator = { latent: "z", label: "kind" };
  const exported = await exportOnnx(target, { generator });
  const { manifest } = exported;
  assertEquals(exported.inputNames, ["latent", "label", "style", "strength"]);
  assertEquals(manifest.classNames, ["0", "1", "2"]);
  assertEquals(manifest.conditions, [
    { name: "style", dtype: "float32", shape: [3] },
    { name: "strength", dtype: "float32", shape: [] },
  ]);
  await using session = await openModel(exported.bytes);
  const of = (shape: number[], ...data: number[]): HostTensor => ({
    shape,
    dtype: "float32",
    data: Float32Array.from(data),
  });
  const { sample } = await session.run({
    latent: of([1, 2], 1, 2),
    label: { shape: [1], dtype: "int32", data: Int32Array.of(2) },
    style: of([1, 3], 3, 4, 5),
    strength: of([1], 0.5),
  });
  const row = tf.tensor2d([[1, 2, 0, 0, 1, 3, 4, 5]]);
  const expected = tf.mul(tf.matMul(row, w as tf.Tensor2D), 0.5).dataSync();
  expected.forEach((value, index) => assert(Math.abs(value - Number(sample.data[index])) < 1e-5));

  const refused: [ExportOptions["generator"], RegExp][] = [
    [{}, /it takes z: float32 \[N, 2\]; .*say which is which with generator: \{ latent: "z"/],
    [{ latent: "zz" }, /with input zz as the latent: the inputs are z/],
    [{ latent: "z", label: "y" }, /with input y as the label/],
    [{ latent: "strength" }, /it takes z: float32/],
  ];
  for (const [options, message] of refused) {
    const error = await assertRejects(() => exportOnnx(target, { generator: options }), UserError);
    assertMatch(error.message, message);
  }
});
