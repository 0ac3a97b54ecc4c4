import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { tf } from "../../src/tensor/tf.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { UserError } from "../../src/errors.ts";
import { MANIFEST_KEY, parseManifest, PRODUCER } from "../../src/manifest.ts";
import {
  checkParity,
  EXPORT_DTYPES,
  exportOnnx,
  type ExportOptions,
  type ParityReference,
} from "../../src/export/mod.ts";
import { decodeModel } from "./protobuf_reader.ts";
import { compileNetwork } from "../../src/evaluation/generate.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import {
  generatorOf,
  graphOf,
  operatorsOf,
  presetGenerators,
  type TrainedNetwork,
  trainedNetwork,
} from "./networks.ts";

/** Beyond this many operations a sample, TensorFlow.js' cpu backend takes minutes. */
const SLOW_FLOPS = 2e8;

/** The trainer's numbers: TensorFlow.js' own, or those of the cpu engine where that takes too long. */
async function trainerNumbers({ network, weights, reference }: TrainedNetwork, flops: number) {
  if (flops <= SLOW_FLOPS) return { reference, [Symbol.asyncDispose]: () => Promise.resolve() };
  const engine = await createOnnxEngine();
  const runner = await compileNetwork(engine, network, 1);
  const onEngine: ParityReference = (latents, labels) => runner.run(weights, latents, { labels });
  return { reference: onEngine, [Symbol.asyncDispose]: () => engine.dispose() };
}

const dense = (units: number): LayerSpec => ({ type: "dense", units });
const conv = (filters: number): LayerSpec => ({ type: "conv", filters, kernel: 3, padding: 1 });
const reshape: LayerSpec = { type: "reshape", shape: [8, 8, 1] };
const activation = (fn: "relu" | "tanh"): LayerSpec => ({ type: "activation", fn });

/** A small image generator with a bit of everything. */
const varied = generatorOf(5, [
  { type: "label-embedding", units: 3 },
  dense(4 * 4 * 8),
  { type: "batch-norm" },
  activation("relu"),
  { type: "reshape", shape: [4, 4, 8] },
  { type: "conditional-batch-norm" },
  { type: "residual", body: [{ type: "group-norm", groups: 2 }, activation("relu"), conv(8)] },
  { type: "self-attention" },
  { type: "upsample", factor: 2, mode: "bilinear" },
  conv(8),
  { type: "layer-norm" },
  { type: "pixel-shuffle", factor: 2 },
  conv(3),
  activation("tanh"),
], 3);

Deno.test("exportOnnx() writes every preset so that the sampler draws the trainer's samples", async (t) => {
  for (const { name, spec, distribution, flops } of presetGenerators()) {
    await t.step(name, async () => {
      const trained = trainedNetwork(spec, 1);
      await using trainer = await trainerNumbers(trained, flops);
      const model = await exportOnnx(trained, {
        generator: { distribution, preset: name, step: 7, license: "none" },
        check: false, // compared with an engine below
      });
      const parity = await checkParity(model, trainer.reference, { count: 2, tolerance: 1e-5 });
      assert(parity.maxDifference > 0 || parity.meanDifference === 0);
      const metadata = decodeModel(model.bytes).metadata!;
      const manifest = parseManifest(metadata[MANIFEST_KEY]);
      assertEquals(manifest, model.manifest);
      assertEquals([manifest.preset, manifest.step, manifest.license], [name, 7, "none"]);
      await using sampler = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
      assertEquals(sampler.info.latent.distribution, distribution);
      const [sample] = await sampler.sample({ seed: 3 });
      const wanted = manifest.selfTest.values[3];
      wanted.forEach((value, i) => assertLess(Math.abs(value - sample.values[i]), 1e-4));
    });
  }
});

Deno.test("exportOnnx() leaves no Transpose and no batch norm in any preset's file", async (t) => {
  for (const { name, spec } of presetGenerators()) {
    await t.step(name, async () => {
      const { network, weights } = trainedNetwork(spec, 1);
      const model = await exportOnnx({ spec, weights }, { check: false });
      assertEquals(model.transposes, 0);
      const isPlain = network.layers.every(({ type }) =>
        ["dense", "activation", "batch-norm", "reshape", "upsample", "conv", "conv-transpose"]
          .includes(type)
      );
      if (!isPlain) return;
      const allowed = ["Gemm", "MatMul", "Conv", "ConvTranspose", "Resize", "Reshape"];
      const activations = ["Relu", "LeakyRelu", "Tanh", "Sigmoid"];
      for (const { op, name, inputs } of graphOf(model).nodes) {
        // An affine map behind an activation and before a padded convolution is one pair at most.
        const isNorm = (op === "Mul" || op === "Add") && name!.startsWith("batch-norm");
        assert(isNorm || [...allowed, ...activations].includes(op), `${name}: ${op}`);
        assert(inputs.length > 0);
      }
    });
  }
});

Deno.test("exportOnnx() leaves three Transposes in self-attention and none around it", async () => {
  const layers: LayerSpec[] = [
    dense(4 * 4 * 16),
    { type: "reshape", shape: [4, 4, 16] },
    conv(16),
    { type: "self-attention" },
    conv(3),
  ];
  const { spec, weights } = trainedNetwork(generatorOf(5, layers), 1);
  const { nodes } = graphOf(await exportOnnx({ spec, weights }));
  const moving = nodes.filter(({ op }) => op === "Transpose");
  // Channels last for the products over them, the keys, and back.
  assertEquals(moving.map(({ attributes }) => attributes!.perm), [
    [0, 2, 3, 1],
    [0, 2, 1],
    [0, 3, 1, 2],
  ]);
  assert(moving.every(({ name }) => name!.startsWith("self-attention_1/")));
});

Deno.test("exportOnnx() gives the same bytes twice", async () => {
  for (const dtype of EXPORT_DTYPES) {
    const files = [];
    for (let run = 0; run < 2; run++) {
      const { spec, weights } = trainedNetwork(varied, 2);
      files.push((await exportOnnx({ spec, weights }, { dtype })).bytes);
    }
    assertEquals(files[0], files[1]);
  }
});

Deno.test("exportOnnx() states names, types and shapes of inputs, outputs and all between", async () => {
  const { spec, weights } = trainedNetwork(varied, 2);
  const model = await exportOnnx({ spec, weights });
  const { graph, opset, irVersion, producer, producerVersion } = decodeModel(model.bytes);
  assertEquals([opset, irVersion], [17, 8]);
  assertEquals(`${producer} ${producerVersion}`, PRODUCER);
  assertEquals(graph.inputs, [
    { name: "latent", dtype: "float32", dims: ["N", 5] },
    { name: "label", dtype: "int64", dims: ["N"] },
  ]);
  assertEquals(graph.outputs, [{ name: "image", dtype: "float32", dims: ["N", 3, 16, 16] }]);
  const known = new Set([...graph.values!, ...graph.outputs].map(({ name }) => name));
  for (const { outputs } of graph.nodes) {
    for (const output of outputs) assert(known.has(output), `${output} has no shape`);
  }
  for (const { op, attributes = {} } of graph.nodes) {
    assertEquals("auto_pad" in attributes, false);
    if (op === "Conv" || op === "ConvTranspose") {
      assertEquals((attributes.pads as number[]).length, 4);
    }
  }
  const weightNames = graph.initializers.map(({ name }) => name);
  for (const name of ["label-embedding_1/table", "dense_1/kernel", "conv_1/kernel"]) {
    assert(weightNames.includes(name), `no ${name} in ${weightNames}`);
  }
  const nodeNames = graph.nodes.map(({ name }) => name!);
  for (const name of ["dense_1/Gemm", "residual_1/body/conv_1/Conv", "upsample_1/Resize"]) {
    assert(nodeNames.includes(name), `no ${name} in ${nodeNames}`);
  }
  assertEquals(new Set(nodeNames).size, nodeNames.length);
});

Deno.test("exportOnnx() writes opsets 13 to 21, each with the trainer's values", async () => {
  for (let opset = 13; opset <= 21; opset++) {
    const { spec, weights, reference } = trainedNetwork(varied, 3);
    const model = await exportOnnx({ spec, weights }, { opset });
    assertEquals(decodeModel(model.bytes).opset, opset);
    await checkParity(model, reference, { count: 3, tolerance: 1e-5 });
  }
});

Deno.test("exportOnnx() makes files of float16 and of 8-bit weights that are near and small", async () => {
  const { spec, weights, reference } = trainedNetwork(
    generatorOf(20, [dense(256), activation("relu"), dense(784), activation("tanh"), {
      type: "reshape",
      shape: [28, 28, 1],
    }]),
    4,
  );
  const sizes: Record<string, number> = {};
  const bounds = { fp32: [1e-6, 1e-7], fp16: [2e-3, 2e-4], int8: [2e-2, 4e-3] } as const;
  for (const dtype of EXPORT_DTYPES) {
    const model = await exportOnnx({ spec, weights }, { dtype });
    sizes[dtype] = model.sizeBytes;
    const parity = await checkParity(model, reference, { tolerance: bounds[dtype][0] });
    assertLess(parity.meanDifference, bounds[dtype][1]);
    await using _sampler = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
    const { inputs, outputs } = graphOf(model);
    assertEquals([inputs[0].dtype, outputs[0].dtype], ["float32", "float32"]);
  }
  assertLess(sizes.fp16, 0.51 * sizes.fp32);
  assertLess(sizes.int8, 0.27 * sizes.fp32);
});

Deno.test("exportOnnx() writes bytes for images where they are asked for", async () => {
  const { spec, weights, reference } = trainedNetwork(varied, 5);
  for (const dtype of EXPORT_DTYPES) {
    const model = await exportOnnx({ spec, weights }, { dtype, output: "uint8" });
    assertEquals(graphOf(model).outputs[0].dtype, "uint8");
    assertEquals(model.manifest.output.range, [0, 255]);
    const tolerance = { fp32: 1, fp16: 2, int8: 16 }[dtype];
    const parity = await checkParity(model, reference, { count: 8, tolerance });
    assertLess(parity.meanDifference, { fp32: 0.01, fp16: 0.2, int8: 3 }[dtype]);
    await using sampler = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
    const [sample] = await sampler.sample({ seed: 1 });
    assert(sample.values instanceof Uint8Array);
  }
});

Deno.test("exportOnnx() names the classes, and each gives its own samples", async () => {
  const { spec, weights } = trainedNetwork(varied, 6);
  const classNames = ["ant", "bee", "cow"];
  const model = await exportOnnx({ spec, weights }, { generator: { classNames } });
  await using sampler = await Sampler.load(model.bytes, { device: "wasm", selfTest: true });
  assertEquals(sampler.info.classNames, classNames);
  const [ant, bee] = await sampler.sample({ seeds: [1, 1], label: ["ant", "bee"] });
  assert(ant.values.some((value, i) => Math.abs(value - bee.values[i]) > 0.01));
  const unnamed = await exportOnnx({ spec, weights });
  assertEquals(unnamed.manifest.classNames, ["0", "1", "2"]);
});

Deno.test("exportOnnx() puts weights into a second file where they are too large for one", async () => {
  const { spec, weights, reference } = trainedNetwork(varied, 7);
  const whole = await exportOnnx({ spec, weights });
  const model = await exportOnnx({ spec, weights }, {
    externalDataAbove: 4000,
    externalDataName: "weights.bin",
  });
  const { externalData } = model;
  assert(externalData !== undefined);
  assertEquals(externalData.location, "weights.bin");
  assertEquals(
    externalData.parts.reduce((sum, part) => sum + part.length, 0),
    externalData.sizeBytes,
  );
  assertEquals(model.sizeBytes, model.bytes.length + externalData.sizeBytes);
  assertLess(model.bytes.length, whole.bytes.length);
  const outside = graphOf(model).initializers.flatMap(({ external }) => external ?? []);
  assert(outside.length > 1);
  for (const { location, offset } of outside) {
    assertEquals([location, offset % 4096], ["weights.bin", 0]);
  }
  assertEquals(model.manifest.weightsSha256, whole.manifest.weightsSha256);
  await checkParity(model, reference, { count: 3, tolerance: 1e-5 });
});

Deno.test("exportOnnx() hashes the weights and computes its self-test from them", async () => {
  const { spec, weights } = trainedNetwork(varied, 8);
  const before = (await exportOnnx({ spec, weights })).manifest;
  assertEquals(before.selfTest.seeds, [0, 1, 2, 3]);
  assertEquals(before.selfTest.labels, [0, 1, 2, 0]);
  assertEquals(before.truncationMean, [0, 0, 0, 0, 0]);
  weights["conv_2/bias"].data[0] += 1;
  const after = (await exportOnnx({ spec, weights })).manifest;
  assertMatch(after.weightsSha256, /^[0-9a-f]{64}$/);
  assert(before.weightsSha256 !== after.weightsSha256);
  assert(JSON.stringify(before.selfTest) !== JSON.stringify(after.selfTest));
  const uniform = await exportOnnx({ spec, weights }, {
    generator: { distribution: "uniform" },
  });
  assertEquals(uniform.manifest.truncationMean, [0.5, 0.5, 0.5, 0.5, 0.5]);
});

Deno.test("exportOnnx() names what it cannot export", async () => {
  const points = trainedNetwork(generatorOf(2, [dense(2)]), 1);
  const refuse = async (promise: Promise<unknown>, message: RegExp) => {
    const error = await assertRejects(() => promise, UserError);
    assertMatch(error.message, message);
  };
  await refuse(exportOnnx(points, { opset: 12 }), /opset 12: 13 to 21/);
  await refuse(exportOnnx(points, { output: "uint8" }), /points of 2 values, not images/);
  await refuse(
    exportOnnx(trainedNetwork(generatorOf(2, [{ type: "minibatch-stddev" }, dense(2)]), 1)),
    /minibatch-stddev_1 \(minibatch-stddev\): .* depends on the others of the batch/,
  );
  await refuse(
    exportOnnx(trainedNetwork(varied, 1), { generator: { classNames: ["a"] } }),
    /1 class names are given, and the generator has 3/,
  );
  const inputs = { x: { shape: [null, 4] } };
  const spectrum = (x: tf.Tensor) => tf.real(tf.fft(tf.complex(x, x)));
  await refuse(
    exportOnnx({
      inputs,
      fn: ({ x }: Record<string, tf.Tensor>) => tf.tidy("spectrum", () => spectrum(x)),
    }),
    /kernel Complex of spectrum into ONNX; supported kernels: Abs, .*Conv2D.*/,
  );
  const ids = tf.tensor1d([0, 1, 0, 1], "int32");
  const target = {
    inputs: { x: { shape: [4, 3] } },
    fn: ({ x }: Record<string, tf.Tensor>) =>
      tf.tidy("groups", () => tf.unsortedSegmentSum(x, ids, 2)),
  };
  await refuse(exportOnnx(target, { opset: 15 }), /opset 15: 16 has it .*Sum of groups/);
  assertEquals(operatorsOf(await exportOnnx(target)).at(-1), "ScatterND");
});

Deno.test("exportOnnx() refuses weights that are not finite, or too large for their precision", async () => {
  const layers = [dense(64), activation("relu"), dense(64)];
  const cases: [value: number, options: ExportOptions, message: RegExp][] = [
    [NaN, {}, /^Cannot export weight dense_1\/kernel: it holds NaN, so the network has diverged$/],
    [NaN, { dtype: "int8", output: "uint8" }, /dense_1\/kernel: it holds NaN/],
    [
      Infinity,
      {},
      /^Cannot export: the file's samples of seeds 0, 1, 2, 3 hold \S+; the network has/,
    ],
    [-Infinity, { dtype: "int8" }, /dense_1\/kernel as int8: it holds -Infinity; export as fp32$/],
    [
      1e6,
      { dtype: "fp16" },
      /dense_1\/kernel as fp16: it holds 1000000, and float16 ends at 65504/,
    ],
  ];
  for (const [value, options, message] of cases) {
    const isImage = options.output === "uint8";
    const { spec, weights } = trainedNetwork(
      generatorOf(8, [...layers, ...isImage ? [reshape] : []]),
      1,
    );
    (weights["dense_1/kernel"].data as Float32Array).fill(value, 3, 8);
    const error = await assertRejects(() => exportOnnx({ spec, weights }, options), UserError);
    assertMatch(error.message, message);
  }
});
