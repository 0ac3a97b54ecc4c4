/**
 * What the host computes for a step, in double precision: optimisers' numbers with the learning rates
 * of that step, the average's decay, noise, and whether augmentation is to adapt.
 */
import type { RunConfig } from "../config/run_config.ts";
import { augmentMoves } from "./adaptive.ts";
import { emaDecay } from "./ema.ts";
import { hyperparameters, lazyOptimizer } from "./optimizers.ts";
import { learningRateScale, noiseSigma } from "./schedule.ts";

/** What the host's numbers depend on besides the step. */
export interface Course {
  /** Steps of the whole run, over which learning rates fall. Default: the config's, where it counts steps. */
  totalSteps?: number;
  /** What the learning rates are multiplied by, after a divergence. Default 1. */
  learningRateFactor?: number;
}

/**
 * The inputs of a step that are not data.
 * @param step counted from 0
 * @throws {TypeError} when learning rates follow a schedule whose length nothing says
 */
export function hostInputs(
  config: RunConfig,
  step: number,
  { totalSteps, learningRateFactor = 1 }: Course,
): Record<string, Float32Array> {
  const { augment, batchSize, duration, ema, instanceNoise, learningRateSchedule } = config;
  const turns = config.update.discriminatorSteps;
  const length = totalSteps ?? ("steps" in duration ? duration.steps : undefined);
  if (learningRateSchedule && length === undefined) {
    throw new TypeError("A learning rate schedule needs the run's totalSteps");
  }
  const scale = learningRateFactor * learningRateScale(learningRateSchedule, step, length ?? 1);
  const judge = lazyOptimizer(config.discriminatorOptimizer, config.objective.penaltyEvery);
  const updates = Array.from({ length: turns }, (_, turn) => step * turns + turn);
  const result: Record<string, Float32Array> = {
    discriminatorHyper: Float32Array.from(
      updates.flatMap((update) => [...hyperparameters(judge, update + 1, scale)]),
    ),
    generatorHyper: hyperparameters(config.generatorOptimizer, step + 1, scale),
  };
  if (ema) result.emaDecay = Float32Array.of(emaDecay(ema, batchSize, step));
  if (instanceNoise) result.noiseSigma = Float32Array.of(noiseSigma(instanceNoise, step));
  if (augment?.adaptive) result.augmentMoves = Float32Array.of(augmentMoves(augment, step));
  return result;
}
