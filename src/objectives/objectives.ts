/**
 * The losses of both networks. Logits throughout: `r = D(x)` for reals, `f = D(G(z))` for fakes, `sp`
 * is softplus, means over the batch. Cross entropies are written by softplus of the logits, which stays
 * finite and keeps its gradient where a sigmoid has gone to 0 or 1.
 */
import type { ObjectiveName } from "../config/objective.ts";
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";

/** What the discriminator's loss compares. */
export interface DiscriminatorLogits {
  /** `[n, 1]` */
  real: tf.Tensor;
  /** `[n, 1]`, of fakes without a gradient to the generator. */
  fake: tf.Tensor;
  /** The target of reals where the loss has targets; 0.9 is one-sided label smoothing. Default 1. */
  realLabel?: number;
}

/** What the generator's loss looks at. */
export interface GeneratorLogits {
  /** `[n, 1]`; needed where {@linkcode Objective.needsRealsForGenerator}. */
  real?: tf.Tensor;
  /** `[n, 1]` */
  fake: tf.Tensor;
}

/** A pair of losses. */
export interface Objective {
  /** The discriminator's loss, a scalar: the sum of its real and fake parts, each a mean over the batch. */
  discriminatorLoss(logits: DiscriminatorLogits): tf.Scalar;
  /** The generator's loss, a scalar. */
  generatorLoss(logits: GeneratorLogits): tf.Scalar;
  /** Whether the generator's loss compares fakes with reals. */
  needsRealsForGenerator: boolean;
  /** Whether reals have a target, which {@linkcode DiscriminatorLogits.realLabel} may soften. */
  hasRealLabel: boolean;
}

function meanOf(x: tf.Tensor): tf.Scalar {
  return tf.mean(x);
}

/** The mean binary cross entropy of logits and one target: `target sp(-l) + (1 - target) sp(l)`. */
function crossEntropy(logits: tf.Tensor, target: number): tf.Scalar {
  const toOne = target === 0 ? undefined : tf.mul(meanOf(tf.softplus(tf.neg(logits))), target);
  const toZero = target === 1 ? undefined : tf.mul(meanOf(tf.softplus(logits)), 1 - target);
  if (!toOne) return toZero as tf.Scalar;
  return (toZero ? tf.add(toOne, toZero) : toOne) as tf.Scalar;
}

function crossEntropyLoss({ real, fake, realLabel = 1 }: DiscriminatorLogits): tf.Scalar {
  return tf.add(crossEntropy(real, realLabel), crossEntropy(fake, 0));
}

function refuseLabel(name: ObjectiveName, realLabel: number | undefined): void {
  if (realLabel !== undefined && realLabel !== 1) {
    throw new UserError(
      `Cannot use realLabel ${realLabel} with the ${name} objective: it has no target for reals; ` +
        "leave realLabel out",
    );
  }
}

/**
 * Goodfellow et al. 2014, equation 1. D: `sp(-r) + sp(f)`; G: `-sp(f)`, which is log(1 - D(G(z))).
 * At D = 1/2: D's loss is 2 ln 2, and V(G, D) is -2 ln 2.
 */
const minimax: Objective = {
  discriminatorLoss: crossEntropyLoss,
  generatorLoss: ({ fake }) => tf.neg(meanOf(tf.softplus(fake))),
  needsRealsForGenerator: false,
  hasRealLabel: true,
};

/**
 * Goodfellow et al. 2014, section 3: G maximizes log D(G(z)) instead. D: `sp(-r) + sp(f)`; G: `sp(-f)`.
 * At D = 1/2: 2 ln 2 and ln 2.
 */
const nonSaturating: Objective = {
  discriminatorLoss: crossEntropyLoss,
  generatorLoss: ({ fake }) => crossEntropy(fake, 1),
  needsRealsForGenerator: false,
  hasRealLabel: true,
};

/**
 * Mao et al. 2017 (LSGAN), with labels 0 and 1. D: `(r - 1)^2 / 2 + f^2 / 2`; G: `(f - 1)^2 / 2`.
 * At D = 1/2: D's loss is 1/4, G's 1/8.
 */
const leastSquares: Objective = {
  discriminatorLoss: ({ real, fake, realLabel = 1 }) =>
    tf.mul(
      0.5,
      tf.add(meanOf(tf.square(tf.sub(real, realLabel))), meanOf(tf.square(fake))),
    ) as tf.Scalar,
  generatorLoss: ({ fake }) => tf.mul(0.5, meanOf(tf.square(tf.sub(fake, 1)))) as tf.Scalar,
  needsRealsForGenerator: false,
  hasRealLabel: true,
};

/**
 * Lim and Ye 2017 (geometric GAN), Miyato et al. 2018. D: `relu(1 - r) + relu(1 + f)`; G: `-f`.
 * At logits 0: D's loss is 2.
 */
const hinge: Objective = {
  discriminatorLoss({ real, fake, realLabel }) {
    refuseLabel("hinge", realLabel);
    return tf.add(meanOf(tf.relu(tf.sub(1, real))), meanOf(tf.relu(tf.add(1, fake))));
  },
  generatorLoss: ({ fake }) => tf.neg(meanOf(fake)),
  needsRealsForGenerator: false,
  hasRealLabel: false,
};

/**
 * Arjovsky et al. 2017 (WGAN). D: `f - r`; G: `-f`. Needs a critic with bounded gradient: a gradient
 * penalty, clipped weights or spectral normalization. Where the distributions agree D's loss is 0.
 */
const wasserstein: Objective = {
  discriminatorLoss({ real, fake, realLabel }) {
    refuseLabel("wasserstein", realLabel);
    return tf.sub(meanOf(fake), meanOf(real));
  },
  generatorLoss: ({ fake }) => tf.neg(meanOf(fake)),
  needsRealsForGenerator: false,
  hasRealLabel: false,
};

/**
 * Jolicoeur-Martineau 2019 (RpGAN), Huang et al. 2024 (R3GAN): reals and fakes are compared in pairs.
 * D: `sp(-(r - f))`; G: `sp(-(f - r))`. Where the distributions agree both are ln 2.
 */
const relativistic: Objective = {
  discriminatorLoss({ real, fake, realLabel }) {
    refuseLabel("relativistic", realLabel);
    return meanOf(tf.softplus(tf.sub(fake, real)));
  },
  generatorLoss({ real, fake }) {
    if (!real) throw new TypeError("The relativistic generator loss needs the logits of reals");
    return meanOf(tf.softplus(tf.sub(real, fake)));
  },
  needsRealsForGenerator: true,
  hasRealLabel: false,
};

/** Every objective by name. */
export const objectives: Record<ObjectiveName, Objective> = {
  "minimax": minimax,
  "non-saturating": nonSaturating,
  "least-squares": leastSquares,
  "hinge": hinge,
  "wasserstein": wasserstein,
  "relativistic": relativistic,
};
