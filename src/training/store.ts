/**
 * What the training loop writes and reads back: checkpoints, metrics, events and evaluations. The loop
 * knows this interface alone; src/run keeps it in a run folder, memory_store.ts in memory.
 */
import type { MeasureName } from "../config/evaluation.ts";
import type { HostTensors } from "../tensor/types.ts";

/** Everything that a run needs to continue as if it had never stopped. */
export interface Checkpoint {
  /** Steps done. */
  step: number;
  /** Real samples seen. */
  images: number;
  /** Seconds spent training so far, over all sessions. */
  wallSeconds: number;
  /** The engine that made it: resuming on the same one is exact to the bit. */
  engine: string;
  /** How often the run was rolled back after diverging; absent where it never was. */
  rollbacks?: number;
  /** The factor of its learning rates since then. */
  learningRateFactor?: number;
  /** Absent where both optimizers are those of the first step. */
  optimizersSince?: OptimizersSince;
  /** Parameters, running statistics and optimizer state, by name. */
  state: HostTensors;
}

/**
 * The steps after which an optimizer took the place of another and started without state: from there it counts
 * its updates, which Adam's bias correction depends on.
 */
export interface OptimizersSince {
  generator?: number;
  discriminator?: number;
}

/** Which checkpoint is the best, and why. */
export interface BestCheckpoint {
  /** Steps done. */
  step: number;
  /** The measure that decides. */
  measure: MeasureName;
  /** The measure's value there. */
  value: number;
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  /**
   * Saves a checkpoint, then removes the oldest of those before it so that `keep` are left.
   * @param retention.best the step of the best one, which stays and is not counted
   * @throws {UserError} or a {@linkcode StorageError} when it cannot be written; those before are untouched
   */
  write(checkpoint: Checkpoint, retention: { keep: number; best?: number }): Promise<void>;
  /**
   * Reads the latest checkpoint that is intact.
   * @param onWarning called for each damaged one that is skipped
   * @throws {UserError} when there is none
   */
  readLatest(onWarning?: (message: string) => void): Promise<Checkpoint>;
  /**
   * Reads the checkpoint of a step.
   * @throws {UserError} when there is none
   */
  read(step: number): Promise<Checkpoint>;
  /** The steps of the complete checkpoints, ascending. */
  steps(): Promise<number[]>;
  /** Names the checkpoint of a step in messages. */
  nameOf(step: number): string;
  /** Which checkpoint is the best; undefined where none is known. */
  readBest(): Promise<BestCheckpoint | undefined>;
  /** Records which checkpoint is the best; undefined: none is known. */
  writeBest(best: BestCheckpoint | undefined): Promise<void>;
}

/** Lines, oldest first, each about the `step` that it names. */
export interface StepLog<Line extends { step: number }> {
  read(): Promise<Line[]>;
  /** Adds lines at the end. */
  append(lines: readonly Line[]): Promise<void>;
  /** Replaces all lines. */
  rewrite(lines: readonly Line[]): Promise<void>;
}

/** Everything that the training loop records about a run. */
export interface TrainingStore {
  /** Names the run in messages. */
  readonly name: string;
  /** How to continue after a failure, for messages, as in "resume with --resume runs/00001-digits". */
  readonly howToResume: string;
  readonly checkpoints: CheckpointStore;
  readonly metrics: StepLog<MetricsLine>;
  readonly events: StepLog<RunEvent>;
  readonly evaluations: StepLog<EvaluationLine>;
}

/**
 * One line of metrics. Further fields hold further scalars of the step, such as `penalty`. A scalar that
 * only some steps measure is the mean over those that did, and absent where none did.
 */
export interface MetricsLine {
  /** Steps done. */
  step: number;
  /** Real samples seen. */
  images: number;
  /** Seconds spent training, over all sessions. */
  wallS: number;
  /** Milliseconds a step. */
  stepMs: number;
  [scalar: string]: number;
}

/** A run was rolled back to a good state because it had diverged. */
export interface RollbackEvent {
  /** Tells events apart. */
  event: "rollback";
  /** Steps done when it diverged. */
  step: number;
  /** What was wrong. */
  fault: string;
  /** The step that the run was rolled back to. */
  to: number;
  /** The factor of the learning rates from there on. */
  learningRateFactor: number;
  /** How often the run may still be rolled back. */
  retriesLeft: number;
}

/** A run was resumed. */
export interface ResumeEvent {
  /** Tells events apart. */
  event: "resume";
  /** Steps done in the checkpoint that it continued from. */
  step: number;
  /** The engine that it continued on. */
  engine: string;
}

/** Samples or discriminator outputs show that training goes wrong. */
export interface WarningEvent {
  /** Tells events apart. */
  event: "warning";
  /** Steps done when it was seen. */
  step: number;
  /** What is wrong, and what to try. */
  message: string;
}

/** Training diverged as often as the config allows, and ended. */
export interface DivergedEvent {
  /** Tells events apart. */
  event: "diverged";
  /** Steps done when it diverged. */
  step: number;
  /** What was wrong. */
  fault: string;
}

/** What may happen to a run besides its steps. */
export type RunEvent = RollbackEvent | ResumeEvent | WarningEvent | DivergedEvent;

/** What an evaluation measured. */
export interface Measured {
  /** Samples that were drawn. */
  samples: number;
  /** Where features came from, for measures over features; every value is to be quoted with it. */
  features?: string;
  /** The values, the deciding one first; null for one that is not a finite number. */
  measures: Partial<Record<MeasureName, number | null>>;
}

/** One line of evaluations. */
export interface EvaluationLine extends Measured {
  /** Steps done. */
  step: number;
  /** Real samples seen. */
  images: number;
  /** Seconds spent measuring. */
  seconds: number;
  /** The fingerprint of the data that it was measured against. */
  data: string;
}
