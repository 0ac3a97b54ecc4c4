/** Runs the discriminator on reals and fakes: in two batches, or joined in one. */
import type { UpdateSpec } from "../config/update.ts";
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { type ApplyContext, applyNetwork, type Network } from "../nn/mod.ts";
import { randomInParts } from "./rank_share.ts";
import { type HeadOutput, splitHead } from "../objectives/classification.ts";

/** A network with its parameters. */
export interface ParameterizedNetwork {
  network: Network;
  params: TensorMap;
}

/** The batches that a discriminator compares, `[batch, ...sample]` each. */
export interface RealAndFake {
  real: tf.Tensor;
  fake: tf.Tensor;
}

/** The discriminator's outputs on reals and fakes. */
export interface DiscriminatorOutputs {
  real: HeadOutput;
  fake: HeadOutput;
  /** New values of its buffers. */
  updates: TensorMap;
}

/**
 * Runs the discriminator on both batches.
 *
 * - `"separate"`: one after the other, as PyTorch recipes do; batch norm sees two sets of statistics
 * - `"concatenated"`: as one batch
 */
export function discriminate(
  discriminator: ParameterizedNetwork,
  batches: RealAndFake,
  { mode, context }: { mode: UpdateSpec["discriminatorBatch"]; context: ApplyContext },
): DiscriminatorOutputs {
  switch (mode) {
    case "separate":
      return discriminateSeparately(discriminator, batches, context);
    case "concatenated":
      return discriminateConcatenated(discriminator, batches, context);
  }
}

function discriminateSeparately(
  { network, params }: ParameterizedNetwork,
  { real, fake }: RealAndFake,
  context: ApplyContext,
): DiscriminatorOutputs {
  const first = applyNetwork(network, params, real, context);
  const second = applyNetwork(network, { ...params, ...first.updates }, fake, context);
  return {
    real: splitHead(first.output),
    fake: splitHead(second.output),
    updates: { ...first.updates, ...second.updates },
  };
}

function discriminateConcatenated(
  { network, params }: ParameterizedNetwork,
  { real, fake }: RealAndFake,
  context: ApplyContext,
): DiscriminatorOutputs {
  const count = real.shape[0];
  const labels = context.labels && tf.concat([context.labels, context.labels]) as tf.Tensor1D;
  const both = applyNetwork(network, params, tf.concat([real, fake]), {
    ...context,
    labels,
    random: randomInParts(context.random, 2),
  });
  return {
    real: splitHead(tf.slice(both.output, 0, count)),
    fake: splitHead(tf.slice(both.output, count, count)),
    updates: both.updates,
  };
}
