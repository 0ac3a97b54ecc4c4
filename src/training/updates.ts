/** One update of each player: losses, gradients, optimiser. Pure functions of tensors. */
import { tf } from "../engine/tf.ts";
import type { StepRandom, TensorMap } from "../engine/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { valueAndGradients } from "../nn/gradients.ts";
import { type ApplyContext, applyNetwork, type Network } from "../nn/mod.ts";
import { objectives } from "../objectives/objectives.ts";
import { discriminatorPenalties } from "../objectives/penalties.ts";
import { applyUpdate } from "./optimizers.ts";
import { type Game, type Players, trainable } from "./players.ts";
import { mapNames, section } from "./tensor_names.ts";

/** A batch of fakes, detached, and the latents that gave it. */
export interface Fakes {
  latents: tf.Tensor;
  /** `[batch, ...sample]` */
  samples: tf.Tensor;
}

interface DiscriminatorTurn {
  /** `[batch, ...sample]` */
  real: tf.Tensor;
  /** `[batch]` */
  labels: tf.Tensor1D | undefined;
  hyper: tf.Tensor1D;
  /** Fakes of the generator's update, to be used again; otherwise new ones are made. */
  fakes: Fakes | undefined;
  random: StepRandom;
}

interface GeneratorTurn {
  /** `[batch, ...sample]`, for objectives that compare fakes with reals. */
  real: tf.Tensor;
  /** `[batch]` */
  labels: tf.Tensor1D | undefined;
  hyper: tf.Tensor1D;
  /** The latents of the discriminator's update, to be used again; otherwise new ones are drawn. */
  latents: tf.Tensor | undefined;
  random: StepRandom;
}

interface TurnResult {
  players: Players;
  fakes: Fakes;
  scalars: TensorMap;
}

/** One update of the discriminator: real against (detached) fake, plus the penalties. */
export function updateDiscriminator(
  game: Game,
  players: Players,
  turn: DiscriminatorTurn,
): TurnResult {
  const { config, generator, discriminator } = game;
  const { real, labels, random } = turn;
  let generatorParams = players.generator;
  let fakes = turn.fakes;
  if (!fakes) {
    const latents = drawLatents(config, random);
    const made = applyNetwork(generator, generatorParams, latents, {
      training: true,
      random,
      labels,
    });
    generatorParams = { ...generatorParams, ...made.updates };
    fakes = { latents, samples: made.output };
  }
  const fake = fakes.samples;
  const objective = objectives[config.objective.name];

  const { aux, grads, loss } = valueAndGradients((weights) => {
    const params = { ...players.discriminator, ...weights };
    const context = { training: true, random, labels };
    const judged = config.update.discriminatorBatch === "concatenated"
      ? judgeTogether(discriminator, params, real, fake, context)
      : judgeApart(discriminator, params, real, fake, context);
    const gameLoss = tf.mul(
      objective.discriminatorLoss({ ...judged, realLabel: config.objective.realLabel }),
      config.update.discriminatorLossScale,
    ) as tf.Scalar;
    const penalties = discriminatorPenalties(config.objective, {
      critic: (x) => applyNetwork(discriminator, params, x, context).output,
      real,
      fake,
      random,
    });
    return {
      loss: penalties ? tf.add(gameLoss, penalties) as tf.Scalar : gameLoss,
      aux: {
        real: judged.real,
        fake: judged.fake,
        ...(penalties ? { penalty: penalties } : {}),
        ...mapNames(judged.updates, (name) => `updates/${name}`),
      },
    };
  }, trainable(discriminator, players.discriminator));

  const updated = applyUpdate(
    config.discriminatorOptimizer,
    trainable(discriminator, players.discriminator),
    grads,
    players.discriminatorSlots,
    turn.hyper,
  );
  const clip = config.objective.weightClip;
  const params = clip === undefined
    ? updated.params
    : mapTensors(updated.params, (weight) => tf.clipByValue(weight, -clip, clip));
  const scalars: TensorMap = {
    dLoss: loss,
    dReal: meanVerdict(config, aux.real),
    dFake: meanVerdict(config, aux.fake),
  };
  if (aux.penalty) scalars.penalty = aux.penalty;
  return {
    players: {
      ...players,
      generator: generatorParams,
      discriminator: { ...players.discriminator, ...section(aux, "updates"), ...params },
      discriminatorSlots: updated.slots,
    },
    fakes,
    scalars,
  };
}

/** One update of the generator through the discriminator as it is. */
export function updateGenerator(game: Game, players: Players, turn: GeneratorTurn): TurnResult {
  const { config, generator, discriminator } = game;
  const { labels, random } = turn;
  const latents = turn.latents ?? drawLatents(config, random);
  const objective = objectives[config.objective.name];

  const { aux, grads, loss } = valueAndGradients((weights) => {
    const params = { ...players.generator, ...weights };
    const context = { training: true, random, labels };
    const made = applyNetwork(generator, params, latents, context);
    let judgeParams = players.discriminator;
    let real: tf.Tensor | undefined;
    let realUpdates: TensorMap = {};
    if (objective.needsRealsForGenerator) {
      const judged = applyNetwork(discriminator, judgeParams, turn.real, context);
      real = judged.output;
      realUpdates = judged.updates;
      judgeParams = { ...judgeParams, ...realUpdates };
    }
    const judged = applyNetwork(discriminator, judgeParams, made.output, context);
    return {
      loss: objective.generatorLoss({ real, fake: judged.output }),
      aux: {
        samples: made.output,
        ...mapNames(made.updates, (name) => `generator/${name}`),
        ...mapNames({ ...realUpdates, ...judged.updates }, (name) => `discriminator/${name}`),
      },
    };
  }, trainable(generator, players.generator));

  const updated = applyUpdate(
    config.generatorOptimizer,
    trainable(generator, players.generator),
    grads,
    players.generatorSlots,
    turn.hyper,
  );
  return {
    players: {
      ...players,
      generator: { ...players.generator, ...section(aux, "generator"), ...updated.params },
      discriminator: { ...players.discriminator, ...section(aux, "discriminator") },
      generatorSlots: updated.slots,
    },
    fakes: { latents, samples: aux.samples },
    scalars: { gLoss: loss },
  };
}

interface Judged {
  /** Logits of the reals, `[batch, 1]`. */
  real: tf.Tensor;
  /** Logits of the fakes, `[batch, 1]`. */
  fake: tf.Tensor;
  updates: TensorMap;
}

/** Real and fake in batches of their own, the way PyTorch recipes do it: two sets of batch statistics. */
function judgeApart(
  discriminator: Network,
  params: TensorMap,
  real: tf.Tensor,
  fake: tf.Tensor,
  context: ApplyContext,
): Judged {
  const first = applyNetwork(discriminator, params, real, context);
  const second = applyNetwork(discriminator, { ...params, ...first.updates }, fake, context);
  return {
    real: first.output,
    fake: second.output,
    updates: { ...first.updates, ...second.updates },
  };
}

/** Real and fake as one batch. */
function judgeTogether(
  discriminator: Network,
  params: TensorMap,
  real: tf.Tensor,
  fake: tf.Tensor,
  context: ApplyContext,
): Judged {
  const count = real.shape[0];
  const labels = context.labels && tf.concat([context.labels, context.labels]) as tf.Tensor1D;
  const both = applyNetwork(discriminator, params, tf.concat([real, fake]), { ...context, labels });
  return {
    real: tf.slice(both.output, 0, count),
    fake: tf.slice(both.output, count, count),
    updates: both.updates,
  };
}

/** `[batch, latentDimension]` */
function drawLatents(config: RunConfig, random: StepRandom): tf.Tensor {
  const shape = [config.batchSize, config.latent.dimension];
  return config.latent.distribution === "normal" ? random.normal(shape) : random.uniform(shape);
}

/** The mean of D's verdicts for the progress line: probabilities where logits are, raw outputs otherwise. */
function meanVerdict(config: RunConfig, logits: tf.Tensor): tf.Tensor {
  const hasLogits = ["minimax", "non-saturating", "relativistic"].includes(config.objective.name);
  return tf.mean(hasLogits ? tf.sigmoid(logits) : logits);
}

function mapTensors(tensors: TensorMap, change: (tensor: tf.Tensor) => tf.Tensor): TensorMap {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, change(t)]));
}
