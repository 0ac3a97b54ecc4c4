/** Applying a network to a batch. */
import type { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import type { ApplyContext, LayerCall, Network } from "./types.ts";

/**
 * Applies a network. Pure: new values of its buffers (running statistics, singular vectors) come back
 * as `updates`, and only while training.
 *
 * @param params every parameter of the network by name; others are ignored
 * @param x `[n, ...network.spec.inputShape]`
 * @returns `output` `[n, ...network.outputShape]`
 * @throws {TypeError} where a parameter, the labels or the noise are missing, or `x` has another shape
 */
export function applyNetwork(
  network: Network,
  params: TensorMap,
  x: tf.Tensor,
  context: ApplyContext,
): { output: tf.Tensor; updates: TensorMap } {
  for (const { name } of network.parameters) {
    if (!params[name]) {
      throw new TypeError(`Cannot apply the network: parameter ${name} is missing`);
    }
  }
  const wanted = network.spec.inputShape;
  const fixed = context.anySize && wanted.length === 3 ? [2] : wanted.keys().toArray(); // channels
  if (x.rank !== wanted.length + 1 || fixed.some((i) => x.shape[i + 1] !== wanted[i])) {
    throw new TypeError(
      `Cannot apply the network to a batch of shape [${x.shape}]: it takes [n,${wanted}]`,
    );
  }
  if (network.usesLabels && !context.labels) {
    throw new TypeError("Cannot apply the network: it uses labels, and context.labels is missing");
  }
  const { noiseSize } = network;
  const { training, noise } = context;
  if (!training && noiseSize > 0 && noise?.shape.join() !== [x.shape[0], noiseSize].join()) {
    throw new TypeError(
      `Cannot apply the network: context.noise is ${
        noise ? `[${noise.shape}]` : "missing"
      }, and its ` +
        `dropout at sampling takes [${x.shape[0]},${noiseSize}]`,
    );
  }
  const call: LayerCall = { ...context, parameters: params, updates: {} };
  return { output: network.forward(x, call), updates: call.updates };
}
