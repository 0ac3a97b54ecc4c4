/** Weights that stay as they are while the rest of a network is trained. */
import { UserError } from "../errors.ts";
import type { Network } from "./types.ts";

/**
 * A network whose first layers are not trained, as FreezeD does with a discriminator that was trained
 * before (Mo, Cho and Shin 2020, "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs").
 * Running statistics go on.
 * @param count of the layers that have weights, from the input on; those of blocks count one by one
 * @param name of the network in the message
 * @throws {UserError} when nothing would be left to train
 */
export function withFrozenLayers(network: Network, count: number, name: string): Network {
  if (count === 0) return network;
  const layerOf = (parameter: string) => parameter.slice(0, parameter.lastIndexOf("/"));
  const weights = network.parameters.filter(({ trainable }) => trainable);
  const layers = [...new Set(weights.map((parameter) => layerOf(parameter.name)))];
  if (count >= layers.length) {
    throw new UserError(
      `Cannot freeze ${count} layers of the ${name}: ${layers.length} have weights, and one at least has ` +
        `to be trained; freeze ${layers.length - 1} or fewer`,
    );
  }
  const frozen = new Set(layers.slice(0, count));
  const parameters = network.parameters.map((parameter) =>
    frozen.has(layerOf(parameter.name)) ? { ...parameter, trainable: false } : parameter
  );
  return { ...network, parameters };
}
