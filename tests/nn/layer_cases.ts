/** The golden cases of fixtures/pytorch/layers.json as functions that any engine can run. */
import { assertEquals } from "@std/assert";
import { networkSchema, type NetworkSpec } from "../../src/config/network.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensors, StepRandom, TensorFunction, TensorMap } from "../../src/tensor/types.ts";
import { applyNetwork, buildNetwork, type Network, valueAndGradients } from "../../src/nn/mod.ts";
import { STREAMS } from "../../src/random/counter_random.ts";
import { NOISE_LEVELS } from "../../src/random/latents.ts";
import { assertAllMatch, readGolden, type Summaries, type Summary, uniformAt } from "./golden.ts";

/** What PyTorch made of one layer, or of a small network. */
export interface LayerCase {
  name: string;
  spec: NetworkSpec;
  batch: number;
  training: boolean;
  labels?: number[];
  /** The inputs are uniform numbers within half of this around 0. */
  scale: number;
  parameters: { name: string; shape: number[] }[];
  outputShape: number[];
  output: Summary;
  /** New running statistics and singular vectors. */
  updates: Summaries;
  /** Of `L = sum(w y^2) / 2`. */
  gradients: Summaries;
  /** Of `|dL/dx|^2 / 2`; without an entry where that does not depend on a parameter. */
  penaltyGradients: Summaries;
}

export const layerCases: LayerCase[] = readGolden("layers");

/** A case's network, checked against the parameters and the shape that PyTorch's has. */
export function networkOf(golden: LayerCase): Network {
  const network = buildNetwork(networkSchema.parse(golden.spec));
  const declared = network.parameters.map(({ name, shape }) => ({ name, shape }));
  assertEquals(declared, golden.parameters);
  assertEquals(network.outputShape, golden.outputShape);
  return network;
}

/** The parameters by name, the input `x`, the weights `w` of the loss, and the labels. */
export function inputsOf(golden: LayerCase): HostTensors {
  const inputs: HostTensors = {};
  golden.parameters.forEach(({ name, shape }, index) => {
    const shift = /(gamma|moving_variance)$/.test(name) ? 0.5 : -0.5;
    const data = uniformAt(shape, STREAMS.initializer, index, shift);
    inputs[name] = { shape, dtype: "float32", data };
  });
  const shape = [golden.batch, ...golden.spec.inputShape];
  const x = uniformAt(shape, 0, 0, -0.5).map((value) => value * golden.scale);
  inputs.x = { shape, dtype: "float32", data: x };
  const outputShape = [golden.batch, ...golden.outputShape];
  inputs.w = { shape: outputShape, dtype: "float32", data: uniformAt(outputShape, 1) };
  const { noiseSize } = buildNetwork(golden.spec);
  if (noiseSize > 0) {
    const shape = [golden.batch, noiseSize];
    const data = uniformAt(shape, 2).map((value) =>
      Math.floor(value * NOISE_LEVELS) / NOISE_LEVELS
    );
    inputs.noise = { shape, dtype: "float32", data };
  }
  if (golden.labels) {
    const data = Int32Array.from(golden.labels);
    inputs.labels = { shape: [golden.batch], dtype: "int32", data };
  }
  return inputs;
}

/** No layer of the golden files may draw anything. */
const noRandom: StepRandom = {
  uniform: () => {
    throw new Error("a layer drew uniform numbers");
  },
  normal: () => {
    throw new Error("a layer drew normal numbers");
  },
};

function withPrefix(prefix: string, tensors: TensorMap): TensorMap {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${prefix} ${name}`, t]));
}

/** Everything that a case checks: `output`, and with a prefix `update`, `gradient`, `penalty`. */
export function layerFunction(golden: LayerCase, network: Network): TensorFunction {
  return (inputs) => {
    const context = {
      training: golden.training,
      labels: inputs.labels as tf.Tensor1D | undefined,
      noise: inputs.noise,
      random: noRandom,
    };
    const trainable = network.parameters.filter((parameter) => parameter.trainable);
    const leaves: TensorMap = { x: inputs.x };
    for (const { name } of trainable) leaves[name] = inputs[name];
    const lossOf = ({ x, ...weights }: TensorMap) => {
      const { output, updates } = applyNetwork(network, { ...inputs, ...weights }, x, context);
      const loss: tf.Scalar = tf.mul(0.5, tf.sum(tf.mul(inputs.w, tf.square(output))));
      return { loss, output, updates };
    };
    const first = valueAndGradients((leaves) => {
      const { loss, output, updates } = lossOf(leaves);
      return { loss, aux: { output, ...withPrefix("update", updates) } };
    }, leaves);
    const second = valueAndGradients((leaves) => {
      const gradient = tf.grad((x: tf.Tensor) => lossOf({ ...leaves, x }).loss)(leaves.x);
      return { loss: tf.mul(0.5, tf.sum(tf.square(gradient))), aux: {} };
    }, leaves);
    return {
      ...first.aux,
      ...withPrefix("gradient", first.grads),
      ...withPrefix("penalty", second.grads),
    };
  };
}

/** Compares everything with PyTorch's figures. */
export function assertLayerOutputs(golden: LayerCase, outputs: HostTensors): void {
  const group = (prefix: string): Record<string, ArrayLike<number>> =>
    Object.fromEntries(
      Object.entries(outputs)
        .filter(([name]) => name.startsWith(`${prefix} `))
        .map(([name, { data }]) => [name.slice(prefix.length + 1), data]),
    );
  assertAllMatch({ output: outputs.output.data }, { output: golden.output }, "output");
  assertAllMatch(group("update"), golden.updates, "buffers");
  assertAllMatch(group("gradient"), golden.gradients, "gradient");
  const zeros = Object.fromEntries(
    Object.entries(golden.gradients).map(([name, { values }]) =>
      [name, { norm: 0, values: values.map(() => 0) }] as const
    ),
  );
  assertAllMatch(
    group("penalty"),
    { ...zeros, ...golden.penaltyGradients },
    "the penalty's gradient",
  );
}
