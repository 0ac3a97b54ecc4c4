/**
 * One training step of a GAN, as a pure function that any engine can run: the discriminator's updates
 * and the generator's, in the order that the config asks for. Read {@linkcode buildTrainingStep} first,
 * then the two updates below it.
 *
 * State names: `generator/...`, `discriminator/...` (parameters and running statistics),
 * `generatorOptimizer/...`, `discriminatorOptimizer/...`, and `ema/...` where an average is kept.
 */
import { tf } from "../engine/tf.ts";
import type {
  HostTensors,
  StepProgram,
  StepRandom,
  TensorMap,
  TensorSpec,
} from "../engine/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { applyNetwork, buildNetwork, initialParameters, type Network } from "../nn/mod.ts";
import { objectives } from "../objectives/objectives.ts";
import { discriminatorPenalties } from "../objectives/penalties.ts";
import { valueAndGradients } from "../nn/gradients.ts";
import { UserError } from "../errors.ts";
import { applyUpdate, hyperparameterCount, hyperparameters, initialSlots } from "./optimizers.ts";
import { emaDecay, updateAverage } from "./ema.ts";
import { mapNames, section, withPrefix } from "./tensor_names.ts";

/** What the step needs to know of the data. */
export interface SampleSpec {
  /** One sample's shape: `[height, width, channels]` or `[dimension]`. */
  shape: number[];
  /** How many classes, where the data is labelled. */
  classCount?: number;
}

/** A step, its networks, and what the host contributes to it. */
export interface TrainingStep {
  program: StepProgram;
  generator: Network;
  discriminator: Network;
  /** Whether the step takes labels. */
  usesLabels: boolean;
  /** Real samples that one step consumes. */
  samplesPerStep: number;
  /** Parameters and optimiser state before the first step. */
  initialState(seed: number): HostTensors;
  /** The inputs that are not data: what the optimisers and the average need at a step (counted from 0). */
  hostInputs(step: number): Record<string, Float32Array>;
}

/**
 * Builds the training step of a config.
 * @throws {UserError} when the networks do not fit the latent, the data or each other
 */
export function buildTrainingStep(config: RunConfig, sample: SampleSpec): TrainingStep {
  const { batchSize, update } = config;
  const generator = buildNetwork({ ...config.generator, classCount: sample.classCount });
  const discriminator = buildNetwork({ ...config.discriminator, classCount: sample.classCount });
  checkShapes(config, sample, generator, discriminator);
  const usesLabels = generator.usesLabels || discriminator.usesLabels;
  const turns = update.discriminatorSteps;
  const samplesPerStep = turns * batchSize;

  const inputs: Record<string, TensorSpec> = {
    real: { shape: [samplesPerStep, ...sample.shape], dtype: "float32" },
    discriminatorHyper: {
      shape: [turns * hyperparameterCount(config.discriminatorOptimizer)],
      dtype: "float32",
    },
    generatorHyper: { shape: [hyperparameterCount(config.generatorOptimizer)], dtype: "float32" },
  };
  if (usesLabels) inputs.labels = { shape: [samplesPerStep], dtype: "int32" };
  if (config.ema) inputs.emaDecay = { shape: [], dtype: "float32" };

  const game: Game = { config, generator, discriminator, sampleShape: sample.shape };

  function step(state: TensorMap, given: TensorMap, random: StepRandom) {
    let players = readPlayers(state);
    const scalars: TensorMap = {};
    let carried: Fakes | undefined;

    function trainDiscriminator() {
      for (let turn = 0; turn < turns; turn++) {
        const result = updateDiscriminator(game, players, {
          real: tf.slice(given.real, turn * batchSize, batchSize),
          labels: usesLabels
            ? tf.slice(given.labels as tf.Tensor1D, turn * batchSize, batchSize)
            : undefined,
          hyper: hyperOf(given.discriminatorHyper, turn, turns),
          fakes: update.order === "generator-first" && update.latents === "shared"
            ? carried
            : undefined,
          random,
        });
        players = result.players;
        carried = result.fakes;
        Object.assign(scalars, result.scalars);
      }
    }

    function trainGenerator() {
      const result = updateGenerator(game, players, {
        real: tf.slice(given.real, 0, batchSize),
        labels: usesLabels ? tf.slice(given.labels as tf.Tensor1D, 0, batchSize) : undefined,
        hyper: hyperOf(given.generatorHyper, 0, 1),
        latents: update.latents === "shared" ? carried?.latents : undefined,
        random,
      });
      players = result.players;
      carried = result.fakes;
      Object.assign(scalars, result.scalars);
    }

    if (update.order === "generator-first") {
      trainGenerator();
      trainDiscriminator();
    } else {
      trainDiscriminator();
      trainGenerator();
    }

    const next = writePlayers(players);
    if (config.ema) {
      const average = updateAverage(
        generator,
        section(state, "ema"),
        players.generator,
        given.emaDecay,
      );
      Object.assign(next, withPrefix("ema", average));
    }
    return { state: next, scalars };
  }

  return {
    program: { step, inputs },
    generator,
    discriminator,
    usesLabels,
    samplesPerStep,
    initialState: (seed) => initialState(game, seed),
    hostInputs(stepNumber) {
      const perTurn = Array.from(
        { length: turns },
        (_, turn) =>
          hyperparameters(config.discriminatorOptimizer, stepNumber * turns + turn + 1, 1),
      );
      const result: Record<string, Float32Array> = {
        discriminatorHyper: Float32Array.from(perTurn.flatMap((hyper) => [...hyper])),
        generatorHyper: hyperparameters(config.generatorOptimizer, stepNumber + 1, 1),
      };
      if (config.ema) {
        result.emaDecay = Float32Array.of(emaDecay(config.ema, batchSize, stepNumber));
      }
      return result;
    },
  };
}

/** What stays the same from step to step. */
interface Game {
  config: RunConfig;
  generator: Network;
  discriminator: Network;
  sampleShape: number[];
}

/** Both players' parameters (with running statistics) and optimiser slots. */
interface Players {
  generator: TensorMap;
  discriminator: TensorMap;
  generatorSlots: TensorMap;
  discriminatorSlots: TensorMap;
}

/** A batch of fakes, detached, and the latents that gave it. */
interface Fakes {
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
function updateDiscriminator(game: Game, players: Players, turn: DiscriminatorTurn): TurnResult {
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
function updateGenerator(game: Game, players: Players, turn: GeneratorTurn): TurnResult {
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

type Context = Parameters<typeof applyNetwork>[3];

/** Real and fake in batches of their own, the way PyTorch recipes do it: two sets of batch statistics. */
function judgeApart(
  discriminator: Network,
  params: TensorMap,
  real: tf.Tensor,
  fake: tf.Tensor,
  context: Context,
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
  context: Context,
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

/** The part of a vector that belongs to one update. */
function hyperOf(all: tf.Tensor, turn: number, turns: number): tf.Tensor1D {
  const length = all.size / turns;
  return tf.slice(all as tf.Tensor1D, turn * length, length);
}

/** The parameters that the optimiser changes. */
function trainable(network: Network, params: TensorMap): TensorMap {
  const names = network.parameters.filter((parameter) => parameter.trainable);
  return Object.fromEntries(names.map(({ name }) => [name, params[name]]));
}

function mapTensors(tensors: TensorMap, change: (tensor: tf.Tensor) => tf.Tensor): TensorMap {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, change(t)]));
}

function readPlayers(state: TensorMap): Players {
  return {
    generator: section(state, "generator"),
    discriminator: section(state, "discriminator"),
    generatorSlots: section(state, "generatorOptimizer"),
    discriminatorSlots: section(state, "discriminatorOptimizer"),
  };
}

function writePlayers(players: Players): TensorMap {
  return {
    ...withPrefix("generator", players.generator),
    ...withPrefix("discriminator", players.discriminator),
    ...withPrefix("generatorOptimizer", players.generatorSlots),
    ...withPrefix("discriminatorOptimizer", players.discriminatorSlots),
  };
}

function initialState(game: Game, seed: number): HostTensors {
  const { config, generator, discriminator } = game;
  const generatorParams = initialParameters(generator, seed);
  const discriminatorParams = initialParameters(discriminator, seed, generator.parameters.length);
  const trainableOf = (network: Network, params: HostTensors): HostTensors =>
    Object.fromEntries(
      network.parameters.filter((parameter) => parameter.trainable)
        .map(({ name }) => [name, params[name]]),
    );
  const state: HostTensors = {
    ...withPrefix("generator", generatorParams),
    ...withPrefix("discriminator", discriminatorParams),
    ...withPrefix(
      "generatorOptimizer",
      initialSlots(config.generatorOptimizer, trainableOf(generator, generatorParams)),
    ),
    ...withPrefix(
      "discriminatorOptimizer",
      initialSlots(config.discriminatorOptimizer, trainableOf(discriminator, discriminatorParams)),
    ),
  };
  if (config.ema) {
    const copies = Object.entries(generatorParams).map(([name, value]) =>
      [name, { ...value, data: value.data.slice() }] as const
    );
    Object.assign(state, withPrefix("ema", Object.fromEntries(copies)));
  }
  return state;
}

function checkShapes(
  config: RunConfig,
  sample: SampleSpec,
  generator: Network,
  discriminator: Network,
): void {
  const show = (shape: number[]) => `[${shape.join(", ")}]`;
  const same = (a: number[], b: number[]) => show(a) === show(b);
  const latent = [config.latent.dimension];
  if (!same(config.generator.inputShape, latent)) {
    throw new UserError(
      `Cannot build the networks: the generator's inputShape is ${
        show(config.generator.inputShape)
      }, ` +
        `and latent.dimension asks for ${show(latent)}`,
    );
  }
  if (!same(generator.outputShape, sample.shape)) {
    throw new UserError(
      `Cannot train on this data: the generator makes ${
        show(generator.outputShape)
      }, and one sample ` +
        `is ${show(sample.shape)}; use data or data.size and data.channels that give ${
          show(generator.outputShape)
        }, or change the networks`,
    );
  }
  if (!same(config.discriminator.inputShape, sample.shape)) {
    throw new UserError(
      `Cannot train on this data: the discriminator takes ${
        show(config.discriminator.inputShape)
      }, ` +
        `and one sample is ${show(sample.shape)}`,
    );
  }
  if (!same(discriminator.outputShape, [1])) {
    throw new UserError(
      `Cannot build the networks: the discriminator must end in one logit, [1], and it ends in ` +
        show(discriminator.outputShape),
    );
  }
}
