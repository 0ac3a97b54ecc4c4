/** Both networks' parameters and optimizer slots, and how they are laid out in a run's state. */
import type { HostTensors, TensorMap } from "../tensor/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { initialParameters, type Network } from "../nn/mod.ts";
import { initialSlots } from "./optimizers.ts";
import { section, withPrefix } from "./tensor_names.ts";

/** The two networks of a GAN. */
export interface GanNetworks {
  generator: Network;
  discriminator: Network;
}

/** Both networks' parameters (with running statistics) and optimizer slots. */
export interface GanState {
  generator: TensorMap;
  discriminator: TensorMap;
  generatorSlots: TensorMap;
  discriminatorSlots: TensorMap;
}

/** What the first state depends on. */
export type InitialStateConfig = Pick<
  RunConfig,
  "generatorOptimizer" | "discriminatorOptimizer" | "ema"
>;

/** The parameters that the optimizer changes. */
export function trainable<Value>(
  network: Network,
  params: Record<string, Value>,
): Record<string, Value> {
  const names = network.parameters.filter((parameter) => parameter.trainable);
  return Object.fromEntries(names.map(({ name }) => [name, params[name]]));
}

/** Takes a run's state apart. */
export function readGanState(state: TensorMap): GanState {
  return {
    generator: section(state, "generator"),
    discriminator: section(state, "discriminator"),
    generatorSlots: section(state, "generatorOptimizer"),
    discriminatorSlots: section(state, "discriminatorOptimizer"),
  };
}

/** Puts a run's state together; EMA weights and augmentation are the caller's to add. */
export function writeGanState(state: GanState): TensorMap {
  return {
    ...withPrefix("generator", state.generator),
    ...withPrefix("discriminator", state.discriminator),
    ...withPrefix("generatorOptimizer", state.generatorSlots),
    ...withPrefix("discriminatorOptimizer", state.discriminatorSlots),
  };
}

/** Both networks, their optimizers and, where the config asks for them, EMA weights before the first step. */
export function initialState(
  { generator, discriminator }: GanNetworks,
  config: InitialStateConfig,
  seed: number,
): HostTensors {
  const generatorParams = initialParameters(generator, seed);
  const discriminatorParams = initialParameters(discriminator, seed, generator.parameters.length);
  const generatorSlots = initialSlots(
    config.generatorOptimizer,
    trainable(generator, generatorParams),
  );
  const discriminatorSlots = initialSlots(
    config.discriminatorOptimizer,
    trainable(discriminator, discriminatorParams),
  );
  return {
    ...withPrefix("generator", generatorParams),
    ...withPrefix("discriminator", discriminatorParams),
    ...withPrefix("generatorOptimizer", generatorSlots),
    ...withPrefix("discriminatorOptimizer", discriminatorSlots),
    ...(config.ema ? withPrefix("ema", copyTensors(generatorParams)) : {}),
  };
}

function copyTensors(tensors: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { ...tensor, data: tensor.data.slice() },
    ]),
  );
}
