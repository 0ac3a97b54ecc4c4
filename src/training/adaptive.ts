/**
 * Adaptive augmentation (Karras et al. 2020, "Training Generative Adversarial Networks with Limited
 * Data", section 3): the probability of a transform grows while the discriminator is too confident on
 * reals, and shrinks otherwise. It is part of the step's state, so a resumed run continues with the same
 * bits, and no engine has to stop for it.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { AugmentSpec } from "../config/stability.ts";
import { withoutTape } from "../tensor/tape.ts";
import { tf } from "../tensor/tf.ts";
import type { HostTensors, TensorMap } from "../tensor/types.ts";

/** State names: the probability, and the sum of mean signs since it last moved; each `[1]`. */
const PROBABILITY = "augment/probability";
const SIGNS = "augment/signs";

const ADAPTIVE = DEFAULTS.augment.adaptive;

/** The state before the first step; nothing where the probability is fixed. */
export function initialAugment(spec: AugmentSpec | undefined): HostTensors {
  if (!spec?.adaptive) return {};
  const one = (value: number) => ({
    shape: [1],
    dtype: "float32" as const,
    data: Float32Array.of(value),
  });
  return {
    [PROBABILITY]: one(spec.probability ?? DEFAULTS.augment.adaptiveProbability),
    [SIGNS]: one(0),
  };
}

/** The probability of a transform in a step's state, `[1]`, where it adapts. */
export function augmentProbability(state: TensorMap): tf.Tensor | undefined {
  return state[PROBABILITY];
}

/** 1 at steps (counted from 0) after which the probability moves, else 0. */
export function augmentMoves(spec: AugmentSpec, step: number): number {
  const { everySteps = ADAPTIVE.everySteps } = spec.adaptive ?? {};
  return (step + 1) % everySteps === 0 ? 1 : 0;
}

/**
 * How confident a discriminator is: the mean sign of its logits on reals, or of `r - f` where the
 * objective compares pairs. A scalar in [-1, 1].
 */
export function meanSign(
  { real, fake }: { real: tf.Tensor; fake: tf.Tensor },
  inPairs: boolean,
): tf.Tensor {
  return withoutTape(() => tf.mean(tf.sign(inPairs ? tf.sub(real, fake) : real)));
}

/**
 * The state after a step: at a move, `p += sign(r - target) everySteps samplesPerStep / speedImages`,
 * kept in [0, 1], `r` the mean sign since the last move.
 * @param moves 1 or 0, {@linkcode augmentMoves}
 */
export function updateAugment(
  spec: AugmentSpec,
  state: TensorMap,
  { sign, moves, samplesPerStep }: { sign: tf.Tensor; moves: tf.Tensor; samplesPerStep: number },
): TensorMap {
  const { target = ADAPTIVE.target, everySteps = ADAPTIVE.everySteps } = spec.adaptive ?? {};
  const { speedImages = ADAPTIVE.speedImages } = spec.adaptive ?? {};
  const signs = tf.add(state[SIGNS], sign); // [1]
  const direction = tf.sign(tf.sub(tf.div(signs, everySteps), target));
  const move = tf.mul(tf.mul(direction, everySteps * samplesPerStep / speedImages), moves);
  return {
    [PROBABILITY]: tf.clipByValue(tf.add(state[PROBABILITY], move), 0, 1),
    [SIGNS]: tf.mul(signs, tf.sub(1, moves)),
  };
}
