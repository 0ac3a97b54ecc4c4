/**
 * The training loop, top to bottom: prepare batches, run a stretch of steps on the engine, look at the
 * losses, and now and then show samples and write a checkpoint.
 */
import { TrainingDivergedError, UserError } from "../errors.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { DataSource } from "../data/source.ts";
import { shuffledBatches } from "../data/order.ts";
import type { Engine, HostTensors, StepInputs } from "../engine/types.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { MetricsLog, stepsPerLine } from "./metrics_log.ts";
import type { RunFolder } from "./run_folder.ts";
import { planRun } from "./schedule.ts";
import type { TrainingStep } from "./step.ts";

/** What a run is made of. */
export interface TrainingSetup {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  folder: RunFolder;
  /** The step of `config` for `data`. */
  trainingStep: TrainingStep;
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
  /** The clock, in milliseconds. */
  now?: () => number;
}

/** How far a run is. */
export interface TrainingProgress {
  step: number;
  totalSteps: number;
  /** Real samples seen. */
  images: number;
  /** Milliseconds a step, over the last stretch. */
  stepMs: number;
  imagesPerSecond: number;
  /** Seconds until the last step at this speed. */
  secondsLeft: number;
  /** The last step's scalars. */
  scalars: Record<string, number>;
}

/** How a run ended. */
export interface TrainingResult {
  state: HostTensors;
  /** Steps done. */
  step: number;
  totalSteps: number;
  /** Seconds spent training, over all sessions. */
  wallSeconds: number;
  /** Whether it was told to stop before the end. */
  interrupted: boolean;
  /** The last step's scalars. */
  scalars: Record<string, number>;
}

/** A stretch between two looks at the losses takes about this long. */
const STRETCH_MS = 400;
const LONGEST_STRETCH = 256;

/**
 * Trains until the config's last step, or until the signal.
 * @throws {TrainingDivergedError} when a loss is not finite; names the last good checkpoint
 * @throws {UserError} when a file cannot be written
 */
export async function train(
  setup: TrainingSetup,
  control: TrainingControl = {},
): Promise<TrainingResult> {
  const { config, engine, folder, trainingStep, resume } = setup;
  const now = control.now ?? (() => performance.now());
  const schedule = planRun(config, setup.data.count, trainingStep.samplesPerStep);
  const feed = batchFeed(setup);
  const metrics = new MetricsLog(folder.metricsFile, stepsPerLine(schedule.totalSteps));

  let step = resume?.step ?? 0;
  let wallSeconds = resume?.wallSeconds ?? 0;
  let lastSaved = resume?.step ?? -1;
  let scalars: Record<string, number> = {};
  let stretch = 1;
  let savedAt = now();
  await metrics.truncate(step);

  const compiled = await engine.compileStep(
    trainingStep.program,
    resume?.state ?? trainingStep.initialState(config.seed),
    config.seed,
  );
  async function save(state: HostTensors): Promise<void> {
    if (step === lastSaved) return;
    checkState(state, step, lastSaved, folder);
    const images = step * trainingStep.samplesPerStep;
    const checkpoint = { step, images, wallSeconds, engine: engine.name, state };
    await writeCheckpoint(folder.checkpoints, checkpoint, config.checkpoints.keep);
    lastSaved = step;
    savedAt = now();
  }

  try {
    if (step === 0) await control.onSnapshot?.({ step, state: await compiled.readState() });
    while (step < schedule.totalSteps && !control.signal?.aborted) {
      const count = Math.min(stretch, schedule.nextStop(step) - step);
      const startedAt = now();
      const batches = Array.from({ length: count }, (_, i) => feed(step + i));
      const measured = await compiled.run(batches, step);
      const elapsedMs = now() - startedAt;

      checkScalars(measured, step, lastSaved, folder);
      step += count;
      wallSeconds += elapsedMs / 1000;
      scalars = lastOf(measured);
      const stepMs = elapsedMs / count;
      const imagesPerStep = trainingStep.samplesPerStep;
      await metrics.add(measured, step, { imagesPerStep, wallSeconds, stepMs });
      control.onProgress?.({
        step,
        totalSteps: schedule.totalSteps,
        images: step * imagesPerStep,
        stepMs,
        imagesPerSecond: imagesPerStep * 1000 / stepMs,
        secondsLeft: (schedule.totalSteps - step) * stepMs / 1000,
        scalars,
      });
      stretch = nextStretch(stretch, stepMs);

      const snapshotDue = schedule.isSnapshot(step);
      const saveDue = schedule.isCheckpoint(step) || overdue(config, now() - savedAt);
      if (snapshotDue || saveDue) {
        const state = await compiled.readState();
        if (saveDue) await save(state);
        if (snapshotDue) await control.onSnapshot?.({ step, state });
      }
    }
    const state = await compiled.readState();
    await save(state);
    return {
      state,
      step,
      totalSteps: schedule.totalSteps,
      wallSeconds,
      interrupted: step < schedule.totalSteps,
      scalars,
    };
  } finally {
    await compiled.dispose();
  }
}

/** Makes the inputs of a step: the batch, and what the host computes. */
function batchFeed({ config, data, trainingStep }: TrainingSetup): (step: number) => StepInputs {
  const { samplesPerStep, usesLabels } = trainingStep;
  const order = shuffledBatches({
    count: data.count,
    batchSize: samplesPerStep,
    seed: config.seed,
  });
  return (step) => {
    const indices = order.indices(step);
    const { values, labels } = data.batch(indices);
    const inputs: StepInputs = { real: values, ...trainingStep.hostInputs(step) };
    if (usesLabels) {
      if (!labels) {
        throw new UserError("Cannot train a conditional network: the data has no labels");
      }
      inputs.labels = labels;
    }
    return inputs;
  };
}

/** Aims at stretches of {@linkcode STRETCH_MS}, at most doubling each time. */
function nextStretch(current: number, stepMs: number): number {
  const wanted = Math.round(STRETCH_MS / Math.max(stepMs, 0.01));
  return Math.max(1, Math.min(wanted, current * 2, LONGEST_STRETCH));
}

function overdue(config: RunConfig, sinceSaveMs: number): boolean {
  const { everySeconds } = config.checkpoints;
  return everySeconds !== undefined && sinceSaveMs >= everySeconds * 1000;
}

function lastOf(measured: Record<string, Float32Array>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measured).map(([name, values]) => [name, values[values.length - 1]]),
  );
}

function checkScalars(
  measured: Record<string, Float32Array>,
  firstStep: number,
  lastSaved: number,
  folder: RunFolder,
): void {
  for (const [name, values] of Object.entries(measured)) {
    const index = values.findIndex((value) => !Number.isFinite(value));
    if (index >= 0) {
      throw diverged(`${name} is ${values[index]}`, firstStep + index + 1, lastSaved, folder);
    }
  }
}

function checkState(state: HostTensors, step: number, lastSaved: number, folder: RunFolder): void {
  for (const [name, { data }] of Object.entries(state)) {
    for (const value of data) {
      if (!Number.isFinite(value)) {
        throw diverged(`${name} holds ${value}`, step, lastSaved, folder);
      }
    }
  }
}

function diverged(
  what: string,
  step: number,
  lastSaved: number,
  folder: RunFolder,
): TrainingDivergedError {
  const good = lastSaved < 0
    ? "there is no checkpoint yet"
    : `the last good checkpoint is ${folder.checkpoints}/${String(lastSaved).padStart(8, "0")}`;
  return new TrainingDivergedError(
    `Training stopped at step ${step} because ${what}; ${good}; ` +
      "try a smaller learning rate, such as --set generatorOptimizer.learningRate=1e-4",
    step,
  );
}
