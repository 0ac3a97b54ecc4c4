/** How a program trains and resumes runs: options, callbacks, and the check of what plain JavaScript gives. */
import { didYouMean } from "../config/nearest.ts";
import type { LogitKind } from "../config/objective.ts";
import type { RunConfig } from "../config/types.ts";
import type { DataProgress } from "../data/progress.ts";
import type { DataSource } from "../data/source.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { UserError } from "../errors.ts";
import type { EvaluationPlan } from "../evaluation/evaluation_plan.ts";
import type { EvaluationProgress, TrainingProgress } from "../training/train.ts";

/** A run's callbacks; all are optional, and called in this order first. */
export interface RunCallbacks {
  /** Images are being looked at, and then decoded. */
  onLoading?: (progress: DataProgress) => void;
  /** The data are open. */
  onData?: (data: DataSource) => void;
  /** Something is prepared that takes seconds. */
  onStage?: (what: string) => void;
  /** The engine is open. */
  onEngine?: (engine: ChosenEngine) => void;
  /** The first step is about to be compiled. */
  onStart?: (start: RunStart) => void;
  /** After each chunk of steps, about every 0.4 seconds. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Samples were measured. */
  onEvaluation?: (evaluation: EvaluationProgress) => void;
  /** An image of samples was written; only in a run folder. */
  onImage?: (path: string) => void;
  /** Something is wrong that the run survives. */
  onWarning?: (message: string) => void;
}

/** What a run computes on. */
export interface ChosenEngine {
  /** Device and runtime. */
  description: string;
  /** Why it was chosen. */
  reason: string;
  /** What would make training faster on this machine; undefined where nothing is known. */
  hint?: string;
}

/** A run that is about to start or continue. */
export interface RunStart {
  /** The run's folder; undefined for a run in memory. */
  folder: string | undefined;
  /** Steps done in earlier sessions. */
  step: number;
  /** Steps when it is done. */
  totalSteps: number;
  /** Values in the generator's weights and buffers. */
  generatorParameters: number;
  /** Values in the discriminator's weights and buffers. */
  discriminatorParameters: number;
  /** What the discriminator's outputs mean. */
  logitKind: LogitKind;
  /** What is measured during training; undefined where nothing is. */
  evaluation: EvaluationPlan | undefined;
  /** What is odd about the plan, such as very few steps; undefined where nothing is. */
  remark?: string;
  /** What was taken of the weights that the run starts from, in lines; undefined for new weights. */
  from?: readonly string[];
  /** The processes that train together; undefined for one alone. */
  ranks?: string;
  /** What several processes do differently from one. */
  notes: readonly string[];
}

/** How to train. */
export interface TrainRunOptions extends RunCallbacks {
  /** What to train on, from `imageData()`, `tensorData()` or `openData()`. Default: the config's `data`. */
  data?: DataSource;
  /** The folder of all runs, in which this run makes its own. Default: the run stays in memory. */
  runsFolder?: string;
  /**
   * The folder of decoded data, or null to decode each time. Default: `cache` beside the folder of runs; a
   * run in memory has none.
   */
  cacheFolder?: string | null;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  /**
   * The processes that train together, from `openCommunicator()`; each calls this with the same config and
   * data, and rank 0 writes the run. Default: this process alone.
   */
  ranks?: Communicator;
}

/** How to resume. */
export interface ResumeRunOptions extends RunCallbacks {
  /** A changed config, such as one with more steps. Default: the run's own. */
  config?: RunConfig;
  /** What to train on. Default: the config's `data`. Needed where a program gave the data. */
  data?: DataSource;
  /** The folder of all runs, for a run that is named by its number. Default `runs`. */
  runsFolder?: string;
  /** The folder of decoded data, or null to decode each time. Default: `cache` beside the folder of runs. */
  cacheFolder?: string | null;
  /** Aborting it saves a checkpoint and ends the run. */
  signal?: AbortSignal;
  /** The processes that train together, from `openCommunicator()`; any number, whatever it was before. */
  ranks?: Communicator;
}

const CALLBACKS: readonly (keyof RunCallbacks)[] = [
  "onLoading",
  "onData",
  "onStage",
  "onEngine",
  "onStart",
  "onProgress",
  "onEvaluation",
  "onImage",
  "onWarning",
];

/**
 * Checks options from plain JavaScript.
 * @param doing what they are for, as in "train"
 * @throws {UserError} for an unknown option, or a value of the wrong type
 */
export function checkRunOptions(
  options: TrainRunOptions | ResumeRunOptions,
  { doing, others }: { doing: string; others: readonly string[] },
): void {
  const fail = (fault: string) => new UserError(`Cannot ${doing}: ${fault}`);
  if (typeof options !== "object" || options === null) {
    throw fail(`the options are ${options}, expected an object`);
  }
  const known: string[] = [
    ...others,
    "data",
    "runsFolder",
    "cacheFolder",
    "signal",
    "ranks",
    ...CALLBACKS,
  ];
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      throw fail(
        `there is no option ${name}${didYouMean(name, known)}; there are ${known.join(", ")}`,
      );
    }
    const isCallback = CALLBACKS.includes(name as keyof RunCallbacks);
    if (isCallback && value !== undefined && typeof value !== "function") {
      throw fail(`${name} is of type ${typeof value}, expected a function`);
    }
  }
  const { data, runsFolder, cacheFolder, signal, ranks } = options;
  if (cacheFolder !== undefined && cacheFolder !== null && !isPath(cacheFolder)) {
    throw fail(`cacheFolder is ${JSON.stringify(cacheFolder)}, expected a folder's path or null`);
  }
  if (data !== undefined && !isDataSource(data)) {
    throw fail("data is no data source; make one with imageData(), tensorData() or openData()");
  }
  if (runsFolder !== undefined && !isPath(runsFolder)) {
    throw fail(`runsFolder is ${JSON.stringify(runsFolder)}, expected a folder's path`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw fail("signal is no AbortSignal");
  }
  if (ranks !== undefined && typeof ranks.allReduceMean !== "function") {
    throw fail("ranks is no communicator; make one with openCommunicator()");
  }
}

function isDataSource(value: unknown): value is DataSource {
  const { batch, fingerprint, count } = (value ?? {}) as Partial<DataSource>;
  return typeof batch === "function" && typeof fingerprint === "string" && Number.isInteger(count);
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
