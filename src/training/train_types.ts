/** What the training loop is given, whom it tells of what happens, and what comes out. */
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { BestCheckpoint } from "../run/best_checkpoint.ts";
import type { Checkpoint } from "../run/checkpoint.ts";
import type { EvaluationLine, Evaluator } from "../run/evaluations.ts";
import type { RollbackEvent } from "../run/events_log.ts";
import type { RunFolder } from "../run/run_folder.ts";
import type { TrainingStep } from "./step.ts";

/** What a run is made of. */
export interface TrainingSetup {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  folder: RunFolder;
  /** The step of `config` for `data`. */
  trainingStep: TrainingStep;
  /** Measures samples where the config's `evaluation` says; without it nothing does. */
  evaluator?: Evaluator;
  /** Where to go on from; without it the run starts at step 0. */
  resume?: Checkpoint;
}

/** Who is told of what happens, and may interrupt it. */
export interface TrainingControl {
  /** Aborting it saves a checkpoint and returns. */
  signal?: AbortSignal;
  /** After each stretch of steps. */
  onProgress?(progress: TrainingProgress): void;
  /** At the start, at each snapshot and at the end, with the state at that moment. */
  onSnapshot?(snapshot: { step: number; state: HostTensors }): Promise<void>;
  /** After each evaluation. */
  onEvaluation?(evaluation: EvaluationProgress): void;
  /** The run diverged and goes back to an earlier step. */
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
  /** Milliseconds a step, over the last stretch. */
  stepMs: number;
  /** Real samples a second, over the last stretch. */
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
  /** What the best checkpoint is best by. */
  measure: Evaluator["measure"];
  /** Whether nothing was better before; the state was saved then. */
  isBest: boolean;
}

/** How a run ended. */
export interface TrainingResult {
  /** Parameters, running statistics and optimiser state, by name. */
  state: HostTensors;
  /** Steps done. */
  step: number;
  /** Steps when the run is done. */
  totalSteps: number;
  /** Seconds spent training, over all sessions. */
  wallSeconds: number;
  /** Whether it was told to stop before the end. */
  interrupted: boolean;
  /** The last step's scalars, and the latest values of those that it did not measure. */
  scalars: Record<string, number>;
  /** The checkpoint that an evaluation liked best, where there was one. */
  best: BestCheckpoint | undefined;
}
