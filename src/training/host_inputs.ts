/**
 * What the host computes for a step, in double precision: the optimizers' hyperparameters with the
 * learning rates of that step, the EMA decay, noise, and whether augmentation adapts.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { OptimizerSpec } from "../config/optimizer.ts";
import type { RunConfig } from "../config/run_config.ts";
import { augmentMoves } from "./adaptive.ts";
import { emaDecay } from "./ema.ts";
import { hyperparameters, lazyOptimizer } from "./optimizers.ts";
import { learningRateScale, noiseSigma } from "./schedule.ts";
import { scheduledValues, withBeta2 } from "./schedules.ts";
import type { OptimizersSince } from "./store.ts";

/** What of a config the host's inputs depend on. */
export type HostInputsConfig = Pick<
  RunConfig,
  | "augment"
  | "batchSize"
  | "discriminatorOptimizer"
  | "duration"
  | "ema"
  | "generatorOptimizer"
  | "instanceNoise"
  | "learningRateSchedule"
  | "objective"
  | "schedules"
  | "update"
>;

/** What the host's inputs depend on besides the config and the step. */
export interface ScheduleContext {
  /** Steps of the whole run, over which learning rates decay. Default: the config's, where it counts steps. */
  totalSteps?: number;
  /** The factor of the learning rates after a divergence. Default 1. */
  learningRateFactor?: number;
  /** Where optimizers that took the place of others began. */
  optimizersSince?: OptimizersSince;
}

/**
 * The inputs of a step that are not data.
 * @param step counted from 0
 * @throws {TypeError} when learning rates follow a schedule whose length nothing says
 */
export function hostInputs(
  config: HostInputsConfig,
  step: number,
  { totalSteps, learningRateFactor = 1, optimizersSince = {} }: ScheduleContext,
): Record<string, Float32Array> {
  const { augment, batchSize, duration, ema, instanceNoise, learningRateSchedule } = config;
  const { discriminatorSteps, generatorSteps = DEFAULTS.generatorSteps } = config.update;
  const length = totalSteps ?? ("steps" in duration ? duration.steps : undefined);
  if (learningRateSchedule && length === undefined) {
    throw new TypeError("A learning rate schedule needs the run's totalSteps");
  }
  const scale = learningRateFactor * learningRateScale(learningRateSchedule, {
    step,
    totalSteps: length ?? 1,
  });
  const scheduled = scheduledValues(config, step * batchSize * discriminatorSteps);
  const { gamma, beta2, emaHalfLifeImages, augmentProbability } = scheduled;
  const discriminatorOptimizer = lazyOptimizer(
    withBeta2(config.discriminatorOptimizer, beta2),
    config.objective.penaltyEvery,
  );
  const result: Record<string, Float32Array> = {
    discriminatorHyper: stepHyperparameters(discriminatorOptimizer, {
      step: step - (optimizersSince.discriminator ?? 0),
      updates: discriminatorSteps,
      scale,
    }),
    generatorHyper: stepHyperparameters(withBeta2(config.generatorOptimizer, beta2), {
      step: step - (optimizersSince.generator ?? 0),
      updates: generatorSteps,
      scale,
    }),
  };
  if (ema) {
    const average = { ...ema, halfLifeImages: emaHalfLifeImages ?? ema.halfLifeImages };
    result.emaDecay = Float32Array.of(emaDecay(average, batchSize, step));
  }
  if (gamma !== undefined) result.gamma = Float32Array.of(gamma);
  if (augmentProbability !== undefined) {
    result.augmentProbability = Float32Array.of(augmentProbability);
  }
  if (instanceNoise) result.noiseSigma = Float32Array.of(noiseSigma(instanceNoise, step));
  if (augment?.adaptive) result.augmentMoves = Float32Array.of(augmentMoves(augment, step));
  return result;
}

/**
 * The hyperparameters of all of a step's updates of one network, one after another.
 * @param options.step counted from 0, from where the optimizer began
 */
function stepHyperparameters(
  optimizer: OptimizerSpec,
  { step, updates, scale }: { step: number; updates: number; scale: number },
): Float32Array {
  const first = step * updates + 1; // an optimizer counts its updates from 1
  return Float32Array.from(
    Array.from({ length: updates }, (_, update) => [
      ...hyperparameters(optimizer, first + update, scale),
    ]).flat(),
  );
}
