/** A trained model as a function: any of its values from its inputs, as they are used after training. */
import type { Network } from "../../nn/mod.ts";
import type { ModelSpec } from "../../config/model.ts";
import type { StepRandom, TensorMap } from "../../tensor/types.ts";
import { section } from "../tensor_names.ts";
import { inputsOf, networksOf, StepValues } from "./values.ts";
import type { HostTensors } from "../../tensor/types.ts";

/** A model and how it is applied. */
export interface ModelApplication {
  spec: ModelSpec;
  networks: Readonly<Record<string, Network>>;
  /** The values that are wanted. */
  outputs: readonly string[];
}

/** The inputs that some values need, and the networks that they go through. */
export function requirementsOf(
  spec: ModelSpec,
  outputs: readonly string[],
): { inputs: string[]; networks: string[] } {
  const networks = new Set(outputs.flatMap((output) => [...networksOf(spec, output)]));
  return { inputs: inputsOf(spec, outputs), networks: [...networks] };
}

/** Weights for use: those of the EMA where the state has one, else the trained ones, by network. */
export function weightsForUse(
  state: HostTensors,
  networks: readonly string[],
): Record<string, HostTensors> {
  return Object.fromEntries(networks.map((network) => {
    const averaged = section(state, `ema/${network}`);
    return [network, Object.keys(averaged).length ? averaged : section(state, network)];
  }));
}

/**
 * Computes values with running statistics and without dropout, but for what stays random at sampling.
 * @param params of each network
 * @param inputs by name, `[n, ...shape]`
 * @param random where layers that stay random draw from
 * @param compact whether to use kernels without gradients, as files do
 */
export function applyModel(
  { spec, networks, outputs }: ModelApplication,
  { params, inputs, random, compact = false }: {
    params: Record<string, TensorMap>;
    inputs: TensorMap;
    random: Pick<StepRandom, "uniform">;
    compact?: boolean;
  },
): TensorMap {
  const values = new StepValues({
    spec,
    networks,
    params,
    inputs,
    given: {},
    context: { training: false, anySize: true, compact },
    noiseFor: (shape) => random.uniform(shape),
  });
  return Object.fromEntries(outputs.map((output) => [output, values.get(output)]));
}
