/**
 * A model's state before the first step.
 *
 * State names: `<network>/...` (parameters and buffers), `<update>Optimizer/...`, `ema/<network>/...`
 * where an EMA is kept, and `history/<value>/...`.
 */
import type { ModelSpec } from "../../config/model.ts";
import { initialParameters } from "../../nn/mod.ts";
import type { HostTensors } from "../../tensor/types.ts";
import { trainable } from "../gan_state.ts";
import { initialSlots } from "../optimizers.ts";
import { section, withPrefix } from "../tensor_names.ts";
import type { BuiltModel } from "./build_model.ts";
import { emptyHistory } from "./image_history.ts";

/** What a model's state and its steps are made from. */
export interface ModelParts {
  model: ModelSpec;
  built: BuiltModel;
  batchSize: number;
  /** Whether an EMA of the output's networks is kept. */
  hasEma: boolean;
}

/** Parameters, the optimizers' slots and histories before the first step. */
export function initialModelState(parts: ModelParts, seed: number): HostTensors {
  const state: HostTensors = initialNetworks(parts, seed);
  addOptimizerSlots(state, parts);
  for (const [name, { of, size }] of Object.entries(parts.built.histories)) {
    const history = emptyHistory(size, parts.built.shapes[of]);
    Object.assign(state, withPrefix(`history/${name}`, history));
  }
  if (parts.hasEma) addEma(state, parts);
  return state;
}

function initialNetworks({ built: { networks } }: ModelParts, seed: number): HostTensors {
  const state: HostTensors = {};
  let first = 0; // each parameter draws its values at an address of its own
  for (const [name, network] of Object.entries(networks)) {
    Object.assign(state, withPrefix(name, initialParameters(network, seed, first)));
    first += network.parameters.length;
  }
  return state;
}

function addOptimizerSlots(state: HostTensors, { model, built }: ModelParts): void {
  for (const { name, networks, optimizer } of model.updates) {
    const changed: HostTensors = {};
    for (const network of networks) {
      const parameters = trainable(built.networks[network], section(state, network));
      Object.assign(changed, withPrefix(network, parameters));
    }
    Object.assign(state, withPrefix(`${name}Optimizer`, initialSlots(optimizer, changed)));
  }
}

function addEma(state: HostTensors, { built }: ModelParts): void {
  for (const network of built.outputNetworks) {
    for (const [name, tensor] of Object.entries(section(state, network))) {
      state[`ema/${network}/${name}`] = { ...tensor, data: tensor.data.slice() };
    }
  }
}
