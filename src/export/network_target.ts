/** A network of this project as a target of the export. */
import { toCpuTensors } from "../tensor/cpu_tensors.ts";
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";
import { applyNetwork, buildNetwork } from "../nn/mod.ts";
import { LABEL, LATENT, type NetworkTarget, NOISE, type PreparedTarget } from "./target.ts";

/** Makes a network ready. @throws {UserError} when it is no generator */
export function prepareNetwork({ spec, weights }: NetworkTarget): PreparedTarget {
  const network = buildNetwork(spec);
  const layer = network.layers.find(({ type }) => type === "minibatch-stddev");
  if (layer !== undefined) {
    throw new UserError(
      `Cannot export layer ${layer.name} (minibatch-stddev): what it gives for one sample depends on ` +
        "the others of the batch; it belongs into a discriminator, take it out of the generator",
    );
  }
  const { inputShape } = network.spec;
  if (inputShape.length !== 1) {
    throw new UserError(
      `Cannot export a network that takes samples of shape [${inputShape}] as a generator: a ` +
        "generator takes a vector; export other networks as a function of tensors",
    );
  }
  const parameters = toCpuTensors(weights);
  return {
    inputs: {
      [LATENT]: { shape: ["N", ...inputShape], dtype: "float32" },
      ...(network.usesLabels ? { [LABEL]: { shape: ["N"], dtype: "int32" as const } } : {}),
      ...(network.noiseSize
        ? { [NOISE]: { shape: ["N", network.noiseSize], dtype: "float32" as const } }
        : {}),
    },
    apply(given) {
      const { output } = applyNetwork(network, parameters, given[LATENT], {
        training: false,
        compact: true,
        labels: given[LABEL] as tf.Tensor1D | undefined,
        noise: given[NOISE],
        enterLayer: (name, apply) => tf.tidy(name, apply),
      });
      return { output };
    },
    weights: parameters,
    dims: [
      ...network.parameters.flatMap(({ shape }) => shape),
      ...network.layers.flatMap(({ outputShape }) => outputShape),
      network.noiseSize,
    ],
    classCount: network.spec.classCount,
    isOwn: true,
    release: () => tf.dispose(parameters),
  };
}
