/** Which steps a run has, and at which of them something else happens. */
import type { RunConfig } from "../config/run_config.ts";
import { UserError } from "../errors.ts";

/** The plan of a run. Steps are counted from 0; "after step n" means that n steps are done. */
export interface Schedule {
  totalSteps: number;
  stepsPerEpoch: number;
  /** Whether samples are shown after this many steps. */
  isSnapshot(step: number): boolean;
  /** Whether a checkpoint is written after this many steps, whatever the clock says. */
  isCheckpoint(step: number): boolean;
  /** The first step after `step` at which the loop has to pause. */
  nextStop(step: number): number;
}

/**
 * Plans a run.
 * @param sampleCount how many samples the data has
 * @param samplesPerStep how many a step takes
 * @throws {UserError} when the data is smaller than one step's batch
 */
export function planRun(config: RunConfig, sampleCount: number, samplesPerStep: number): Schedule {
  const stepsPerEpoch = Math.floor(sampleCount / samplesPerStep);
  if (stepsPerEpoch < 1) {
    throw new UserError(
      `Cannot train: a step takes ${samplesPerStep} samples, and the data has ${sampleCount}; ` +
        "use more data or a smaller --batch",
    );
  }
  const { duration, snapshots, checkpoints } = config;
  const totalSteps = "steps" in duration ? duration.steps : duration.epochs * stepsPerEpoch;
  const snapshotPeriods = [
    snapshots.everySteps,
    snapshots.everyEpochs && snapshots.everyEpochs * stepsPerEpoch,
  ].filter((period) => period !== undefined);
  const checkpointPeriods = checkpoints.everySteps === undefined ? [] : [checkpoints.everySteps];
  const isDue = (periods: number[], step: number) => periods.some((period) => step % period === 0);
  return {
    totalSteps,
    stepsPerEpoch,
    isSnapshot: (step) => step === totalSteps || isDue(snapshotPeriods, step),
    isCheckpoint: (step) => isDue(checkpointPeriods, step),
    nextStop(step) {
      const stops = [...snapshotPeriods, ...checkpointPeriods]
        .map((period) => (Math.floor(step / period) + 1) * period);
      return Math.min(totalSteps, ...stops);
    },
  };
}
