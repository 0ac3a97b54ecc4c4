/** One update of each network: losses, gradients, optimizer. Pure functions of tensors. */
import { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";
import { logitKind } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import { valueAndGradients } from "../nn/gradients.ts";
import { applyNetwork } from "../nn/mod.ts";
import { classCrossEntropy, sampleLogits, splitHead } from "../objectives/classification.ts";
import { objectives } from "../objectives/objectives.ts";
import { discriminatorPenalties } from "../objectives/penalties.ts";
import { meanSign } from "./adaptive.ts";
import { discriminate } from "./discriminate.ts";
import {
  type AugmentationState,
  discriminatorInput,
  type DiscriminatorInputConfig,
} from "./discriminator_input.ts";
import { type GanNetworks, type GanState, trainable } from "./gan_state.ts";
import { applyUpdate } from "./optimizers.ts";
import { averageOutcome, type RankShare } from "./rank_share.ts";

/** What of a config the updates depend on. */
export type UpdateConfig =
  & DiscriminatorInputConfig
  & Pick<
    RunConfig,
    | "batchSize"
    | "discriminatorOptimizer"
    | "generatorOptimizer"
    | "latent"
    | "objective"
    | "update"
  >;

/** Two networks and how they are trained: the same at each step. */
export interface GanModel extends GanNetworks {
  /** Of this process: its batch is the process's own. */
  config: UpdateConfig;
  /** Which process this is of several that train together. */
  share?: RankShare;
}

/** Generated samples, without gradients, and the latents that they come from. */
export interface FakeBatch {
  /** `[batch, latentDimension]` */
  latents: tf.Tensor;
  /** `[batch, ...sample]` */
  samples: tf.Tensor;
}

/** What both updates take. */
interface UpdateInputs {
  /** Real samples, `[batch, ...sample]`; the generator's update uses them where fakes are compared with reals. */
  real: tf.Tensor;
  /** `[batch]`, for conditional networks. */
  labels: tf.Tensor1D | undefined;
  /** The optimizer's hyperparameters for this update. */
  hyper: tf.Tensor1D;
  augmentation: AugmentationState;
  random: StepRandom;
}

interface DiscriminatorInputs extends UpdateInputs {
  /** Fakes of the generator's update, used again; undefined: new ones are generated. */
  fakes: FakeBatch | undefined;
  /** Whether this update has the objective's penalties. */
  penalized: boolean;
  /** The weight of R1 and R2, a scalar, where it changes from step to step. */
  gamma: tf.Tensor | undefined;
}

interface GeneratorInputs extends UpdateInputs {
  /** Latents of the discriminator's update, used again; undefined: new ones are drawn. */
  latents: tf.Tensor | undefined;
}

/** The state after an update. */
interface UpdateResult {
  state: GanState;
  fakes: FakeBatch;
  scalars: TensorMap;
}

interface DiscriminatorResult extends UpdateResult {
  /** {@linkcode meanSign} of the logits, where augmentation adapts to it. */
  sign: tf.Tensor | undefined;
}

/** One update of the discriminator: real against (detached) fake, plus the penalties. */
export function updateDiscriminator(
  model: GanModel,
  state: GanState,
  inputs: DiscriminatorInputs,
): DiscriminatorResult {
  const { config, discriminator } = model;
  const { labels, random, augmentation } = inputs;
  const { objective: spec, update } = config;
  const objective = objectives[spec.name];
  const generated = inputs.fakes ? undefined : generate(model, state, inputs);
  const fakes = inputs.fakes ?? generated!.fakes;
  const real = discriminatorInput(config, inputs.real, { augmentation, random });
  const fake = discriminatorInput(config, fakes.samples, { augmentation, random });

  const { aux, grads, loss } = valueAndGradients((weights) => {
    const params = { ...state.discriminator, ...weights };
    const context = { training: true, random, labels, syncRanks: syncRanks(model) };
    const outputs = discriminate({ network: discriminator, params }, { real, fake }, {
      mode: update.discriminatorBatch,
      context,
    });
    const logits = { real: outputs.real.logit, fake: outputs.fake.logit };
    const scalars: TensorMap = {};
    let loss: tf.Tensor = tf.mul(
      objective.discriminatorLoss({ ...logits, realLabel: spec.realLabel }),
      update.discriminatorLossScale,
    );
    const penalty = inputs.penalized
      ? discriminatorPenalties(spec, {
        critic: (x) =>
          sampleLogits(splitHead(applyNetwork(discriminator, params, x, context).output).logit),
        real,
        fake,
        random,
        gamma: inputs.gamma,
      })
      : undefined;
    if (penalty) {
      const { penaltyEvery } = spec;
      scalars.penalty = penalty;
      loss = tf.add(loss, penaltyEvery ? tf.mul(penalty, penaltyEvery) : penalty);
    }
    if (spec.classification && labels) {
      const both = tf.add(
        classCrossEntropy(outputs.real.classes!, labels),
        classCrossEntropy(outputs.fake.classes!, labels),
      );
      scalars.dClassLoss = tf.mul(both, spec.classification.weight);
      loss = tf.add(loss, scalars.dClassLoss);
    }
    return { loss: loss as tf.Scalar, aux: { logits, scalars, buffers: outputs.updates } };
  }, trainable(discriminator, state.discriminator));

  const sign = config.augment?.adaptive
    ? meanSign(aux.logits, objective.needsRealsForGenerator)
    : undefined;
  const means = averageOutcome({
    grads,
    generatorBuffers: generated?.buffers ?? {},
    discriminatorBuffers: aux.buffers,
    scalars: {
      dLoss: loss,
      dReal: meanOutput(config, aux.logits.real),
      dFake: meanOutput(config, aux.logits.fake),
      ...aux.scalars,
      ...(sign ? { sign } : {}),
    },
  }, model.share);
  const { sign: wholeSign, ...scalars } = means.scalars;
  const updated = applyUpdate(
    config.discriminatorOptimizer,
    trainable(discriminator, state.discriminator),
    { grads: means.grads, slots: state.discriminatorSlots, hyper: inputs.hyper },
  );
  const weights = clipWeights(updated.params, spec.weightClip);
  return {
    state: {
      ...state,
      generator: { ...state.generator, ...means.generatorBuffers },
      discriminator: { ...state.discriminator, ...means.discriminatorBuffers, ...weights },
      discriminatorSlots: updated.slots,
    },
    fakes,
    scalars,
    sign: wholeSign,
  };
}

/** One update of the generator through the discriminator as it is. */
export function updateGenerator(
  model: GanModel,
  state: GanState,
  inputs: GeneratorInputs,
): UpdateResult {
  const { config, generator, discriminator } = model;
  const { labels, random, augmentation } = inputs;
  const { objective: { name, classification } } = config;
  const objective = objectives[name];
  const latents = inputs.latents ?? drawLatents(config, random);

  const { aux, grads, loss } = valueAndGradients((weights) => {
    const params = { ...state.generator, ...weights };
    const context = { training: true, random, labels, syncRanks: syncRanks(model) };
    const generated = applyNetwork(generator, params, latents, context);
    const real = objective.needsRealsForGenerator
      ? applyNetwork(
        discriminator,
        state.discriminator,
        discriminatorInput(config, inputs.real, { augmentation, random }),
        context,
      )
      : undefined;
    const fake = applyNetwork(
      discriminator,
      { ...state.discriminator, ...real?.updates },
      discriminatorInput(config, generated.output, { augmentation, random }),
      context,
    );
    const head = splitHead(fake.output);
    const scalars: TensorMap = {};
    let loss: tf.Tensor = objective.generatorLoss({
      real: real ? splitHead(real.output).logit : undefined,
      fake: head.logit,
    });
    if (classification && labels) {
      const { weight, generatorWeight = weight } = classification;
      scalars.gClassLoss = tf.mul(classCrossEntropy(head.classes!, labels), generatorWeight);
      loss = tf.add(loss, scalars.gClassLoss);
    }
    return {
      loss: loss as tf.Scalar,
      aux: {
        samples: generated.output,
        scalars,
        generatorBuffers: generated.updates,
        discriminatorBuffers: { ...real?.updates, ...fake.updates },
      },
    };
  }, trainable(generator, state.generator));

  const means = averageOutcome({
    grads,
    generatorBuffers: aux.generatorBuffers,
    discriminatorBuffers: aux.discriminatorBuffers,
    scalars: { gLoss: loss, ...aux.scalars },
  }, model.share);
  const updated = applyUpdate(config.generatorOptimizer, trainable(generator, state.generator), {
    grads: means.grads,
    slots: state.generatorSlots,
    hyper: inputs.hyper,
  });
  return {
    state: {
      ...state,
      generator: { ...state.generator, ...means.generatorBuffers, ...updated.params },
      discriminator: { ...state.discriminator, ...means.discriminatorBuffers },
      generatorSlots: updated.slots,
    },
    fakes: { latents, samples: aux.samples },
    scalars: means.scalars,
  };
}

/** A batch of fakes from new latents, and the generator's buffers after it. */
function generate(
  model: GanModel,
  state: GanState,
  { random, labels }: Pick<UpdateInputs, "random" | "labels">,
): { fakes: FakeBatch; buffers: TensorMap } {
  const { config, generator } = model;
  const latents = drawLatents(config, random);
  const { output, updates } = applyNetwork(generator, state.generator, latents, {
    training: true,
    random,
    labels,
    syncRanks: syncRanks(model),
  });
  return { fakes: { latents, samples: output }, buffers: updates };
}

/** How many processes have parts of what batch norm is to see as one batch. */
function syncRanks({ share }: GanModel): number | undefined {
  return share?.syncBatchNorm ? share.count : undefined;
}

/** `[batch, latentDimension]` */
function drawLatents(
  { batchSize, latent }: Pick<UpdateConfig, "batchSize" | "latent">,
  random: StepRandom,
): tf.Tensor {
  const shape = [batchSize, latent.dimension];
  return latent.distribution === "normal" ? random.normal(shape) : random.uniform(shape);
}

/** The mean discriminator output for the log: probabilities where the objective has some, else raw values. */
function meanOutput({ objective }: Pick<UpdateConfig, "objective">, logits: tf.Tensor): tf.Tensor {
  const isProbability = logitKind(objective.name) === "probability";
  return tf.mean(isProbability ? tf.sigmoid(logits) : logits);
}

function clipWeights(weights: TensorMap, limit: number | undefined): TensorMap {
  if (limit === undefined) return weights;
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, tf.clipByValue(weight, -limit, limit)]),
  );
}
