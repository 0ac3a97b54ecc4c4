/**
 * Evaluations during training, and which checkpoint is the best by them. Measuring is the evaluator's
 * work; this file sees to it that no evaluation is lost or done twice.
 */
import { type MeasureName, MEASURES } from "../config/evaluation.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { BestCheckpoint, EvaluationLine, Measured, TrainingStore } from "./store.ts";

/** Measures a generator. */
export interface Evaluator {
  /** The measure that decides which checkpoint is the best. */
  readonly measure: MeasureName;
  /** Samples of an evaluation. Values over other samples or features do not compare with these. */
  readonly samples: number;
  /** Where features come from, as in {@linkcode Measured}. */
  readonly features?: string;
  /**
   * Draws samples with the weights of a state and measures them.
   * @param signal aborting it ends the work with the signal's reason
   */
  evaluate(state: HostTensors, signal?: AbortSignal): Promise<Measured>;
}

/** What values of two lines must have in common to compare. */
type Comparability = Pick<EvaluationLine, "samples" | "features" | "data">;

/** Whether values of two lines compare: as many samples, the same features, the same data. */
export function areComparable(one: Comparability, other: Comparability): boolean {
  return one.samples === other.samples && one.features === other.features &&
    one.data === other.data;
}

/** The best of some lines by a measure; of equals the first. Values that are not finite never win. */
export function bestOf(
  lines: readonly EvaluationLine[],
  measure: MeasureName,
): BestCheckpoint | undefined {
  let best: BestCheckpoint | undefined;
  for (const { step, measures } of lines) {
    const value = measures[measure];
    if (typeof value !== "number" || !Number.isFinite(value)) continue;
    const candidate = { step, measure, value };
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

/** What an evaluation found; `best` is set where it is the best so far. */
export interface FoundEvaluation {
  line: EvaluationLine;
  best?: BestCheckpoint;
}

/** A run's evaluations. */
export class Evaluations {
  readonly #store: TrainingStore;
  readonly #evaluator: Evaluator | undefined;
  readonly #data: string;
  /** Steps whose lines compare with the evaluator's, and those whose lines do not. */
  #comparable = new Set<number>();
  #incomparable = new Set<number>();
  #best: BestCheckpoint | undefined;

  /**
   * @param options.evaluator undefined where nothing is measured: the best of earlier sessions is kept
   * @param options.data the fingerprint of the data that it measures against
   */
  constructor(
    store: TrainingStore,
    { evaluator, data }: { evaluator: Evaluator | undefined; data: string },
  ) {
    this.#store = store;
    this.#evaluator = evaluator;
    this.#data = data;
  }

  /** The best checkpoint so far. */
  get best(): BestCheckpoint | undefined {
    return this.#best;
  }

  /** Whether there is an evaluator that has not yet measured this step. */
  isMissing(step: number): boolean {
    return this.#evaluator !== undefined && !this.#comparable.has(step);
  }

  /**
   * Drops what comes after a step, which a resumed run does again, and chooses the best again among the
   * checkpoints that exist.
   */
  async truncate(step: number): Promise<void> {
    const { checkpoints, evaluations } = this.#store;
    const lines = await evaluations.read();
    const kept = lines.filter((line) => line.step <= step);
    // Also where nothing is dropped: the last line may be half of one.
    if (this.#evaluator || lines.length) await evaluations.rewrite(kept);
    const last = kept.at(-1);
    const named = await checkpoints.readBest();
    // Where nothing is measured any more, and the record is damaged, the last line says by what.
    const measure = this.#evaluator?.measure ?? named?.measure ?? (last && decidingMeasure(last));
    const reference = this.#comparability() ?? last;
    const comparable = reference && measure
      ? kept.filter((line) =>
        areComparable(line, reference) && Object.hasOwn(line.measures, measure)
      )
      : [];
    this.#comparable = new Set(comparable.map((line) => line.step));
    this.#incomparable = new Set(kept.map((line) => line.step)).difference(this.#comparable);
    const existing = new Set((await checkpoints.steps()).filter((other) => other <= step));
    const candidates = comparable.filter((line) => existing.has(line.step));
    this.#best = measure && bestOf(candidates, measure);
    if (JSON.stringify(named) !== JSON.stringify(this.#best)) {
      await checkpoints.writeBest(this.#best);
    }
  }

  /**
   * Measures a state and records the line, in place of an incomparable one of this step. A state that is
   * the best so far has to be saved, and then marked by {@linkcode Evaluations.markBest}.
   * @returns undefined where the signal was aborted first; nothing is recorded then
   */
  async measure(
    at: { step: number; images: number; state: HostTensors },
    { signal, now }: { signal?: AbortSignal; now: () => number },
  ): Promise<FoundEvaluation | undefined> {
    const evaluator = this.#evaluator;
    if (!evaluator) throw new TypeError("There is no evaluator to measure with");
    const { step, images, state } = at;
    const startedAt = now();
    let measured: Measured;
    try {
      measured = await evaluator.evaluate(state, signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      throw error;
    }
    const seconds = Math.round(now() - startedAt) / 1000;
    const { measure } = evaluator;
    const measures = { [measure]: null, ...measured.measures };
    const line: EvaluationLine = { step, images, seconds, data: this.#data, ...measured, measures };
    await this.#write(line);
    const best = bestOf([line], measure);
    const isBest = best !== undefined && (!this.#best || isBetter(best, this.#best));
    return isBest ? { line, best } : { line };
  }

  /** Records a state that was just saved as the best. */
  async markBest(best: BestCheckpoint): Promise<void> {
    await this.#store.checkpoints.writeBest(best);
    this.#best = best;
  }

  #comparability(): Comparability | undefined {
    if (!this.#evaluator) return undefined;
    const { samples, features } = this.#evaluator;
    return { samples, features, data: this.#data };
  }

  async #write(line: EvaluationLine): Promise<void> {
    const { evaluations } = this.#store;
    if (this.#incomparable.delete(line.step)) {
      const lines = await evaluations.read();
      await evaluations.rewrite([...lines.filter((old) => old.step < line.step), line]);
    } else {
      await evaluations.append([line]);
    }
    this.#comparable.add(line.step);
  }
}

function decidingMeasure({ measures }: EvaluationLine): MeasureName | undefined {
  return (Object.keys(measures) as MeasureName[])[0];
}

function isBetter({ measure, value }: BestCheckpoint, than: BestCheckpoint): boolean {
  return MEASURES[measure].better === "lower" ? value < than.value : value > than.value;
}
