/** One update of each player: losses, gradients, optimiser. Pure functions of tensors. */
import { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";
import { verdictKind } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import { valueAndGradients } from "../nn/gradients.ts";
import { applyNetwork } from "../nn/mod.ts";
import { classCrossEntropy, splitHead } from "../objectives/classification.ts";
import { objectives } from "../objectives/objectives.ts";
import { discriminatorPenalties } from "../objectives/penalties.ts";
import { meanSign } from "./adaptive.ts";
import { judgeApart, judgeTogether } from "./judge.ts";
import { applyUpdate } from "./optimizers.ts";
import { type Game, type Players, trainable } from "./players.ts";
import { mapNames, section } from "./tensor_names.ts";
import { showSamples, type ViewNumbers } from "./view.ts";

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
  /** How the discriminator sees samples. */
  view: ViewNumbers;
  /** Whether this update has the objective's penalties. */
  penalised: boolean;
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
  /** How the discriminator sees samples. */
  view: ViewNumbers;
  random: StepRandom;
}

interface TurnResult {
  players: Players;
  fakes: Fakes;
  scalars: TensorMap;
}

interface DiscriminatorResult extends TurnResult {
  /** {@linkcode meanSign} of its verdicts, where augmentation adapts to it. */
  sign: tf.Tensor | undefined;
}

/** One update of the discriminator: real against (detached) fake, plus the penalties. */
export function updateDiscriminator(
  game: Game,
  players: Players,
  turn: DiscriminatorTurn,
): DiscriminatorResult {
  const { config, generator, discriminator } = game;
  const { labels, random, view } = turn;
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
  const real = showSamples(config, turn.real, { view, random });
  const fake = showSamples(config, fakes.samples, { view, random });
  const objective = objectives[config.objective.name];
  const { classification, realLabel } = config.objective;
  const judge = config.update.discriminatorBatch === "concatenated" ? judgeTogether : judgeApart;

  const { aux, grads, loss } = valueAndGradients((weights) => {
    const params = { ...players.discriminator, ...weights };
    const context = { training: true, random, labels };
    const judged = judge({ network: discriminator, params }, { real, fake }, context);
    const verdicts = { real: judged.real.verdict, fake: judged.fake.verdict };
    const gameLoss = tf.mul(
      objective.discriminatorLoss({ ...verdicts, realLabel }),
      config.update.discriminatorLossScale,
    );
    const terms: Record<string, tf.Tensor> = {};
    const penalties = turn.penalised
      ? discriminatorPenalties(config.objective, {
        critic: (x) => splitHead(applyNetwork(discriminator, params, x, context).output).verdict,
        real,
        fake,
        random,
      })
      : undefined;
    let loss = gameLoss;
    if (penalties) {
      terms.penalty = penalties;
      const { penaltyEvery } = config.objective;
      loss = tf.add(loss, penaltyEvery ? tf.mul(penalties, penaltyEvery) : penalties);
    }
    if (classification && labels) {
      const both = tf.add(
        classCrossEntropy(judged.real.classes!, labels),
        classCrossEntropy(judged.fake.classes!, labels),
      );
      terms.dClassLoss = tf.mul(both, classification.weight);
      loss = tf.add(loss, terms.dClassLoss);
    }
    return {
      loss: loss as tf.Scalar,
      aux: {
        ...verdicts,
        ...mapNames(terms, (name) => `terms/${name}`),
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
    ...section(aux, "terms"),
  };
  return {
    players: {
      ...players,
      generator: generatorParams,
      discriminator: { ...players.discriminator, ...section(aux, "updates"), ...params },
      discriminatorSlots: updated.slots,
    },
    fakes,
    scalars,
    sign: config.augment?.adaptive &&
      meanSign({ real: aux.real, fake: aux.fake }, objective.needsRealsForGenerator),
  };
}

/** One update of the generator through the discriminator as it is. */
export function updateGenerator(game: Game, players: Players, turn: GeneratorTurn): TurnResult {
  const { config, generator, discriminator } = game;
  const { labels, random, view } = turn;
  const { classification } = config.objective;
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
      const shown = showSamples(config, turn.real, { view, random });
      const judged = applyNetwork(discriminator, judgeParams, shown, context);
      real = splitHead(judged.output).verdict;
      realUpdates = judged.updates;
      judgeParams = { ...judgeParams, ...realUpdates };
    }
    const shown = showSamples(config, made.output, { view, random });
    const judged = applyNetwork(discriminator, judgeParams, shown, context);
    const { verdict, classes } = splitHead(judged.output);
    const gameLoss = objective.generatorLoss({ real, fake: verdict });
    const terms: TensorMap = {};
    if (classification && labels) {
      const { weight, generatorWeight = weight } = classification;
      terms.gClassLoss = tf.mul(classCrossEntropy(classes!, labels), generatorWeight);
    }
    return {
      loss: Object.values(terms).reduce((sum, term) => tf.add(sum, term), gameLoss) as tf.Scalar,
      aux: {
        samples: made.output,
        ...mapNames(terms, (name) => `terms/${name}`),
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
    scalars: { gLoss: loss, ...section(aux, "terms") },
  };
}

/** `[batch, latentDimension]` */
function drawLatents(config: RunConfig, random: StepRandom): tf.Tensor {
  const shape = [config.batchSize, config.latent.dimension];
  return config.latent.distribution === "normal" ? random.normal(shape) : random.uniform(shape);
}

/** The mean of D's verdicts for the progress line: probabilities where D gives some, raw outputs otherwise. */
function meanVerdict(config: RunConfig, logits: tf.Tensor): tf.Tensor {
  const isProbability = verdictKind(config.objective.name) === "probability";
  return tf.mean(isProbability ? tf.sigmoid(logits) : logits);
}

function mapTensors(tensors: TensorMap, change: (tensor: tf.Tensor) => tf.Tensor): TensorMap {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, change(t)]));
}
