import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { checkParity, exportOnnx, type FunctionTarget } from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { graphOf, operatorsOf } from "./networks.ts";

const { layers } = tf;

function tensorOf({ data, shape, dtype }: HostTensor): tf.Tensor {
  return tf.tensor(data, shape, dtype);
}

function hostOf(tensor: tf.Tensor): HostTensor {
  return { shape: tensor.shape, dtype: "float32", data: tensor.dataSync() as Float32Array };
}

Deno.test("exportOnnx() writes a Layers model as a generator", async () => {
  await tf.setBackend("cpu");
  const seeded = tf.initializers.randomNormal({ stddev: 0.3, seed: 1 });
  const norm = { betaInitializer: seeded, movingMeanInitializer: seeded };
  const model = tf.sequential({
    layers: [
      layers.dense({ units: 96, inputShape: [5], activation: "relu", biasInitializer: seeded }),
      layers.reshape({ targetShape: [4, 4, 6] }),
      layers.batchNormalization(norm),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.conv2dTranspose({ filters: 5, kernelSize: 4, strides: 2, padding: "same" }),
      layers.batchNormalization(norm),
      layers.activation({ activation: "elu" }),
      layers.upSampling2d({ size: [2, 2] }),
      layers.separableConv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "selu" }),
      layers.dropout({ rate: 0.3 }),
      layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "tanh" }),
    ],
  });
  const exported = await exportOnnx(model, { generator: { license: "MIT" } });
  assertEquals([exported.inputNames, exported.outputNames], [["latent"], ["image"]]);
  assertEquals(exported.transposes, 0);
  assertEquals(operatorsOf(exported).filter((op) => op === "Add" || op === "Mul").length, 2);
  await checkParity(
    exported,
    (latents) => Promise.resolve(hostOf(model.predict(tensorOf(latents)) as tf.Tensor)),
    { tolerance: 1e-5, count: 4 },
  );
  await using sampler = await Sampler.load(exported.bytes, { device: "wasm", selfTest: true });
  assertEquals(sampler.info.output.shape, [3, 16, 16]);
});

Deno.test("exportOnnx() writes a conditional Layers model, and the same as it is", async () => {
  await tf.setBackend("cpu");
  const z = tf.input({ shape: [4], name: "z" });
  const kind = tf.input({ shape: [1], dtype: "int32", name: "kind" });
  const embedded = layers.embedding({ inputDim: 3, outputDim: 4 }).apply(kind);
  const vector = layers.flatten().apply(embedded) as tf.SymbolicTensor;
  const both = layers.multiply().apply([z, vector]) as tf.SymbolicTensor;
  const hidden = layers.dense({ units: 8, activation: "selu" }).apply(both);
  const last = layers.dense({ units: 2, name: "point" }).apply(hidden) as tf.SymbolicTensor;
  const model = tf.model({ inputs: [z, kind], outputs: last });

  const generator = { classNames: ["a", "b", "c"] };
  const exported = await exportOnnx(model, { generator });
  assertEquals([exported.inputNames, exported.outputNames], [["latent", "label"], ["sample"]]);
  assertEquals(graphOf(exported).inputs[1].dims, ["N", 1]);
  await checkParity(exported, (latents, labels) => {
    const column = tf.tensor2d(labels!, [labels!.length, 1], "int32");
    return Promise.resolve(hostOf(model.predict([tensorOf(latents), column]) as tf.Tensor));
  }, { tolerance: 1e-5, count: 6 });

  const plain = await exportOnnx(model);
  assertEquals([plain.inputNames, plain.outputNames], [["z", "kind"], ["point"]]);
  assertEquals(plain.manifest, undefined);
  assertEquals(graphOf(plain).inputs[1].dtype, "int32");
  const unnamed = await assertRejects(() => exportOnnx(model, { generator: {} }), UserError);
  assertMatch(unnamed.message, /give classNames/);
});

Deno.test("exportOnnx() writes a function with its own inputs, outputs and noise", async () => {
  await tf.setBackend("cpu");
  const w = tf.tensor2d([[1, -2], [0.5, 3], [2, 0]]);
  const target: FunctionTarget<tf.Tensor> = {
    inputs: { x: { shape: [null, 3] } },
    weights: { mixing: w },
    fn: ({ x }, random) => {
      const mixed = tf.matMul(x as tf.Tensor2D, w);
      return { noisy: tf.add(mixed, random.normal([x.shape[0], 2])), center: tf.mean(x) };
    },
  };
  const exported = await exportOnnx(target);
  assertEquals(exported.inputNames, ["x", "random_0"]);
  assertEquals(exported.outputNames, ["noisy", "center"]);
  assertEquals(graphOf(exported).initializers[0].name, "mixing");
  await using session = await openModel(exported.bytes);
  const { noisy, center } = await session.run({
    x: { shape: [2, 3], dtype: "float32", data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    random_0: { shape: [2, 2], dtype: "float32", data: Float32Array.of(10, 20, 30, 40) },
  });
  assertEquals([...noisy.data], [18, 24, 48.5, 47]);
  assertAlmostEquals(center.data[0], 3.5, 1e-6);
  await assertRejects(() => exportOnnx(target, { generator: {} }), UserError, "random numbers");
});

Deno.test("exportOnnx() leaves the batch size open, and finds what depends on it", async () => {
  await tf.setBackend("cpu");
  const inputs = { x: { shape: [null, 3] } };
  const row = tf.tensor2d([[1, 2]]);
  const tiled = await exportOnnx({
    inputs,
    fn: ({ x }: Record<string, tf.Tensor>) => tf.concat([x, tf.tile(row, [x.shape[0], 1])], 1),
  });
  await using session = await openModel(tiled.bytes);
  for (const n of [1, 5]) {
    const x: HostTensor = { shape: [n, 3], dtype: "float32", data: new Float32Array(n * 3) };
    assertEquals((await session.run({ x })).output.shape, [n, 5]);
  }
  // A number that follows from the batch size is computed at run time.
  const mean = await exportOnnx({
    inputs,
    fn: ({ x }: Record<string, tf.Tensor>) => tf.div(tf.sum(x, 0), x.shape[0]),
  });
  await using means = await openModel(mean.bytes);
  const x: HostTensor = {
    shape: [2, 3],
    dtype: "float32",
    data: Float32Array.of(1, 2, 3, 5, 6, 7),
  };
  assertEquals([...(await means.run({ x })).output.data], [3, 4, 5]);

  const faults: [FunctionTarget<tf.Tensor>["fn"], RegExp][] = [
    [
      ({ x }) => tf.mul(x, tf.reshape(tf.tensor1d([...Array(x.shape[0]).keys()]), [-1, 1])),
      /reads other constants/,
    ],
    [({ x }) => x.shape[0] > 1500 ? tf.abs(x) : tf.neg(x), /decides whether Neg runs/],
  ];
  for (const [fn, message] of faults) {
    const error = await assertRejects(() => exportOnnx({ inputs, fn }), UserError);
    assertMatch(error.message, /computes with the batch size on the host/);
    assertMatch(error.message, message);
  }
});

Deno.test("exportOnnx() says what a generator takes", async () => {
  await tf.setBackend("cpu");
  const fn: FunctionTarget<tf.Tensor>["fn"] = (given) => Object.values(given)[0];
  for (
    const inputs of [
      { a: { shape: [null, 3] }, b: { shape: [null, 3] } },
      { image: { shape: [null, 3, 3, 1] } },
      { fixed: { shape: [4, 3] } },
      {},
    ] as FunctionTarget<tf.Tensor>["inputs"][]
  ) {
    const error = await assertRejects(
      () => exportOnnx({ inputs, fn }, { generator: {} }),
      UserError,
    );
    assertMatch(error.message, /one float32 latent \[N, D\].*takes (nothing|.*\[.*\])/);
  }
});

Deno.test("exportOnnx() says when the runtime cannot run the file: more classes than rows", async () => {
  await tf.setBackend("cpu");
  const table = tf.ones([2, 3]);
  const target: FunctionTarget<tf.Tensor> = {
    inputs: { z: { shape: [null, 3] }, k: { shape: [null], dtype: "int32" } },
    fn: ({ z, k }) => tf.add(z, tf.gather(table, k as tf.Tensor1D)),
  };
  const error = await assertRejects(
    () => exportOnnx(target, { generator: { classNames: ["a", "b", "c"] } }),
    UserError,
  );
  assertMatch(
    error.message,
    /^Cannot run the exported file in onnxruntime-web .*: .*idx=2 must be/,
  );
});

Deno.test("exportOnnx() says what a target is, and what a function has to give", async () => {
  await tf.setBackend("cpu");
  for (const target of [null, "generator.onnx", {}, { spec: {} }, { fn: tf.neg }]) {
    await assertRejects(
      () => exportOnnx(target as unknown as FunctionTarget<tf.Tensor>, { generator: {} }),
      UserError,
      "Cannot export what is neither a network ({ spec, weights }), nor a function ({ inputs, fn })",
    );
  }
  const results: [give: (x: tf.Tensor) => unknown, what: string][] = [
    [(x) => Promise.resolve(x), "a promise"],
    [() => 3, "something else"],
    [() => undefined, "something else"],
    [() => ({}), "something else"],
    [(x) => ({ y: x, scale: 2 }), "something else"],
  ];
  for (const [give, what] of results) {
    const fn = ({ x }: Record<string, tf.Tensor>) => give(x) as tf.Tensor;
    await assertRejects(
      () => exportOnnx({ inputs: { x: { shape: [null, 3] } }, fn }),
      UserError,
      `Cannot export a function that gives ${what}: expected a tensor, or tensors by name, at once`,
    );
  }
});

Deno.test("exportOnnx() leaves a model and the backend as they were", async () => {
  await tf.setBackend("cpu");
  const model = tf.sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
  const { call } = model.layers[0];
  const before = tf.memory().numTensors;
  await exportOnnx(model, { generator: {} });
  assertEquals(tf.memory().numTensors, before);
  assertEquals(tf.getBackend(), "cpu");
  assert(model.layers[0].call === call);
});
