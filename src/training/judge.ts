/** The discriminator's look at reals and fakes: in two batches, or joined in one. */
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { type ApplyContext, applyNetwork, type Network } from "../nn/mod.ts";
import { type HeadOutput, splitHead } from "../objectives/classification.ts";

/** A discriminator with its parameters. */
export interface Judge {
  network: Network;
  params: TensorMap;
}

/** What a discriminator says. */
export interface Judged {
  real: HeadOutput;
  fake: HeadOutput;
  /** New values of its buffers. */
  updates: TensorMap;
}

/** Real and fake in batches of their own, the way PyTorch recipes do it: two sets of batch statistics. */
export function judgeApart(
  { network, params }: Judge,
  { real, fake }: { real: tf.Tensor; fake: tf.Tensor },
  context: ApplyContext,
): Judged {
  const first = applyNetwork(network, params, real, context);
  const second = applyNetwork(network, { ...params, ...first.updates }, fake, context);
  return {
    real: splitHead(first.output),
    fake: splitHead(second.output),
    updates: { ...first.updates, ...second.updates },
  };
}

/** Real and fake as one batch. */
export function judgeTogether(
  { network, params }: Judge,
  { real, fake }: { real: tf.Tensor; fake: tf.Tensor },
  context: ApplyContext,
): Judged {
  const count = real.shape[0];
  const labels = context.labels && tf.concat([context.labels, context.labels]) as tf.Tensor1D;
  const both = applyNetwork(network, params, tf.concat([real, fake]), { ...context, labels });
  return {
    real: splitHead(tf.slice(both.output, 0, count)),
    fake: splitHead(tf.slice(both.output, count, count)),
    updates: both.updates,
  };
}
