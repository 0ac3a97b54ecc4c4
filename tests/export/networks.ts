/** What the exporter's tests share: networks with lively weights, and TensorFlow.js' values for them. */
import type { LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import { presets } from "../../src/config/presets/mod.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor, HostTensors, TensorMap } from "../../src/tensor/types.ts";
import { applyNetwork, buildNetwork, initialParameters, type Network } from "../../src/nn/mod.ts";
import type { LatentDistribution } from "../../src/manifest.ts";
import { fillNormal, fillUniform } from "../../src/random/counter_random.ts";
import { fillNoise } from "../../src/random/latents.ts";
import type { OnnxGraph } from "../../src/graph/onnx_graph.ts";
import type { ParityReference } from "../../src/export/mod.ts";
import { decodeModel } from "./protobuf_reader.ts";

/** A network that takes `latent` values and has these layers. */
export function generatorOf(latent: number, layers: LayerSpec[], classCount?: number): NetworkSpec {
  return { inputShape: [latent], init: "torch", layers, ...(classCount ? { classCount } : {}) };
}

/** A network with weights, and what TensorFlow.js' cpu backend computes with them. */
export interface TrainedNetwork {
  spec: NetworkSpec;
  network: Network;
  weights: HostTensors;
  reference: ParityReference;
}

/** Weights as after some training: biases, scales and statistics are not those of the start. */
export function trainedNetwork(spec: NetworkSpec, seed: number): TrainedNetwork {
  const network = buildNetwork(spec);
  const weights = initialParameters(network, seed);
  for (const [index, { name, shape }] of network.parameters.entries()) {
    const size = shape.reduce((product, side) => product * side, 1);
    const address = { seed, stream: 7, step: index };
    const around = (center: number, spread: number): Float32Array =>
      fillNormal(new Float32Array(size), address).map((value) => center + spread * value);
    const set = (data: Float32Array) => weights[name] = { shape, dtype: "float32", data };
    const last = name.split("/").at(-1)!;
    if (last === "moving_variance") {
      set(fillUniform(new Float32Array(size), address).map((value) => 0.5 + value));
    } else if (last === "gamma") set(around(1, 0.3));
    else if (["moving_mean", "beta", "bias"].includes(last)) set(around(0, 0.3));
  }
  return {
    spec,
    network,
    weights,
    reference: (latents, labels, seeds) =>
      Promise.resolve(applyOnCpu(network, weights, latents, { labels, seeds })),
  };
}

/** The noise of some seeds. `[seeds.length, noiseSize]` */
function noiseOf({ noiseSize }: Network, seeds: ArrayLike<number>): tf.Tensor {
  const rows = Array.from(seeds, (seed) => [...fillNoise(new Float32Array(noiseSize), seed)]);
  return tf.tensor2d(rows);
}

/** What TensorFlow.js' cpu backend gives. */
export function applyOnCpu(
  network: Network,
  weights: HostTensors,
  latents: HostTensor,
  { labels, seeds = [] }: { labels?: Int32Array; seeds?: ArrayLike<number> } = {},
): HostTensor {
  void tf.setBackend("cpu");
  const output = tf.tidy(() => {
    const parameters: TensorMap = Object.fromEntries(
      Object.entries(weights).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
    );
    const x = tf.tensor(latents.data, latents.shape);
    return applyNetwork(network, parameters, x, {
      training: false,
      labels: labels && tf.tensor1d(labels, "int32"),
      noise: network.noiseSize > 0 ? noiseOf(network, seeds) : undefined,
    }).output;
  });
  const data = output.dataSync().slice() as Float32Array;
  const { shape } = output;
  output.dispose();
  return { shape, dtype: "float32", data };
}

/** A preset's generator. */
export interface PresetGenerator {
  name: string;
  spec: NetworkSpec;
  distribution: LatentDistribution;
  /** Arithmetic operations for one sample. */
  flops: number;
}

/** Every preset's generator; conditional ones with ten classes. */
export function presetGenerators(): PresetGenerator[] {
  return Object.entries(presets).map(([name, { generator, latent }]) => {
    const spec = { ...generator, classCount: generator.classCount ?? 10 };
    const flops = buildNetwork(spec).layers.reduce((sum, layer) => sum + layer.flops, 0);
    return { name, spec, distribution: latent.distribution, flops };
  });
}

/** The graph of a file. */
export function graphOf({ bytes }: { bytes: Uint8Array }): OnnxGraph {
  return decodeModel(bytes).graph;
}

/** The operators of a file, in order. */
export function operatorsOf(model: { bytes: Uint8Array }): string[] {
  return graphOf(model).nodes.map(({ op }) => op);
}
