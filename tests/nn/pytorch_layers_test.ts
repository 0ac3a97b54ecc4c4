/** Every layer against PyTorch: output, buffers, first and second derivatives. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type ActivationName,
  type LayerSpec,
  networkSchema,
  type NetworkSpec,
} from "../../src/config/network.ts";
import { tf } from "../../src/engine/tf.ts";
import type { StepRandom, TensorMap } from "../../src/engine/types.ts";
import { applyNetwork, buildNetwork, type Network, valueAndGradients } from "../../src/nn/mod.ts";
import { STREAMS } from "../../src/random/counter_random.ts";
import {
  assertAllMatch,
  readGolden,
  type Summaries,
  type Summary,
  testOnBackends,
  uniformAt,
} from "./golden.ts";

interface LayerCase {
  name: string;
  spec: NetworkSpec;
  batch: number;
  training: boolean;
  labels?: number[];
  scale: number;
  parameters: { name: string; shape: number[] }[];
  outputShape: number[];
  output: Summary;
  updates: Summaries;
  gradients: Summaries;
  slopeGradients: Summaries;
}

const cases = readGolden<LayerCase>("layers");

/** No layer of the golden files may draw anything. */
const noRandom: StepRandom = {
  uniform: () => {
    throw new Error("a layer drew uniform numbers");
  },
  normal: () => {
    throw new Error("a layer drew normal numbers");
  },
};

function inputsOf(golden: LayerCase, network: Network) {
  const params: TensorMap = {};
  network.parameters.forEach(({ name, shape }, index) => {
    const shift = /(gamma|moving_variance)$/.test(name) ? 0.5 : -0.5;
    params[name] = tf.tensor(uniformAt(shape, STREAMS.initializer, index, shift), shape);
  });
  const shape = [golden.batch, ...golden.spec.inputShape];
  const x = tf.tensor(uniformAt(shape, 0, 0, -0.5).map((v) => v * golden.scale), shape);
  const outputShape = [golden.batch, ...golden.outputShape];
  const weights = tf.tensor(uniformAt(outputShape, 1), outputShape);
  const labels = golden.labels && tf.tensor1d(golden.labels, "int32");
  return { params, x, weights, labels };
}

for (const golden of cases) {
  testOnBackends(`applyNetwork() gives PyTorch's numbers: ${golden.name}`, async () => {
    const network = buildNetwork(networkSchema.parse(golden.spec));
    assertEquals(
      network.parameters.map(({ name, shape }) => ({ name, shape })),
      golden.parameters,
    );
    assertEquals(network.outputShape, golden.outputShape);
    const tensorsBefore = tf.memory().numTensors;
    const { params, x, weights, labels } = inputsOf(golden, network);
    const context = { training: golden.training, labels, random: noRandom };
    const trainable = Object.fromEntries(
      network.parameters.filter((p) => p.trainable).map(({ name }) => [name, params[name]]),
    );
    const lossOf = (leaves: TensorMap) => {
      const { x, ...rest } = leaves;
      const { output, updates } = applyNetwork(network, { ...params, ...rest }, x, context);
      const loss: tf.Scalar = tf.mul(0.5, tf.sum(tf.mul(weights, tf.square(output))));
      return { loss, output, updates };
    };

    const first = valueAndGradients((leaves) => {
      const { loss, output, updates } = lossOf(leaves);
      return { loss, aux: { output, ...updates } };
    }, { x, ...trainable });
    const { output, ...updates } = first.aux;
    await assertAllMatch({ output }, { output: golden.output }, "output");
    await assertAllMatch(updates, golden.updates, "buffers");
    await assertAllMatch(first.grads, golden.gradients, "gradient");

    const second = valueAndGradients((leaves) => {
      const slope = tf.grad((x: tf.Tensor) => lossOf({ ...leaves, x }).loss)(leaves.x);
      return { loss: tf.mul(0.5, tf.sum(tf.square(slope))), aux: {} };
    }, { x, ...trainable });
    const zeros = Object.fromEntries(
      Object.entries(golden.gradients).map(([name, { values }]) =>
        [name, { norm: 0, values: values.map(() => 0) }] as const
      ),
    ); // PyTorch has no entry where the slope does not depend on a parameter; ours is 0 there
    const expected = { ...zeros, ...golden.slopeGradients };
    await assertAllMatch(second.grads, expected, "slope's gradient");
    tf.dispose([params, x, weights, first.loss, first.grads, first.aux]);
    tf.dispose([second.loss, second.grads]);
    labels?.dispose();
    assertEquals(tf.memory().numTensors, tensorsBefore, "tensors left over");
  });
}

Deno.test("the golden files cover every layer type and every activation", () => {
  const text = JSON.stringify(cases.map((golden) => golden.spec));
  const types: Record<LayerSpec["type"], true> = {
    "dense": true,
    "maxout": true,
    "conv": true,
    "depthwise-conv": true,
    "conv-transpose": true,
    "batch-norm": true,
    "conditional-batch-norm": true,
    "layer-norm": true,
    "instance-norm": true,
    "group-norm": true,
    "activation": true,
    "dropout": true,
    "flatten": true,
    "reshape": true,
    "upsample": true,
    "pixel-shuffle": true,
    "pad": true,
    "avg-pool": true,
    "max-pool": true,
    "global-avg-pool": true,
    "global-sum-pool": true,
    "residual": true,
    "self-attention": true,
    "label-embedding": true,
    "minibatch-stddev": true,
    "gaussian-noise": true,
  };
  const functions: Record<ActivationName, true> = {
    "linear": true,
    "relu": true,
    "relu6": true,
    "leaky-relu": true,
    "elu": true,
    "selu": true,
    "silu": true,
    "gelu": true,
    "mish": true,
    "tanh": true,
    "sigmoid": true,
    "hard-sigmoid": true,
    "softplus": true,
    "softsign": true,
    "softmax": true,
  };
  for (const type of Object.keys(types)) assertStringIncludes(text, `"type":"${type}"`);
  for (const fn of Object.keys(functions)) assertStringIncludes(text, `"fn":"${fn}"`);
});
