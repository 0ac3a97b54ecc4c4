/** The two players' parameters and optimiser state, and how they are laid out in a run's state. */
import type { HostTensors, TensorMap } from "../tensor/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { initialParameters, type Network } from "../nn/mod.ts";
import { initialSlots } from "./optimizers.ts";
import { section, withPrefix } from "./tensor_names.ts";

/** What stays the same from step to step. */
export interface Game {
  config: RunConfig;
  generator: Network;
  discriminator: Network;
}

/** Both players' parameters (with running statistics) and optimiser slots. */
export interface Players {
  generator: TensorMap;
  discriminator: TensorMap;
  generatorSlots: TensorMap;
  discriminatorSlots: TensorMap;
}

/** The parameters that the optimiser changes. */
export function trainable(network: Network, params: TensorMap): TensorMap {
  const names = network.parameters.filter((parameter) => parameter.trainable);
  return Object.fromEntries(names.map(({ name }) => [name, params[name]]));
}

/** Takes a state apart. */
export function readPlayers(state: TensorMap): Players {
  return {
    generator: section(state, "generator"),
    discriminator: section(state, "discriminator"),
    generatorSlots: section(state, "generatorOptimizer"),
    discriminatorSlots: section(state, "discriminatorOptimizer"),
  };
}

/** Puts a state together; the average is the caller's. */
export function writePlayers(players: Players): TensorMap {
  return {
    ...withPrefix("generator", players.generator),
    ...withPrefix("discriminator", players.discriminator),
    ...withPrefix("generatorOptimizer", players.generatorSlots),
    ...withPrefix("discriminatorOptimizer", players.discriminatorSlots),
  };
}

/** Both players and, where the config keeps one, the average, before the first step. */
export function initialState(game: Game, seed: number): HostTensors {
  const { config, generator, discriminator } = game;
  const generatorParams = initialParameters(generator, seed);
  const discriminatorParams = initialParameters(discriminator, seed, generator.parameters.length);
  const trainableOf = (network: Network, params: HostTensors): HostTensors =>
    Object.fromEntries(
      network.parameters.filter((parameter) => parameter.trainable)
        .map(({ name }) => [name, params[name]]),
    );
  const state: HostTensors = {
    ...withPrefix("generator", generatorParams),
    ...withPrefix("discriminator", discriminatorParams),
    ...withPrefix(
      "generatorOptimizer",
      initialSlots(config.generatorOptimizer, trainableOf(generator, generatorParams)),
    ),
    ...withPrefix(
      "discriminatorOptimizer",
      initialSlots(config.discriminatorOptimizer, trainableOf(discriminator, discriminatorParams)),
    ),
  };
  if (config.ema) {
    const copies = Object.entries(generatorParams).map(([name, value]) =>
      [name, { ...value, data: value.data.slice() }] as const
    );
    Object.assign(state, withPrefix("ema", Object.fromEntries(copies)));
  }
  return state;
}
