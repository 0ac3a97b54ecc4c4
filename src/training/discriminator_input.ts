/**
 * What the discriminator gets of samples, in both networks' updates: augmented, then noisy, then packed.
 * Penalties are taken at these inputs.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { RunConfig } from "../config/run_config.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";
import { augmentWithProbability, diffAugment } from "../objectives/augment.ts";
import { packSamples } from "../objectives/packing.ts";
import { augmentProbability } from "./adaptive.ts";

/** What of a config decides how samples reach the discriminator. */
export type DiscriminatorInputConfig = Pick<RunConfig, "augment" | "pack">;

/** The values of one step that augmentation depends on. */
export interface AugmentationState {
  /** The probability of each augmentation, where it changes during training: `[1]` or a scalar. */
  probability: tf.Tensor | undefined;
  /** The standard deviation of instance noise, a scalar, where there is some. */
  noiseSigma: tf.Tensor | undefined;
}

/** Reads {@linkcode AugmentationState} from a step's state and inputs. */
export function augmentationState(state: TensorMap, inputs: TensorMap): AugmentationState {
  return {
    probability: augmentProbability(state) ?? inputs.augmentProbability,
    noiseSigma: inputs.noiseSigma,
  };
}

/**
 * Draws, only where the config asks for it: the values of each policy, then the noise (normal, the
 * shape of the samples).
 * @param samples `[n, ...sample]`
 * @returns `[n / pack, ..., channels * pack]`
 */
export function discriminatorInput(
  { augment, pack = DEFAULTS.pack }: DiscriminatorInputConfig,
  samples: tf.Tensor,
  { augmentation, random }: { augmentation: AugmentationState; random: StepRandom },
): tf.Tensor {
  let augmented = samples;
  if (augment) {
    const { policies } = augment;
    const probability = augmentation.probability ?? augment.probability ??
      DEFAULTS.augment.probability;
    augmented = probability === 1
      ? diffAugment(augmented as tf.Tensor4D, policies, random)
      : augmentWithProbability(augmented as tf.Tensor4D, policies, { probability, random });
  }
  if (augmentation.noiseSigma) {
    const noise = tf.mul(random.normal(augmented.shape), augmentation.noiseSigma);
    augmented = tf.add(augmented, noise);
  }
  return packSamples(augmented, pack);
}
