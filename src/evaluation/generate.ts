/** Running a run's networks on an engine, outside of training: samples, and the discriminator's logits. */
import { elementCount } from "../bytes.ts";
import type { LatentSpec } from "../config/update.ts";
import type { tf } from "../tensor/tf.ts";
import type { CompiledFunction, Engine } from "../engine/types.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { applyNetwork, type Network } from "../nn/mod.ts";
import { fillLatent, fillNoise } from "../random/latents.ts";
import { section, withPrefix } from "../training/tensor_names.ts";

/** The weights that samples are made with: the EMA where there is one, else the generator's own. */
export function generatorWeights(state: HostTensors): HostTensors {
  const average = section(state, "ema");
  return Object.keys(average).length ? average : section(state, "generator");
}

/**
 * The latents of consecutive seeds, as the sampler draws them.
 * @returns `[count, dimension]`
 */
export function seededLatents(latent: LatentSpec, firstSeed: number, count: number): HostTensor {
  const data = new Float32Array(count * latent.dimension);
  for (let i = 0; i < count; i++) {
    fillLatent(data.subarray(i * latent.dimension, (i + 1) * latent.dimension), {
      seed: (firstSeed + i) >>> 0,
      distribution: latent.distribution,
    });
  }
  return { shape: [count, latent.dimension], dtype: "float32", data };
}

/** What a network may take for each sample besides its input. */
export interface GivenBySample {
  /** `[n]`, for a network that uses labels. */
  labels?: Int32Array;
  /** `[n]`, whose noise a network takes that stays random. Default 0, 1, 2, ... */
  seeds?: ArrayLike<number>;
}

/** A network that takes batches of one size, with its weights given at each call. */
export interface NetworkRunner {
  /**
   * Applies the network as it is used after training: running statistics, and no dropout but what stays
   * at sampling.
   * @param x `[n, ...inputShape]`, any n: batches are cut and the last one padded
   * @returns `[n, ...outputShape]`
   */
  run(weights: HostTensors, x: HostTensor, given?: GivenBySample): Promise<HostTensor>;
  dispose(): Promise<void>;
}

/** Compiles a network for batches of `batchSize`. */
export async function compileNetwork(
  engine: Engine,
  network: Network,
  batchSize: number,
): Promise<NetworkRunner> {
  const inputs: Parameters<Engine["compileFunction"]>[1] = {
    x: { shape: [batchSize, ...network.spec.inputShape], dtype: "float32" },
  };
  if (network.usesLabels) inputs.labels = { shape: [batchSize], dtype: "int32" };
  const { noiseSize } = network;
  if (noiseSize) inputs.noise = { shape: [batchSize, noiseSize], dtype: "float32" };
  for (const { name, shape } of network.parameters) {
    inputs[`weights/${name}`] = { shape, dtype: "float32" };
  }
  const compiled: CompiledFunction = await engine.compileFunction((given) => {
    const { output } = applyNetwork(network, section(given, "weights"), given.x, {
      training: false,
      labels: given.labels as tf.Tensor1D | undefined,
      noise: given.noise,
    });
    return { output };
  }, inputs);
  const inputSize = elementCount(network.spec.inputShape);
  const outputSize = elementCount(network.outputShape);
  return {
    async run(weights, x, { labels, seeds } = {}) {
      const count = x.shape[0];
      const data = new Float32Array(count * outputSize);
      const named = withPrefix("weights", weights);
      for (let first = 0; first < count; first += batchSize) {
        const size = Math.min(batchSize, count - first);
        const part = new Float32Array(batchSize * inputSize);
        part.set((x.data as Float32Array).subarray(first * inputSize, (first + size) * inputSize));
        const given: HostTensors = { ...named, x: { ...x, shape: inputs.x.shape, data: part } };
        if (network.usesLabels) {
          const classes = new Int32Array(batchSize);
          if (labels) classes.set(labels.subarray(first, first + size));
          given.labels = { shape: [batchSize], dtype: "int32", data: classes };
        }
        if (noiseSize) {
          const noise = new Float32Array(batchSize * noiseSize);
          for (let i = 0; i < size; i++) {
            const seed = seeds?.[first + i] ?? first + i;
            fillNoise(noise.subarray(i * noiseSize, (i + 1) * noiseSize), seed);
          }
          given.noise = { shape: [batchSize, noiseSize], dtype: "float32", data: noise };
        }
        const { output } = await compiled.run(given);
        data.set((output.data as Float32Array).subarray(0, size * outputSize), first * outputSize);
      }
      return { shape: [count, ...network.outputShape], dtype: "float32", data };
    },
    dispose: () => compiled.dispose(),
  };
}
