/**
 * What the discriminator is shown of samples, in both players' updates: augmented, then noisy, then
 * packed. Penalties are taken where the discriminator looks.
 */
import type { RunConfig } from "../config/run_config.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";
import { augmentByChance, diffAugment } from "../objectives/augment.ts";
import { packSamples } from "../objectives/packing.ts";

/** The numbers of a step that decide the view. */
export interface ViewNumbers {
  /** The chance of each augmentation, where it moves. */
  augmentProbability: tf.Tensor | undefined;
  /** The deviation of instance noise, a scalar, where there is some. */
  noiseSigma: tf.Tensor | undefined;
}

/** Finds the view's numbers among a step's state and inputs. */
export function viewNumbers(state: TensorMap, inputs: TensorMap): ViewNumbers {
  return {
    augmentProbability: state["augment/probability"],
    noiseSigma: inputs.noiseSigma,
  };
}

/**
 * Draws, only where the config asks for them: each policy's numbers, then the noise (normal, the shape
 * of the samples).
 * @param samples `[n, ...sample]`
 * @returns `[n / pack, ..., channels * pack]`
 */
export function showSamples(
  config: RunConfig,
  samples: tf.Tensor,
  { view, random }: { view: ViewNumbers; random: StepRandom },
): tf.Tensor {
  let shown = samples;
  if (config.augment) {
    const { policies } = config.augment;
    const probability = view.augmentProbability ?? config.augment.probability ?? 1;
    shown = probability === 1
      ? diffAugment(shown as tf.Tensor4D, policies, random)
      : augmentByChance(shown as tf.Tensor4D, policies, { probability, random });
  }
  if (view.noiseSigma) shown = tf.add(shown, tf.mul(random.normal(shown.shape), view.noiseSigma));
  return packSamples(shown, config.pack ?? 1);
}
