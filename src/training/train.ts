/**
 * The training loop, top to bottom: prepare batches, run a stretch of steps on the engine, look at the
 * losses, and now and then show samples, measure them and write a checkpoint. Numbers that blow up send
 * the run back (divergence.ts).
 */
import type { RunConfig } from "../config/run_config.ts";
import type { HostTensors } from "../tensor/types.ts";
import { batchFeed } from "./batch_feed.ts";
import {
  checkFits,
  checkpointPath,
  readLatestCheckpoint,
  writeCheckpoint,
} from "../run/checkpoint.ts";
import { DeviceLostError } from "../errors.ts";
import { DivergenceGuard, type Fault, scalarFault } from "./divergence.ts";
import { Evaluations, type Evaluator } from "../run/evaluations.ts";
import { logEvent, type RollbackEvent } from "../run/events_log.ts";
import { MetricsLog, stepsPerLine } from "../run/metrics_log.ts";
import { planRun } from "./schedule.ts";
import type { TrainingControl, TrainingResult, TrainingSetup } from "./train_types.ts";

export type * from "./train_types.ts";

/** A stretch between two looks at the losses takes about this long. */
const STRETCH_MS = 400;
const LONGEST_STRETCH = 256;

/**
 * Trains until the config's last step, or until the signal.
 * @throws {TrainingDivergedError} when numbers blew up as often as the config lets them; names the last
 * good checkpoint
 * @throws {DeviceLostError} when the GPU went away; names the last good checkpoint too
 * @throws {UserError} when a file cannot be written, or the checkpoint is not of this config
 */
export async function train(
  setup: TrainingSetup,
  control: TrainingControl = {},
): Promise<TrainingResult> {
  const { config, engine, folder, trainingStep, resume } = setup;
  const now = control.now ?? (() => performance.now());
  const schedule = planRun(config, setup.data.count, trainingStep.samplesPerStep);
  const feed = batchFeed({ seed: config.seed, data: setup.data, trainingStep });
  const metrics = new MetricsLog(folder.metricsFile, stepsPerLine(schedule.totalSteps));
  const guard = new DivergenceGuard(config.divergence, trainingStep, resume);
  const evaluations = new Evaluations(folder, setup.evaluator, setup.data.fingerprint);

  let step = resume?.step ?? 0;
  let wallSeconds = resume?.wallSeconds ?? 0;
  let lastSaved = resume?.step ?? -1;
  let scalars: Record<string, number> = {};
  let stretch = 1;
  let savedAt = now();
  const startState = trainingStep.initialState(config.seed);
  if (resume) checkFits(resume.state, startState, folder.path);
  await metrics.truncate(step);
  await evaluations.truncate(step);
  if (resume) await logEvent(folder.eventsFile, { event: "resume", step, engine: engine.name });

  const compiled = await engine
    .compileStep(feed.program, resume?.state ?? startState, config.seed)
    .catch(explainLoss);
  guard.accept(resume?.state ?? startState);

  async function save(state: HostTensors): Promise<void> {
    if (step === lastSaved) return;
    const images = step * trainingStep.samplesPerStep;
    const fared = guard.rollbacks.rollbacks ? guard.rollbacks : {};
    const checkpoint = { step, images, wallSeconds, engine: engine.name, ...fared, state };
    const { keep } = config.checkpoints;
    await writeCheckpoint(folder.checkpoints, checkpoint, { keep, best: evaluations.best?.step });
    guard.accept(state);
    lastSaved = step;
    savedAt = now();
  }

  /** For messages: what is left when the run ends here. */
  function lastGood(): string {
    return lastSaved < 0
      ? "there is no checkpoint yet"
      : `the last good checkpoint is ${checkpointPath(folder.checkpoints, lastSaved)}`;
  }

  /** Throws again, and says of a device that was lost what is left and how to go on. */
  function explainLoss(error: unknown): never {
    if (!(error instanceof DeviceLostError)) throw error;
    const again = lastSaved < 0 ? "start again" : `go on with --resume ${folder.path}`;
    throw new DeviceLostError(
      `${error.message} at step ${step}; ${lastGood()}; ${again}, with --device cpu where it is lost again`,
      { cause: error },
    );
  }

  async function goBack(fault: Fault): Promise<void> {
    const { learningRateFactor } = guard.goBack(fault, lastGood());
    const good = lastSaved < 0
      ? { step: 0, state: trainingStep.initialState(config.seed) }
      : await readLatestCheckpoint(folder.checkpoints, control.onWarning);
    await compiled.writeState(good.state);
    guard.accept(good.state);
    const event: RollbackEvent = {
      event: "rollback",
      step: fault.step,
      fault: fault.what,
      to: good.step,
      learningRateFactor,
      retriesLeft: guard.retriesLeft,
    };
    step = good.step;
    lastSaved = good.step || -1;
    stretch = 1;
    await metrics.truncate(step);
    await evaluations.truncate(step);
    await logEvent(folder.eventsFile, event);
    await control.onRollback?.(event);
    control.onWarning?.(
      `training diverged at step ${fault.step} (${fault.what}): back to step ${step} with learning ` +
        `rates times ${learningRateFactor}; ${guard.retriesLeft} more tries`,
    );
  }

  /**
   * The best so far is saved before it is called that: whatever happens in between is done again. A
   * measure that fails must not take the steps since the last checkpoint with it.
   */
  async function evaluate(state: HostTensors, evaluator: Evaluator): Promise<void> {
    const images = step * trainingStep.samplesPerStep;
    const { signal } = control;
    const found = await evaluations.measure({ step, images, state }, { signal, now })
      .catch(async (error: unknown) => {
        await save(state);
        throw error;
      });
    if (!found) return;
    if (found.best) {
      await save(state);
      await evaluations.markBest(found.best);
    }
    const { measure } = evaluator;
    control.onEvaluation?.({ line: found.line, measure, isBest: found.best !== undefined });
  }

  try {
    if (step === 0) await control.onSnapshot?.({ step, state: await compiled.readState() });
    for (;;) {
      const { evaluator } = setup;
      const evaluationDue = schedule.isEvaluation(step) && evaluations.isMissing(step) &&
        !control.signal?.aborted;
      if (evaluationDue || step >= schedule.totalSteps || control.signal?.aborted) {
        const state = await compiled.readState();
        const fault = guard.inspect(state, step);
        if (fault) {
          await goBack(fault);
          continue;
        }
        const { totalSteps } = schedule;
        const isLast = step >= totalSteps;
        if (isLast) await save(state); // a kill while measuring must not take the run's result with it
        if (evaluator && evaluationDue) await evaluate(state, evaluator);
        if (isLast || control.signal?.aborted) {
          await save(state);
          const interrupted = !isLast;
          const { best } = evaluations;
          return { state, step, totalSteps, wallSeconds, interrupted, scalars, best };
        }
      }
      const count = Math.min(stretch, schedule.nextStop(step) - step);
      const startedAt = now();
      const { learningRateFactor } = guard.rollbacks;
      const course = { totalSteps: schedule.totalSteps, learningRateFactor };
      const batches = Array.from({ length: count }, (_, i) => feed.inputs(step + i, course));
      const measured = await compiled.run(batches, step);
      const elapsedMs = now() - startedAt;
      wallSeconds += elapsedMs / 1000;

      const fault = scalarFault(measured, step, trainingStep.measures);
      if (fault) {
        await goBack(fault);
        continue;
      }
      step += count;
      scalars = { ...scalars, ...lastOf(measured) };
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
        const fault = guard.inspect(state, step);
        if (fault) {
          await goBack(fault);
          continue;
        }
        if (saveDue) await save(state);
        if (snapshotDue) await control.onSnapshot?.({ step, state });
      }
    }
  } catch (error) {
    explainLoss(error);
  } finally {
    await compiled.dispose();
  }
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

/** Each scalar's last value: that of the last step that measured it. */
function lastOf(measured: Record<string, Float32Array>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measured).flatMap(([name, values]) => {
      const value = values.findLast((value) => !Number.isNaN(value));
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
