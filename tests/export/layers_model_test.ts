/** Layers of TensorFlow.js, one by one: exported with the batch size open, and compared with `predict`. */
import { assert, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { normal } from "./support.ts";

const { layers } = tf;
const VECTOR = [12];
const SEQUENCE = [5, 6];
const IMAGE = [6, 5, 4];
const VOLUME = [3, 4, 5, 2];

type Layer = tf.layers.Layer;

/** Layers that take one tensor, by the shape that they are tried on. */
const SINGLE: [shape: number[], make: Record<string, () => Layer>][] = [
  [VECTOR, {
    alphaDropout: () => layers.alphaDropout({ rate: 0.3 }),
    batchNormalization: () => layers.batchNormalization({ betaInitializer: "randomNormal" }),
    dense: () => layers.dense({ units: 7, activation: "tanh" }),
    dropout: () => layers.dropout({ rate: 0.3 }),
    elu: () => layers.elu(),
    gaussianDropout: () => layers.gaussianDropout({ rate: 0.3 }),
    gaussianNoise: () => layers.gaussianNoise({ stddev: 0.3 }),
    layerNormalization: () => layers.layerNormalization({ gammaInitializer: "randomNormal" }),
    leakyReLU: () => layers.leakyReLU({ alpha: 0.1 }),
    prelu: () => layers.prelu({ alphaInitializer: "randomNormal" }),
    reLU: () => layers.reLU({ maxValue: 0.5 }),
    repeatVector: () => layers.repeatVector({ n: 3 }),
    reshape: () => layers.reshape({ targetShape: [3, -1] }),
    softmax: () => layers.softmax(),
    thresholdedReLU: () => layers.thresholdedReLU({ theta: 0.4 }),
  }],
  [SEQUENCE, {
    averagePooling1d: () => layers.averagePooling1d({ poolSize: 2 }),
    bidirectional: () =>
      layers.bidirectional({
        layer: layers.gru({ units: 3, returnSequences: true }) as tf.RNN,
        mergeMode: "concat",
      }),
    conv1d: () => layers.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2 }),
    globalAveragePooling1d: () => layers.globalAveragePooling1d({}),
    globalMaxPooling1d: () => layers.globalMaxPooling1d({}),
    lstm: () => layers.lstm({ units: 4 }),
    maxPooling1d: () => layers.maxPooling1d({ poolSize: 2, padding: "same" }),
    permute: () => layers.permute({ dims: [2, 1] }),
    simpleRNN: () => layers.simpleRNN({ units: 4, returnSequences: true }),
    timeDistributed: () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
  }],
  [IMAGE, {
    averagePooling2d: () => layers.averagePooling2d({ poolSize: 2 }),
    conv2d: () => layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 }),
    conv2dTranspose: () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }),
    cropping2D: () => layers.cropping2D({ cropping: [[1, 2], [0, 1]] }),
    depthwiseConv2d: () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
    flatten: () => layers.flatten(),
    globalAveragePooling2d: () => layers.globalAveragePooling2d({}),
    globalMaxPooling2d: () => layers.globalMaxPooling2d({}),
    maxPooling2d: () => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
    separableConv2d: () => layers.separableConv2d({ filters: 3, kernelSize: 3 }),
    spatialBatchNormalization: () => layers.batchNormalization({}),
    upSampling2d: () => layers.upSampling2d({ size: [2, 3] }),
    upSamplingBilinear: () => layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }),
    zeroPadding2d: () => layers.zeroPadding2d({ padding: [[1, 0], [2, 1]] }),
  }],
  [VOLUME, {
    averagePooling3d: () => layers.averagePooling3d({ poolSize: 2 }),
    conv3d: () => layers.conv3d({ filters: 3, kernelSize: 2, activation: "relu" }),
    conv3dTranspose: () => layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2 }),
    maxPooling3d: () => layers.maxPooling3d({ poolSize: 2 }),
  }],
];

/** Layers that take two tensors of one shape. */
const MERGING: Record<string, () => Layer> = {
  add: () => layers.add(),
  average: () => layers.average(),
  concatenate: () => layers.concatenate({ axis: 1 }),
  dot: () => layers.dot({ axes: 1 }),
  maximum: () => layers.maximum(),
  minimum: () => layers.minimum(),
  multiply: () => layers.multiply(),
};

const ACTIVATIONS = [
  ..."elu gelu gelu_new hardSigmoid linear mish relu relu6 selu sigmoid softmax softplus".split(
    " ",
  ),
  ..."softsign swish tanh".split(" "),
];

/** The largest difference between a model's exported file and the model, as a share of values beyond 1. */
async function difference(model: tf.LayersModel): Promise<number> {
  const batch = 3;
  const given = model.inputs.map(({ shape }, index) =>
    normal([batch, ...shape.slice(1) as number[]], index + 1)
  );
  const expected = model.apply(given, { training: false }) as tf.Tensor;
  const { bytes, inputNames } = await exportOnnx(model);
  await using session = await openModel(bytes);
  const inputs = Object.fromEntries(given.map((tensor, index) => [inputNames[index], {
    shape: tensor.shape,
    dtype: "float32" as const,
    data: tensor.dataSync() as Float32Array,
  }]));
  const [found] = Object.values(await session.run(inputs));
  assertEquals(found.shape, expected.shape);
  return Math.max(
    ...expected.dataSync().map((value, index) => {
      const gap = Math.abs(value - found.data[index]) / Math.max(1, Math.abs(value));
      return Number.isNaN(gap) ? Infinity : gap;
    }),
  );
}

function modelOf(layer: Layer, ...shapes: number[][]): tf.LayersModel {
  const inputs = shapes.map((shape) => tf.input({ shape }));
  const outputs = layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor;
  return tf.model({ inputs, outputs });
}

Deno.test("exportOnnx() writes each layer of TensorFlow.js that a generator may have", async (t) => {
  await tf.setBackend("cpu");
  for (const [shape, all] of SINGLE) {
    for (const [name, make] of Object.entries(all)) {
      await t.step(name, async () => {
        const found = await difference(modelOf(make(), shape));
        assert(found < 2e-5, `differs by ${found}`);
      });
    }
  }
  for (const [name, make] of Object.entries(MERGING)) {
    await t.step(name, async () => {
      const found = await difference(modelOf(make(), VECTOR, VECTOR));
      assert(found < 2e-5, `differs by ${found}`);
    });
  }
});

Deno.test("exportOnnx() writes each activation of TensorFlow.js", async (t) => {
  await tf.setBackend("cpu");
  for (const activation of ACTIVATIONS) {
    await t.step(activation, async () => {
      const layer = layers.activation({ activation: activation as "relu" });
      const found = await difference(modelOf(layer, [40]));
      assert(found < 1e-5, `differs by ${found}`);
    });
  }
});
