/**
 * One training step of a GAN, as a pure function that any engine can run: the discriminator's updates
 * and the generator's, in the order that the config asks for. The updates
 * themselves are in updates.ts.
 *
 * State names: `generator/...`, `discriminator/...` (parameters and running statistics),
 * `generatorOptimizer/...`, `discriminatorOptimizer/...`, `ema/...` where an average is kept, and
 * `augment/...` where augmentation is adaptive.
 */
import { tf } from "../tensor/tf.ts";
import type { StepProgram } from "../engine/types.ts";
import type { HostTensors, StepRandom, TensorMap, TensorSpec } from "../tensor/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { buildNetwork, type Network } from "../nn/mod.ts";
import { checkCombination, checkObjective } from "../objectives/compatibility.ts";
import { packedShape } from "../objectives/packing.ts";
import { UserError } from "../errors.ts";
import { initialAugment, updateAugment } from "./adaptive.ts";
import { updateAverage } from "./ema.ts";
import { type Course, hostInputs } from "./host_inputs.ts";
import { hyperparameterCount } from "./optimizers.ts";
import { isPenalised, measuresScalar, penaltyKind } from "./penalty_kinds.ts";
import { type Game, initialState, readPlayers, writePlayers } from "./players.ts";
import { section, withPrefix } from "./tensor_names.ts";
import { type Fakes, updateDiscriminator, updateGenerator } from "./updates.ts";
import { viewNumbers } from "./view.ts";

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
  /** The inputs that are not data: what the host computes for a step (counted from 0). */
  hostInputs(step: number, course?: Course): Record<string, Float32Array>;
  /** Whether a step (counted from 0) measures a scalar, where it comes now and then: `penalty` may. */
  measures(scalar: string, step: number): boolean;
}

/**
 * Builds the training step of a config.
 * @throws {UserError} when the networks do not fit the latent, the data, each other or the objective
 */
export function buildTrainingStep(config: RunConfig, sample: SampleSpec): TrainingStep {
  const { augment, batchSize, instanceNoise, update } = config;
  checkLabels(config, sample);
  const generator = buildNetwork({ ...config.generator, classCount: sample.classCount });
  const discriminator = buildNetwork({
    ...config.discriminator,
    inputShape: packedShape(config.discriminator.inputShape, config.pack ?? 1),
    classCount: sample.classCount,
  });
  checkShapes(config, sample, generator, discriminator);
  checkObjective(config.objective, discriminator);
  checkCombination(config, { generator, discriminator });
  const usesLabels = config.conditional ?? false;
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
  if (instanceNoise) inputs.noiseSigma = { shape: [], dtype: "float32" };
  if (augment?.adaptive) inputs.augmentMoves = { shape: [], dtype: "float32" };

  const game: Game = { config, generator, discriminator };

  function step(state: TensorMap, given: TensorMap, random: StepRandom, kind: string) {
    let players = readPlayers(state);
    const scalars: TensorMap = {};
    let carried: Fakes | undefined;
    let sign: tf.Tensor | undefined;
    const view = viewNumbers(state, given);

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
          view,
          penalised: isPenalised(kind, turn),
          random,
        });
        players = result.players;
        carried = result.fakes;
        sign = result.sign;
        Object.assign(scalars, result.scalars);
      }
    }

    function trainGenerator() {
      const result = updateGenerator(game, players, {
        real: tf.slice(given.real, 0, batchSize),
        labels: usesLabels ? tf.slice(given.labels as tf.Tensor1D, 0, batchSize) : undefined,
        hyper: hyperOf(given.generatorHyper, 0, 1),
        latents: update.latents === "shared" ? carried?.latents : undefined,
        view,
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
    if (augment?.adaptive) {
      const moves = given.augmentMoves;
      const numbers = updateAugment(augment, state, { sign: sign!, moves, samplesPerStep });
      Object.assign(next, numbers);
      scalars.augmentProbability = tf.mean(numbers["augment/probability"]);
    }
    return { state: next, scalars };
  }

  return {
    program: { step, inputs, kindOf: (number) => penaltyKind(config, number) },
    generator,
    discriminator,
    usesLabels,
    samplesPerStep,
    initialState: (seed) => ({ ...initialState(game, seed), ...initialAugment(augment) }),
    hostInputs: (stepNumber, course = {}) => hostInputs(config, stepNumber, course),
    measures: (scalar, stepNumber) => measuresScalar(config, scalar, stepNumber),
  };
}

/** The part of a vector that belongs to one update. */
function hyperOf(all: tf.Tensor, turn: number, turns: number): tf.Tensor1D {
  const length = all.size / turns;
  return tf.slice(all as tf.Tensor1D, turn * length, length);
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
  const logits = config.objective.classification ? [1 + (sample.classCount ?? 0)] : [1];
  if (!same(discriminator.outputShape, logits)) {
    throw new UserError(
      `Cannot build the networks: the discriminator must end in ${
        logits[0] === 1 ? "one logit" : "a classifier-head"
      }, ${show(logits)}, and it ends in ${
        show(discriminator.outputShape)
      }; a classifier-head goes ` +
        "with objective.classification",
    );
  }
}

/** Labels are used where the config says so, and only there. */
function checkLabels(config: RunConfig, sample: SampleSpec): void {
  if (config.conditional && !sample.classCount) {
    throw new UserError(
      "Cannot train a conditional network: the data has no labels; use data with classes (sub-folders, " +
        "labels of IDX or CIFAR files, a CSV's label column), or leave conditional away",
    );
  }
}
