/** The generators that `deno task bench:sampling` exports and draws from; bench/pytorch_sampling.py has the same. */
import type { NetworkSpec } from "../../src/config/network.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import type { LatentSpec } from "../../src/config/update.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { fillUniform, STREAMS } from "../../src/random/counter_random.ts";

/** Presets whose generators are measured. */
export const SAMPLING_CASES = ["mnist-mlp", "cifar-dcgan"] as const;

/** See {@linkcode SAMPLING_CASES}. */
export type SamplingCase = typeof SAMPLING_CASES[number];

/** Samples in a run of the network. */
export const BATCHES: readonly number[] = [1, 64];

/** A generator that is ready to be exported. */
export interface UntrainedGenerator {
  spec: NetworkSpec;
  weights: HostTensors;
  latent: LatentSpec;
}

/**
 * A preset's generator with the weights that it starts from. Running statistics are moved off 0 and 1,
 * as training does: exported as they start they would fold into next to nothing.
 */
export function untrainedGenerator(name: SamplingCase): UntrainedGenerator {
  const { generator: spec, latent } = presetConfig(name);
  const network = buildNetwork(spec);
  const weights = initialParameters(network, 0);
  network.parameters.forEach(({ name, trainable }, index) => {
    if (trainable) return;
    const data = weights[name].data as Float32Array;
    fillUniform(data, { seed: 1, stream: STREAMS.initializer, step: index });
    const isVariance = name.endsWith("variance");
    for (let i = 0; i < data.length; i++) data[i] = isVariance ? data[i] + 0.5 : data[i] - 0.5;
  });
  return { spec, weights, latent };
}
