/** What the training loop takes, its callbacks, and what it returns. */
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import type { Communicator } from "../distributed/communicator.ts";
import type { Engine } from "../engine/types.ts";
import type { Network } from "../nn/mod.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { BatchFeed } from "./batch_feed.ts";
import type { Evaluator } from "./evaluations.ts";
import type { ScheduleConfig } from "./schedule.ts";
import type { TrainingStep } from "./step.ts";
import type {
  BestCheckpoint,
  Checkpoint,
  EvaluationLine,
  RollbackEvent,
  TrainingStore,
} from "./store.ts";

/** What of a config the loop itself depends on; the step has the rest. */
export type LoopConfig = ScheduleConfig & Pick<RunConfig, "seed" | "divergence">;

/** A step as the loop runs it, whatever its networks. */
export interface LoopStep {
  /** The networks by the prefixes of their parameters in the state. */
  readonly networks: Readonly<Record<string, Network>>;
  /** Real samples that one step consumes. */
  readonly samplesPerStep: number;
  /** Parameters and optimizer state before the first step. */
  initialState(seed: number): HostTensors;
  /** Whether a step (counted from 0) measures a scalar. */
  measures(scalar: string, step: number): boolean;
  /** The values of a step (counted from 0) that the host changes with the images seen, for the metrics. */
  scheduled?(step: number): Readonly<Record<string, number>>;
}

/** A GAN's step and its data. */
interface GanSetup {
  data: DataSource;
  /** The step of the config for the data. */
  trainingStep: TrainingStep;
  feed?: undefined;
}

/** Any other step, and what feeds it. */
interface FedSetup {
  data: Pick<DataSource, "count" | "fingerprint">;
  trainingStep: LoopStep;
  /** The step's program, and its inputs at each step. */
  feed: BatchFeed;
}

/** What the training loop takes. */
export type TrainingSetup = LoopSetup & (GanSetup | FedSetup);

/** What every loop takes. */
interface LoopSetup {
  config: LoopConfig;
  engine: Engine;
  /** Where checkpoints, metrics, events and evaluations go. */
  store: TrainingStore;
  /** Measures samples where the config's `evaluation` says; without it nothing is measured. */
  evaluator?: Evaluator;
  /** Where to continue from; without it the run starts at step 0. */
  resume?: Checkpoint;
  /**
   * The ranks that train together; all of them call the loop, and rank 0's store counts. Without them the
   * process trains alone.
   */
  ranks?: Communicator;
  /** With ranks, the steps after which their weights are averaged; 1: gradients are, at each update. */
  averageEvery?: number;
}

/** The loop's callbacks, and what may interrupt it. */
export interface TrainingControl {
  /** Aborting it saves a checkpoint and returns. */
  signal?: AbortSignal;
  /** After each chunk of steps. */
  onProgress?(progress: TrainingProgress): void;
  /** At the start, at each snapshot and at the end, with the state at that moment. */
  onSnapshot?(snapshot: { step: number; state: HostTensors }): Promise<void>;
  /** After each evaluation. */
  onEvaluation?(evaluation: EvaluationProgress): void;
  /** The run diverged and was rolled back to an earlier step. */
  onRollback?(event: RollbackEvent): Promise<void> | void;
  /** Something is wrong that the run survives. */
  onWarning?(message: string): void;
  /** The clock, in milliseconds. */
  now?: () => number;
}

/** How far a run is. */
export interface TrainingProgress {
  /** Steps done. */
  step: number;
  /** Steps when the run is done. */
  totalSteps: number;
  /** Real samples seen. */
  images: number;
  /** Milliseconds a step, over the last chunk of steps. */
  stepMs: number;
  /** Real samples a second, over the last chunk of steps. */
  imagesPerSecond: number;
  /** Seconds until the last step at this speed. */
  secondsLeft: number;
  /** The last step's scalars, and the latest values of those that it did not measure. */
  scalars: Record<string, number>;
}

/** What an evaluation found, and whether it is the best so far. */
export interface EvaluationProgress {
  /** As in `evaluations.jsonl`. */
  line: EvaluationLine;
  /** The measure that decides which checkpoint is the best. */
  measure: Evaluator["measure"];
  /** Whether nothing was better before; the state was saved then. */
  isBest: boolean;
}

/** How a run ended. */
export interface TrainingResult {
  /** Parameters, running statistics and optimizer state, by name. */
  state: HostTensors;
  /** Steps done. */
  step: number;
  /** Steps when the run is done. */
  totalSteps: number;
  /** Seconds spent training, over all sessions. */
  wallSeconds: number;
  /** Whether it was interrupted before the end. */
  interrupted: boolean;
  /** The last step's scalars, and the latest values of those that it did not measure. */
  scalars: Record<string, number>;
  /** The best checkpoint by the evaluations, where there was one. */
  best: BestCheckpoint | undefined;
}
