/** One session of a run: its mutable state between steps, and what the training loop does to it. */
import { DeviceLostError } from "../errors.ts";
import type { CompiledStep } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import { type BatchFeed, batchFeed } from "./batch_feed.ts";
import { checkStateFits } from "./check_state.ts";
import { lastValues, nextChunkSteps, scheduledScalars } from "./chunks.ts";
import { DivergenceGuard, type Fault, rollbackWarning, scalarFault } from "./divergence.ts";
import { Evaluations } from "./evaluations.ts";
import { Metrics, stepsPerLine } from "./metrics.ts";
import {
  agreeOn,
  averageCompiled,
  averageScalars,
  checkSameState,
  type LoopDecision,
  readGoodCheckpoint,
} from "./rank_group.ts";
import { planRun, type Schedule } from "./schedule.ts";
import type { OptimizersSince, RollbackEvent } from "./store.ts";
import type { TrainingControl, TrainingResult, TrainingSetup } from "./train_types.ts";

/** What a session is made of besides its setup. */
interface SessionParts {
  schedule: Schedule;
  feed: BatchFeed;
  metrics: Metrics;
  guard: DivergenceGuard;
  evaluations: Evaluations;
}

/** A run while it is trained. Open one, run chunks of steps, and dispose of it. */
export class TrainingSession {
  readonly #setup: TrainingSetup;
  readonly #control: TrainingControl;
  readonly #parts: SessionParts;
  readonly #now: () => number;
  #compiled!: CompiledStep;
  #step: number;
  #wallSeconds: number;
  /** The step of the latest checkpoint; undefined before the first. */
  #savedStep: number | undefined;
  #savedAtMs: number;
  #chunkSteps = 1;
  /** What the ranks have agreed on; undefined where the process trains alone. */
  #agreed: LoopDecision | undefined;
  #scalars: Record<string, number> = {};
  #optimizersSince: OptimizersSince | undefined;

  private constructor(setup: TrainingSetup, control: TrainingControl, parts: SessionParts) {
    const { resume } = setup;
    this.#setup = setup;
    this.#control = control;
    this.#parts = parts;
    this.#now = control.now ?? (() => performance.now());
    this.#step = resume?.step ?? 0;
    this.#wallSeconds = resume?.wallSeconds ?? 0;
    this.#savedStep = resume?.step;
    this.#optimizersSince = resume?.optimizersSince;
    this.#savedAtMs = this.#now();
  }

  /**
   * Prepares batches and logs, and compiles the step.
   * @throws {UserError} when the checkpoint to resume does not fit the config, or the data is too small
   */
  static async open(setup: TrainingSetup, control: TrainingControl): Promise<TrainingSession> {
    const { config, data, engine, store, trainingStep, evaluator, resume } = setup;
    const { samplesPerStep } = trainingStep;
    const schedule = planRun(config, { sampleCount: data.count, samplesPerStep });
    const session = new TrainingSession(setup, control, {
      schedule,
      feed: setup.feed ?? batchFeed({ seed: config.seed, ...setup }),
      metrics: new Metrics(store.metrics, stepsPerLine(schedule.totalSteps)),
      guard: new DivergenceGuard(trainingStep.networks, {
        spec: config.divergence,
        resumed: resume,
      }),
      evaluations: new Evaluations(store, { evaluator, data: data.fingerprint }),
    });
    const initial = trainingStep.initialState(config.seed);
    if (resume) checkStateFits(resume.state, initial, store.name);
    await session.#truncateLogs();
    if (resume) {
      await store.events.append([{ event: "resume", step: resume.step, engine: engine.name }]);
    }
    await session.#compile(resume?.state ?? initial);
    return session;
  }

  async #compile(state: HostTensors): Promise<void> {
    const { config, engine } = this.#setup;
    const { feed, guard } = this.#parts;
    try {
      this.#compiled = await engine.compileStep(feed.program, state, config.seed);
    } catch (error) {
      throw this.explain(error);
    }
    guard.accept(state);
  }

  /** Agrees with the other ranks on what to do next. */
  async agree(): Promise<void> {
    const { ranks } = this.#setup;
    if (!ranks) return;
    this.#agreed = undefined;
    this.#agreed = await agreeOn(ranks, {
      isAborted: this.#isAborted,
      isEvaluationDue: this.isEvaluationDue,
      isSaveOverdue: this.#isSaveOverdue,
      chunkSteps: this.#chunkSteps,
    });
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  /** Whether all steps are done. */
  get isComplete(): boolean {
    return this.#step >= this.#parts.schedule.totalSteps;
  }

  /** Whether the run is complete, or was asked to stop. */
  get mustEnd(): boolean {
    return this.isComplete || this.#isAborted;
  }

  /** Whether samples are to be measured at this step. */
  get isEvaluationDue(): boolean {
    if (this.#agreed) return this.#agreed.isEvaluationDue && !this.#agreed.isAborted;
    const { schedule, evaluations } = this.#parts;
    return schedule.isEvaluation(this.#step) && evaluations.isMissing(this.#step) &&
      !this.#isAborted;
  }

  get #isAborted(): boolean {
    return this.#agreed?.isAborted ?? this.#control.signal?.aborted ?? false;
  }

  get #images(): number {
    return this.#step * this.#setup.trainingStep.samplesPerStep;
  }

  /** Runs the next steps, up to the next scheduled stop. @returns false where the run was rolled back */
  async runChunk(): Promise<boolean> {
    const { averageEvery = 1, ranks, trainingStep } = this.#setup;
    const { schedule, feed, guard, metrics } = this.#parts;
    const { totalSteps } = schedule;
    const first = this.#step;
    const chunkSteps = this.#agreed?.chunkSteps ?? this.#chunkSteps;
    const untilAverage = averageEvery === 1 ? Infinity : averageEvery - first % averageEvery;
    const count = Math.min(chunkSteps, schedule.nextStop(first) - first, untilAverage);
    const startedAt = this.#now();
    const context = {
      totalSteps,
      learningRateFactor: guard.rollbacks.learningRateFactor,
      optimizersSince: this.#optimizersSince,
    };
    const batches = Array.from({ length: count }, (_, i) => feed.inputs(first + i, context));
    const own = await this.#compiled.run(batches, first);
    const measured = ranks && averageEvery > 1 ? await averageScalars(ranks, own) : own;
    if (count === untilAverage) await averageCompiled(ranks, this.#compiled);
    const elapsedMs = this.#now() - startedAt;
    this.#wallSeconds += elapsedMs / 1000;

    const { measures, samplesPerStep: imagesPerStep } = trainingStep;
    const fault = scalarFault(measured, { firstStep: first, measures });
    if (fault) {
      await this.#rollBack(fault);
      return false;
    }
    const stepMs = elapsedMs / count;
    this.#step += count;
    this.#scalars = { ...this.#scalars, ...lastValues(measured) };
    this.#chunkSteps = nextChunkSteps(this.#chunkSteps, stepMs);
    const logged = { ...measured, ...scheduledScalars(trainingStep, first, count) };
    const pace = { imagesPerStep, wallSeconds: this.#wallSeconds, stepMs };
    await metrics.add(logged, this.#step, pace);
    this.#control.onProgress?.({
      step: this.#step,
      totalSteps,
      images: this.#images,
      stepMs,
      imagesPerSecond: imagesPerStep * 1000 / stepMs,
      secondsLeft: (totalSteps - this.#step) * stepMs / 1000,
      scalars: this.#scalars,
    });
    return true;
  }

  /** Saves a checkpoint and shows samples, where the schedule or the clock asks for it. */
  async saveAndShow(): Promise<void> {
    const { schedule } = this.#parts;
    const isSnapshotDue = schedule.isSnapshot(this.#step);
    const isSaveDue = schedule.isCheckpoint(this.#step) || this.#isSaveOverdue;
    if (!isSnapshotDue && !isSaveDue) return;
    const state = await this.readGoodState();
    if (!state) return; // rolled back
    if (isSaveDue) await this.save(state);
    if (isSnapshotDue) await this.#control.onSnapshot?.({ step: this.#step, state });
  }

  get #isSaveOverdue(): boolean {
    const { everySeconds } = this.#setup.config.checkpoints;
    if (this.#agreed) return this.#agreed.isSaveOverdue;
    if (everySeconds === undefined) return false;
    return this.#now() - this.#savedAtMs >= everySeconds * 1000;
  }

  /** Shows samples of the state as it is. */
  async showSnapshot(): Promise<void> {
    const { onSnapshot } = this.#control; // with ranks, only rank 0 has it
    await onSnapshot?.({ step: this.#step, state: await this.#compiled.readState() });
  }

  /** Reads the state and inspects it. @returns undefined where it was not good and the run was rolled back */
  async readGoodState(): Promise<HostTensors | undefined> {
    const { averageEvery = 1, ranks } = this.#setup;
    if (averageEvery > 1 && this.#step % averageEvery !== 0) {
      await averageCompiled(ranks, this.#compiled);
    }
    const state = await this.#compiled.readState();
    if (ranks) await checkSameState(ranks, state, this.#step);
    const fault = this.#parts.guard.inspect(state, this.#step);
    if (!fault) return state;
    await this.#rollBack(fault);
    return undefined;
  }

  /** Saves a checkpoint, unless this step has one. */
  async save(state: HostTensors): Promise<void> {
    if (this.#step === this.#savedStep) return;
    const { config: { checkpoints: { keep } }, engine, store } = this.#setup;
    const { guard, evaluations } = this.#parts;
    const { rollbacks } = guard;
    const checkpoint = {
      step: this.#step,
      images: this.#images,
      wallSeconds: this.#wallSeconds,
      engine: engine.name,
      ...(rollbacks.rollbacks > 0 ? rollbacks : {}),
      ...(this.#optimizersSince ? { optimizersSince: this.#optimizersSince } : {}),
      state,
    };
    await store.checkpoints.write(checkpoint, { keep, best: evaluations.best?.step });
    guard.accept(state);
    this.#savedStep = this.#step;
    this.#savedAtMs = this.#now();
  }

  /**
   * Measures samples of a state. The best so far is saved before it is recorded as that, so that a kill
   * in between costs nothing; a measure that fails must not take the steps since the last checkpoint
   * with it.
   */
  async evaluate(state: HostTensors): Promise<void> {
    const { evaluator } = this.#setup;
    if (!evaluator) return; // with ranks, only rank 0 measures
    const { evaluations } = this.#parts;
    const { signal } = this.#control;
    const at = { step: this.#step, images: this.#images, state };
    const found = await evaluations.measure(at, { signal, now: this.#now })
      .catch(async (error: unknown) => {
        await this.save(state);
        throw error;
      });
    if (!found) return;
    if (found.best) {
      await this.save(state);
      await evaluations.markBest(found.best);
    }
    const { measure } = evaluator;
    const isBest = found.best !== undefined;
    this.#control.onEvaluation?.({ line: found.line, measure, isBest });
  }

  /** How the run ended. */
  result(state: HostTensors): TrainingResult {
    const { schedule, evaluations } = this.#parts;
    return {
      state,
      step: this.#step,
      totalSteps: schedule.totalSteps,
      wallSeconds: this.#wallSeconds,
      interrupted: !this.isComplete,
      scalars: this.#scalars,
      best: evaluations.best,
    };
  }

  /** The error to throw: of a lost device it says what is left and how to continue. */
  explain(error: unknown): unknown {
    if (!(error instanceof DeviceLostError)) return error;
    const next = this.#savedStep === undefined ? "start again" : this.#setup.store.howToResume;
    return new DeviceLostError(
      `${error.message} at step ${this.#step}; ${this.#lastGood()}; ${next}, with --device cpu ` +
        "where it is lost again",
      { cause: error },
    );
  }

  /** Gives the engine's memory back. */
  async dispose(): Promise<void> {
    await this.#compiled.dispose();
  }

  /** @throws {TrainingDivergedError} when the run was rolled back as often as it may be */
  async #rollBack(fault: Fault): Promise<void> {
    const { guard } = this.#parts;
    if (guard.retriesLeft === 0) {
      await this.#setup.store.events.append([{
        event: "diverged",
        step: fault.step,
        fault: fault.what,
      }]);
    }
    const { learningRateFactor } = guard.rollBack(fault, this.#lastGood());
    const { config, trainingStep } = this.#setup;
    const good = await readGoodCheckpoint(this.#setup, {
      hasCheckpoint: this.#savedStep !== undefined,
      initial: () => trainingStep.initialState(config.seed),
      onWarning: this.#control.onWarning,
    });
    await this.#compiled.writeState(good.state);
    guard.accept(good.state);
    this.#step = good.step;
    this.#optimizersSince = good.optimizersSince;
    this.#savedStep = good.step === 0 ? undefined : good.step;
    this.#chunkSteps = 1;
    await this.#truncateLogs();
    await this.#reportRollback({
      event: "rollback",
      step: fault.step,
      fault: fault.what,
      to: good.step,
      learningRateFactor,
      retriesLeft: guard.retriesLeft,
    });
  }

  async #reportRollback(event: RollbackEvent): Promise<void> {
    await this.#setup.store.events.append([event]);
    await this.#control.onRollback?.(event);
    this.#control.onWarning?.(rollbackWarning(event));
  }

  async #truncateLogs(): Promise<void> {
    await this.#parts.metrics.truncate(this.#step);
    await this.#parts.evaluations.truncate(this.#step);
  }

  /** For messages: what is left when the run ends here. */
  #lastGood(): string {
    if (this.#savedStep === undefined) return "there is no checkpoint yet";
    return `the last good checkpoint is ${this.#setup.store.checkpoints.nameOf(this.#savedStep)}`;
  }
}
