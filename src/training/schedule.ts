/** Which steps a run has, and at which of them something else happens. */
import { DEFAULTS } from "../config/defaults.ts";
import type { LearningRateSpec } from "../config/learning_rate.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { InstanceNoiseSpec } from "../config/stability.ts";
import { UserError } from "../errors.ts";

/** How often something happens; both may be given. */
interface Period {
  everySteps?: number;
  everyEpochs?: number;
}

/** The plan of a run. Steps are counted from 0; "after step n" means that n steps are done. */
export interface Schedule {
  totalSteps: number;
  stepsPerEpoch: number;
  /** Whether samples are shown after this many steps. */
  isSnapshot(step: number): boolean;
  /** Whether a checkpoint is written after this many steps, whatever the clock says. */
  isCheckpoint(step: number): boolean;
  /** Whether samples are measured after this many steps. */
  isEvaluation(step: number): boolean;
  /** The first step after `step` at which the loop has to pause. */
  nextStop(step: number): number;
}

/** What of a config decides the plan. */
export type ScheduleConfig =
  & Pick<RunConfig, "duration" | "snapshots" | "checkpoints" | "evaluation">
  & Partial<Pick<RunConfig, "batchSize">>;

/** A run of fewer steps than this, by passes over few data, hardly trains. */
const FEW_STEPS = 500;

/**
 * Plans a run.
 * @param data.sampleCount how many samples the data has
 * @param data.samplesPerStep how many a step takes
 * @throws {UserError} when the data is smaller than one step's batch
 */
export function planRun(
  config: ScheduleConfig,
  { sampleCount, samplesPerStep }: { sampleCount: number; samplesPerStep: number },
): Schedule {
  const stepsPerEpoch = Math.floor(sampleCount / samplesPerStep);
  if (stepsPerEpoch < 1) {
    const { batchSize = samplesPerStep } = config;
    const largest = Math.floor(sampleCount * batchSize / samplesPerStep);
    throw new UserError(
      `Cannot train: a step takes ${samplesPerStep} samples, and the data has ${sampleCount}; ` +
        (largest < 1 ? "use more data" : `use --batch ${largest} or less, or more data`),
    );
  }
  const { duration, snapshots, checkpoints, evaluation } = config;
  const totalSteps = "steps" in duration ? duration.steps : duration.epochs * stepsPerEpoch;
  const periods = ({ everySteps, everyEpochs }: Period): number[] => [
    ...(everySteps === undefined ? [] : [everySteps]),
    ...(everyEpochs === undefined ? [] : [everyEpochs * stepsPerEpoch]),
  ];
  const snapshotPeriods = periods(snapshots);
  const checkpointPeriods = periods({ everySteps: checkpoints.everySteps });
  const evaluationPeriods = evaluation ? periods(evaluation) : [];
  const isDue = (periods: number[], step: number) => periods.some((period) => step % period === 0);
  return {
    totalSteps,
    stepsPerEpoch,
    isSnapshot: (step) => step === totalSteps || isDue(snapshotPeriods, step),
    isCheckpoint: (step) => isDue(checkpointPeriods, step),
    isEvaluation: (step) =>
      evaluation !== undefined && step > 0 &&
      (step === totalSteps || isDue(evaluationPeriods, step)),
    nextStop(step) {
      const stops = [...snapshotPeriods, ...checkpointPeriods, ...evaluationPeriods]
        .map((period) => (Math.floor(step / period) + 1) * period);
      return Math.min(totalSteps, ...stops);
    },
  };
}

/**
 * What to say of a plan whose steps are few because the data are, rather than because the user named them.
 * @returns nothing where there is nothing to say
 */
export function planRemark(
  { duration }: Pick<RunConfig, "duration">,
  { totalSteps, stepsPerEpoch }: Pick<Schedule, "totalSteps" | "stepsPerEpoch">,
): string | undefined {
  if ("steps" in duration || totalSteps >= FEW_STEPS) return undefined;
  const { epochs } = duration;
  return `${totalSteps} ${totalSteps === 1 ? "step" : "steps"} in all (epochs: ${epochs}, with ` +
    `${stepsPerEpoch} each) are few to train a GAN; --steps 2000 trains longer, and a smaller --batch ` +
    `makes more steps of an epoch`;
}

/**
 * The factor of the learning rates at a step: a warm-up of `(step + 1) / warmUpSteps` up to 1, times
 * `1 - (1 - final) t` (linear) or `final + (1 - final) (1 + cos(pi t)) / 2` (cosine), `t = (step
 * - hold) / (steps - hold)` from 0 to 1.
 * @param at.step counted from 0
 * @param at.totalSteps the run's, over which rates decay unless the spec says otherwise
 */
export function learningRateScale(
  spec: LearningRateSpec | undefined,
  { step, totalSteps }: { step: number; totalSteps: number },
): number {
  if (!spec) return 1;
  const { shape, finalScale = DEFAULTS.schedule.finalScale, steps = totalSteps } = spec;
  const { warmUpSteps = DEFAULTS.schedule.warmUpSteps } = spec;
  const rise = warmUpSteps ? Math.min(1, (step + 1) / warmUpSteps) : 1;
  const { holdSteps: hold = 0 } = spec;
  const t = Math.min(1, Math.max(0, step - hold) / Math.max(1, steps - hold));
  switch (shape) {
    case "constant":
      return rise;
    case "linear":
      return rise * (1 - (1 - finalScale) * t);
    case "cosine":
      return rise * (finalScale + (1 - finalScale) * (1 + Math.cos(Math.PI * t)) / 2);
  }
}

/** The deviation of instance noise at a step, counted from 0. */
export function noiseSigma({ sigma, decaySteps }: InstanceNoiseSpec, step: number): number {
  return decaySteps === undefined ? sigma : sigma * Math.max(0, 1 - step / decaySteps);
}
