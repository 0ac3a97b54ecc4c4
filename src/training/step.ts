/**
 * One training step of a GAN, as a pure function that any engine can run: the discriminator's updates
 * and the generator's, in the order that the config asks for. The updates themselves are in updates.ts.
 *
 * State names: `generator/...`, `discriminator/...` (parameters and running statistics),
 * `generatorOptimizer/...`, `discriminatorOptimizer/...`, `ema/...` where EMA weights are kept, and
 * `augment/...` where augmentation is adaptive.
 */
import { DEFAULTS } from "../config/defaults.ts";
import { tf } from "../tensor/tf.ts";
import type { StepProgram } from "../engine/types.ts";
import type { HostTensors, StepRandom, TensorMap, TensorSpec } from "../tensor/types.ts";
import type { RunConfig } from "../config/run_config.ts";
import { buildNetwork, type Network, withFrozenLayers } from "../nn/mod.ts";
import { checkCombination, checkObjective } from "../objectives/compatibility.ts";
import { packedShape } from "../objectives/packing.ts";
import { augmentProbability, initialAugment, updateAugment } from "./adaptive.ts";
import { checkLabels, checkShapes, type SampleSpec } from "./check_step.ts";
import { augmentationState } from "./discriminator_input.ts";
import { updateEma } from "./ema.ts";
import {
  type GanNetworks,
  type GanState,
  initialState,
  readGanState,
  writeGanState,
} from "./gan_state.ts";
import { hostInputs, type ScheduleContext } from "./host_inputs.ts";
import { hyperparameterCount } from "./optimizers.ts";
import { checkSchedules, scheduledValues } from "./schedules.ts";
import { ownBatchSize, ownPositions, type RankShare, shareRandom } from "./rank_share.ts";
import { type StepKind, StepKinds } from "./step_kinds.ts";
import { section, withPrefix } from "./tensor_names.ts";
import { type FakeBatch, type GanModel, updateDiscriminator, updateGenerator } from "./updates.ts";

/** What of a config decides a step: not the data's source, nor when anything is written. */
export type StepConfig = Omit<
  RunConfig,
  | "version"
  | "preset"
  | "from"
  | "seed"
  | "device"
  | "data"
  | "divergence"
  | "snapshots"
  | "checkpoints"
  | "evaluation"
  | "distributed"
>;

/** A step, its networks, and what the host contributes to it. */
export interface TrainingStep extends GanNetworks {
  /** Both networks by name. */
  networks: { generator: Network; discriminator: Network };
  program: StepProgram;
  /** Whether the step takes labels. */
  usesLabels: boolean;
  /** Real samples that one step consumes, those of all processes. */
  samplesPerStep: number;
  /** The places of this process's samples among them; undefined: all are its own. */
  ownPositions?: Uint32Array;
  /** Parameters and optimizer state before the first step. */
  initialState(seed: number): HostTensors;
  /** The inputs that are not data: what the host computes for a step (counted from 0). */
  hostInputs(step: number, context?: ScheduleContext): Record<string, Float32Array>;
  /** The values of a step (counted from 0) that change with the images seen, for its metrics. */
  scheduled(step: number): Readonly<Record<string, number>>;
  /** Whether a step (counted from 0) measures a scalar; some steps do not measure `penalty`. */
  measures(scalar: string, step: number): boolean;
}

/**
 * Builds the training step of a config.
 * @param whole its batch is that of all processes together
 * @param options.share which process this is of several; it then takes its part of each batch
 * @throws {UserError} when the networks do not fit the latent, the data, each other or the objective, or
 * the processes cannot share a batch
 */
export function buildTrainingStep(
  whole: StepConfig,
  sample: SampleSpec,
  { share }: { share?: RankShare } = {},
): TrainingStep {
  const config = share ? { ...whole, batchSize: ownBatchSize(whole, share) } : whole;
  checkLabels(config.conditional, sample);
  const generator = buildNetwork({ ...config.generator, classCount: sample.classCount });
  const discriminator = withFrozenLayers(
    buildNetwork({
      ...config.discriminator,
      inputShape: packedShape(config.discriminator.inputShape, config.pack ?? DEFAULTS.pack),
      classCount: sample.classCount,
    }),
    config.freezeDiscriminator ?? DEFAULTS.freezeDiscriminator,
    "discriminator",
  );
  const networks = { generator, discriminator };
  checkShapes(config, sample, networks);
  checkObjective(config.objective, discriminator);
  checkCombination(config, networks);
  checkSchedules(config);
  const kinds = new StepKinds(config);
  const samplesPerStep = whole.update.discriminatorSteps * whole.batchSize;
  const ownSamples = config.update.discriminatorSteps * config.batchSize;
  return {
    ...networks,
    networks,
    program: {
      inputs: stepInputs(config, [ownSamples, ...sample.shape]),
      kindOf: (step) => kinds.at(step).name,
      step: (state, inputs, random, kind) =>
        runStep({ ...networks, config, share }, samplesPerStep, {
          state,
          inputs,
          random: shareRandom(random, share),
          kind: kinds.named(kind),
        }),
    },
    usesLabels: config.conditional ?? false,
    samplesPerStep,
    ownPositions: share && ownPositions(whole, share),
    initialState: (seed) => ({
      ...initialState(networks, config, seed),
      ...initialAugment(config.augment),
    }),
    hostInputs: (step, context = {}) => hostInputs(whole, step, context),
    scheduled: (step) => scheduledValues(whole, step * samplesPerStep),
    measures: (scalar, step) => kinds.measures(scalar, step),
  };
}

/** What a step takes. @param realShape that of all its real samples */
function stepInputs(config: StepConfig, realShape: number[]): Record<string, TensorSpec> {
  const { discriminatorOptimizer, generatorOptimizer, update } = config;
  const discriminatorHyper = update.discriminatorSteps *
    hyperparameterCount(discriminatorOptimizer);
  const generatorHyper = (update.generatorSteps ?? DEFAULTS.generatorSteps) *
    hyperparameterCount(generatorOptimizer);
  const inputs: Record<string, TensorSpec> = {
    real: { shape: realShape, dtype: "float32" },
    discriminatorHyper: { shape: [discriminatorHyper], dtype: "float32" },
    generatorHyper: { shape: [generatorHyper], dtype: "float32" },
  };
  if (config.conditional) inputs.labels = { shape: [realShape[0]], dtype: "int32" };
  if (config.ema) inputs.emaDecay = { shape: [], dtype: "float32" };
  if (config.instanceNoise) inputs.noiseSigma = { shape: [], dtype: "float32" };
  if (config.schedules?.gamma) inputs.gamma = { shape: [], dtype: "float32" };
  if (config.schedules?.augmentProbability) {
    inputs.augmentProbability = { shape: [], dtype: "float32" };
  }
  if (config.augment?.adaptive) inputs.augmentMoves = { shape: [], dtype: "float32" };
  return inputs;
}

/** What one step computes from. */
interface StepGiven {
  state: TensorMap;
  inputs: TensorMap;
  random: StepRandom;
  kind: StepKind;
}

/** What the updates of a step hand to each other. */
interface StepProgress {
  gan: GanState;
  scalars: TensorMap;
  /** Of the latest update. */
  fakes: FakeBatch | undefined;
  /** The mean sign of the discriminator's logits, where augmentation adapts to it. */
  sign: tf.Tensor | undefined;
}

function runStep(
  model: GanModel & { config: StepConfig },
  samplesPerStep: number,
  given: StepGiven,
): { state: TensorMap; scalars: TensorMap } {
  const { config, generator } = model;
  const { augment, ema, update } = config;
  let progress: StepProgress = {
    gan: readGanState(given.state),
    scalars: {},
    fakes: undefined,
    sign: undefined,
  };
  if (update.order === "generator-first") {
    progress = trainGenerator(model, given, progress);
    progress = trainDiscriminator(model, given, progress);
  } else {
    progress = trainDiscriminator(model, given, progress);
    progress = trainGenerator(model, given, progress);
  }

  const { gan, scalars, sign } = progress;
  const state = writeGanState(gan);
  if (ema) {
    const average = section(given.state, "ema");
    const next = updateEma(generator, average, {
      params: gan.generator,
      decay: given.inputs.emaDecay,
    });
    Object.assign(state, withPrefix("ema", next));
  }
  if (augment?.adaptive) {
    const adapted = updateAugment(augment, given.state, {
      sign: sign!,
      moves: given.inputs.augmentMoves,
      samplesPerStep,
    });
    Object.assign(state, adapted);
    scalars.augmentProbability = tf.mean(augmentProbability(adapted)!);
  }
  return { state, scalars };
}

function trainDiscriminator(
  model: GanModel,
  given: StepGiven,
  before: StepProgress,
): StepProgress {
  const { order, latents, discriminatorSteps } = model.config.update;
  const reusesFakes = order === "generator-first" && latents === "shared";
  let progress = before;
  for (let update = 0; update < discriminatorSteps; update++) {
    const result = updateDiscriminator(model, progress.gan, {
      ...updateInputs(model, given, update),
      hyper: hyperOf(given.inputs.discriminatorHyper, update, discriminatorSteps),
      fakes: reusesFakes ? progress.fakes : undefined,
      penalized: given.kind.penalized[update],
      gamma: given.inputs.gamma,
    });
    progress = {
      gan: result.state,
      fakes: result.fakes,
      sign: result.sign,
      scalars: { ...progress.scalars, ...result.scalars },
    };
  }
  return progress;
}

function trainGenerator(model: GanModel, given: StepGiven, before: StepProgress): StepProgress {
  const { discriminatorSteps, generatorSteps = DEFAULTS.generatorSteps, latents } =
    model.config.update;
  let progress = before;
  for (let update = 0; update < generatorSteps; update++) {
    const reusesLatents = latents === "shared" && update === 0;
    const { state: gan, fakes, scalars } = updateGenerator(model, progress.gan, {
      ...updateInputs(model, given, update % discriminatorSteps),
      hyper: hyperOf(given.inputs.generatorHyper, update, generatorSteps),
      latents: reusesLatents ? before.fakes?.latents : undefined,
    });
    progress = { ...progress, gan, fakes, scalars: { ...progress.scalars, ...scalars } };
  }
  return progress;
}

/** What an update gets of the step's inputs. @param batch of the step's real samples, counted from 0 */
function updateInputs({ config: { batchSize } }: GanModel, given: StepGiven, batch: number) {
  const { state, inputs, random } = given;
  const labels = inputs.labels as tf.Tensor1D | undefined; // [samplesPerStep]
  const first = batch * batchSize;
  return {
    real: tf.slice(inputs.real, first, batchSize), // [batch, ...sample]
    labels: labels && tf.slice(labels, first, batchSize), // [batch]
    augmentation: augmentationState(state, inputs),
    random,
  };
}

/** The part of a vector of hyperparameters that belongs to one update. */
function hyperOf(all: tf.Tensor, update: number, updates: number): tf.Tensor1D {
  const length = all.size / updates;
  return tf.slice(all as tf.Tensor1D, update * length, length);
}
