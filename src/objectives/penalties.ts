/**
 * Penalties on the norm of the discriminator's gradient. Each takes the gradient of the summed logits with respect to
 * the samples, which is each sample's own gradient as long as no layer mixes samples, and is itself
 * differentiated: everything in the critic needs a right second derivative.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { ObjectiveSpec } from "../config/objective.ts";
import { tf } from "../tensor/tf.ts";
import type { StepRandom } from "../tensor/types.ts";

/** A discriminator as a function of samples. `[n, ...sample] -> [n, 1]` */
export type Critic = (samples: tf.Tensor) => tf.Tensor;

/** Inside the square root of a norm, whose gradient would be infinite at 0. */
const NORM_EPSILON = 1e-12;

/** |grad_x D(x)|^2 of each sample, summed over all its values. @returns `[n]` */
export function squaredGradientNorms(critic: Critic, samples: tf.Tensor): tf.Tensor1D {
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(critic(x)))(samples);
  const count = samples.shape[0];
  return tf.sum(tf.square(tf.reshape(gradient, [count, -1])), 1);
}

/** The mean of `(|grad D(x)| - target)^2` over the samples. */
function gradientNormDeviation(critic: Critic, samples: tf.Tensor, target: number): tf.Scalar {
  const norms = tf.sqrt(tf.add(squaredGradientNorms(critic, samples), NORM_EPSILON));
  return tf.mean(tf.square(tf.sub(norms, target)));
}

/**
 * Points between reals and fakes: `a x + (1 - a) G(z)` with one `a` for each pair.
 * @param share `a`, `[n, 1, ...]`, from U[0, 1)
 */
function interpolate(real: tf.Tensor, fake: tf.Tensor, share: tf.Tensor): tf.Tensor {
  return tf.add(fake, tf.mul(share, tf.sub(real, fake)));
}

/**
 * WGAN-GP (Gulrajani et al. 2017, equation 3): `mean (|grad D(xhat)| - target)^2` at points between
 * reals and fakes. Unweighted; the paper's weight is 10, its target 1.
 */
export function gradientPenalty(
  critic: Critic,
  { real, fake, share, target = DEFAULTS.objective.penaltyTarget }: {
    real: tf.Tensor;
    fake: tf.Tensor;
    share: tf.Tensor;
    target?: number;
  },
): tf.Scalar {
  return gradientNormDeviation(critic, interpolate(real, fake, share), target);
}

/**
 * DRAGAN (Kodali et al. 2017, section 2.3): the gradient penalty around the data, at `x + s noise`,
 * where `s` is `deviation` times the standard deviation of all values of the batch. Unweighted; the
 * paper's weight is 10, its target 1, and its authors' program takes a deviation of 0.5.
 * @param noise N(0, 1) of the shape of `real`
 */
export function draganPenalty(
  critic: Critic,
  {
    real,
    noise,
    target = DEFAULTS.objective.penaltyTarget,
    deviation = DEFAULTS.objective.draganDeviation,
  }: {
    real: tf.Tensor;
    noise: tf.Tensor;
    target?: number;
    deviation?: number;
  },
): tf.Scalar {
  const spread = tf.sqrt(tf.mean(tf.square(tf.sub(real, tf.mean(real)))));
  const around = tf.add(real, tf.mul(noise, tf.mul(spread, deviation)));
  return gradientNormDeviation(critic, around, target);
}

/**
 * R1 at reals, R2 at fakes (Mescheder et al. 2018, section 4.1): `mean |grad D(x)|^2 / 2`, the square
 * summed over a sample's values. Unweighted: multiply by gamma.
 */
export function zeroCenteredPenalty(critic: Critic, samples: tf.Tensor): tf.Scalar {
  return tf.mul(0.5, tf.mean(squaredGradientNorms(critic, samples)));
}

/** The samples that penalties look at. */
export interface PenaltyInputs {
  /** The discriminator with its parameters. */
  critic: Critic;
  /** `[n, ...sample]` */
  real: tf.Tensor;
  /** `[n, ...sample]`, without a gradient to the generator. */
  fake: tf.Tensor;
  /** Where shares and noise come from. */
  random: StepRandom;
  /** The weight of R1 and R2, a scalar, in place of the objective's own. */
  gamma?: tf.Tensor;
}

/**
 * The weighted sum of all penalties that an objective asks for, or nothing where it asks for none.
 * Draws, in this order and only where needed: the gradient penalty's shares (uniform, one a sample),
 * DRAGAN's noise (normal, the shape of the reals); the critic draws its own.
 */
export function discriminatorPenalties(
  spec: ObjectiveSpec,
  { critic, real, fake, random, gamma }: PenaltyInputs,
): tf.Scalar | undefined {
  const terms: tf.Scalar[] = [];
  const add = (weight: number | tf.Tensor, term: tf.Scalar): void => {
    terms.push(tf.mul(weight, term) as tf.Scalar);
  };
  if (spec.gradientPenalty) {
    const { weight, target } = spec.gradientPenalty;
    const share = random.uniform([real.shape[0], ...real.shape.slice(1).map(() => 1)]);
    add(weight, gradientPenalty(critic, { real, fake, share, target }));
  }
  if (spec.dragan) {
    const { weight, target, deviation } = spec.dragan;
    const noise = random.normal(real.shape);
    add(weight, draganPenalty(critic, { real, noise, target, deviation }));
  }
  if (spec.r1) add(gamma ?? spec.r1.gamma, zeroCenteredPenalty(critic, real));
  if (spec.r2) add(gamma ?? spec.r2.gamma, zeroCenteredPenalty(critic, fake));
  return terms.length === 0 ? undefined : terms.reduce((sum, term) => tf.add(sum, term));
}
