/**
 * One training step of a model: its updates in the order of the spec, as a pure function that any engine
 * runs. The updates are in model_updates.ts, the state before the first step in model_state.ts.
 */
import type { LearningRateSpec } from "../../config/learning_rate.ts";
import type { ModelSpec, ModelUpdateSpec, TermSpec } from "../../config/model.ts";
import type { EmaSpec } from "../../config/run_config.ts";
import type { StepProgram } from "../../engine/types.ts";
import type { Network } from "../../nn/mod.ts";
import type { HostTensors, TensorSpec } from "../../tensor/types.ts";
import { emaDecay } from "../ema.ts";
import type { ScheduleContext } from "../host_inputs.ts";
import { hyperparameterCount, hyperparameters } from "../optimizers.ts";
import { learningRateScale } from "../schedule.ts";
import { buildModel, type BuiltModel } from "./build_model.ts";
import { initialModelState } from "./model_state.ts";
import { ModelUpdates } from "./model_updates.ts";

/** What of a run's config decides a model's step. */
export interface ModelStepConfig {
  model: ModelSpec;
  batchSize: number;
  ema?: EmaSpec;
  learningRateSchedule?: LearningRateSpec;
}

/** A model's step, its networks, and what the host contributes to it. */
export interface ModelStep {
  program: StepProgram;
  networks: Record<string, Network>;
  /** Names of the inputs that are data. */
  dataInputs: string[];
  /** One sample's shape of each input, the latent's among them. */
  inputShapes: Readonly<Record<string, readonly number[]>>;
  samplesPerStep: number;
  /** Parameters, optimizer state and histories before the first step. */
  initialState(seed: number): HostTensors;
  /** Whether a step (counted from 0) measures a scalar: terms come in at steps of their own. */
  measures(scalar: string, step: number): boolean;
  /** The inputs that are not data, at a step counted from 0. */
  hostInputs(step: number, context: ScheduleContext): Record<string, Float32Array>;
}

/**
 * Builds the step.
 * @param inputShapes one sample's shape of each input that is data
 * @throws {UserError} when names or shapes do not fit
 */
export function buildModelStep(
  config: ModelStepConfig,
  inputShapes: Readonly<Record<string, readonly number[]>>,
): ModelStep {
  const { model, batchSize, ema } = config;
  const built = buildModel(model, { inputShapes, batchSize });
  const starts = phaseStarts(model);
  const parts = { model, built, batchSize, hasEma: ema !== undefined };
  return {
    program: {
      step(state, inputs, random, kind) {
        const updates = new ModelUpdates(parts, { state, inputs, random });
        for (const update of model.updates) {
          updates.run(update, termsAt(update, starts[Number(kind)]));
        }
        return { state: updates.nextState(), scalars: updates.scalars };
      },
      inputs: inputSpecs(config, built, inputShapes),
      constants: built.constants,
      kindOf: (step) => String(starts.findLastIndex((start) => start <= step)),
    },
    networks: built.networks,
    dataInputs: built.dataInputs,
    inputShapes: built.shapes,
    samplesPerStep: batchSize,
    initialState: (seed) => initialModelState(parts, seed),
    measures: (scalar, step) => measures(model, scalar, step),
    hostInputs: (step, context) => hostInputs(config, step, context),
  };
}

/** The inputs of the step: data, each optimizer's hyperparameters, the decay of the EMA. */
function inputSpecs(
  { model, batchSize, ema }: ModelStepConfig,
  { dataInputs }: BuiltModel,
  inputShapes: Readonly<Record<string, readonly number[]>>,
): Record<string, TensorSpec> {
  const inputs: Record<string, TensorSpec> = {};
  for (const name of dataInputs) {
    inputs[name] = { shape: [batchSize, ...inputShapes[name]], dtype: "float32" };
  }
  for (const { name, optimizer } of model.updates) {
    inputs[`${name}Hyper`] = { shape: [hyperparameterCount(optimizer)], dtype: "float32" };
  }
  if (ema) inputs.emaDecay = { shape: [], dtype: "float32" };
  return inputs;
}

/** The inputs that are not data, at a step counted from 0. */
function hostInputs(
  { model, batchSize, ema, learningRateSchedule }: ModelStepConfig,
  step: number,
  { totalSteps, learningRateFactor = 1 }: ScheduleContext,
): Record<string, Float32Array> {
  if (learningRateSchedule && totalSteps === undefined) {
    throw new TypeError("A learning rate schedule needs the run's totalSteps");
  }
  const position = { step, totalSteps: totalSteps ?? 1 };
  const scale = learningRateFactor * learningRateScale(learningRateSchedule, position);
  const result: Record<string, Float32Array> = {};
  for (const { name, optimizer, terms } of model.updates) {
    const start = Math.min(...terms.map(({ fromStep = 0 }) => fromStep));
    const updates = Math.max(1, step - start + 1);
    result[`${name}Hyper`] = hyperparameters(optimizer, updates, scale);
  }
  if (ema) result.emaDecay = Float32Array.of(emaDecay(ema, batchSize, step));
  return result;
}

function measures(model: ModelSpec, scalar: string, step: number): boolean {
  return model.updates.some((update) => {
    const terms = termsAt(update, step);
    return terms.length > 0 &&
      (scalar === `${update.name}Loss` || terms.some(({ name }) => name === scalar));
  });
}

/** The steps at which a term comes in, from 0 on: each starts a kind of steps. */
function phaseStarts(model: ModelSpec): number[] {
  const starts = model.updates.flatMap(({ terms }) => terms.map(({ fromStep = 0 }) => fromStep));
  return [...new Set([0, ...starts])].sort((a, b) => a - b);
}

/** The terms that an update has at a step. */
function termsAt(update: ModelUpdateSpec, step: number): TermSpec[] {
  return update.terms.filter(({ fromStep = 0 }) => fromStep <= step);
}
