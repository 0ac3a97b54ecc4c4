/** What a discriminator with a `classifier-head` gives: the logit, and the classes' logits. */
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";

/** A discriminator's output, taken apart. */
export interface HeadOutput {
  /** Real against fake: `[n, 1]`, or a map of logits `[n, h, w, 1]`. */
  logit: tf.Tensor;
  /** `[n, classes]`, where the discriminator classifies. */
  classes: tf.Tensor2D | undefined;
}

/**
 * Takes the output of a discriminator apart.
 * @param output `[n, 1]`, `[n, 1 + classes]`, or a map of logits `[n, h, w, 1]`
 */
export function splitHead(output: tf.Tensor): HeadOutput {
  const width = output.shape[output.rank - 1]!;
  if (width === 1) return { logit: output, classes: undefined };
  return {
    logit: tf.slice(output, [0, 0], [-1, 1]),
    classes: tf.slice(output as tf.Tensor2D, [0, 1], [-1, width - 1]),
  };
}

/**
 * One logit per sample: the mean over its map, where a discriminator gives one for each patch (Isola et al.
 * 2017, section 3.2.2). A penalty holds the gradient of this mean.
 * @param logit `[n, 1]` or `[n, h, w, 1]` @returns `[n, 1]`
 */
export function sampleLogits(logit: tf.Tensor): tf.Tensor {
  return logit.rank === 2 ? logit : tf.mean(logit, [1, 2]);
}

/**
 * The mean cross entropy of logits and classes, `ln sum_k exp(l_k) - l_y`, the largest logit taken out
 * first so that no exponential overflows (Odena et al. 2017 maximize minus this).
 * @param logits `[n, classes]`
 * @param labels `[n]`, int32
 */
export function classCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const largest = withoutTape(() => tf.max(logits, 1, true));
  const centered = tf.sub(logits, largest);
  const oneHot = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  const own = tf.sum(tf.mul(centered, oneHot), 1);
  return tf.mean(tf.sub(tf.log(tf.sum(tf.exp(centered), 1)), own));
}
