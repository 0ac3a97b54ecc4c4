/**
 * `evaluations.jsonl`: what was measured during training, one JSON object a line, and the choice of the
 * best checkpoint by it. The measuring is the caller's; here is what must not be lost or done twice.
 */
import { type MeasureName, MEASURES } from "../config/evaluation.ts";
import type { HostTensors } from "../tensor/types.ts";
import { type BestCheckpoint, readBest, writeBest } from "./best_checkpoint.ts";
import { checkpointSteps } from "./checkpoint.ts";
import { appendLines, readStepLines, writeStepLines } from "./json_lines.ts";
import type { RunFolder } from "./run_folder.ts";

/** What an evaluation found. */
export interface Measured {
  /** Samples that were drawn. */
  samples: number;
  /** Where features came from, for measures over features; every figure is to be quoted with it. */
  features?: string;
  /** The figures, the deciding one first; null for one that is not a finite number. */
  measures: Partial<Record<MeasureName, number | null>>;
}

/** One line of `evaluations.jsonl`. */
export interface EvaluationLine extends Measured {
  /** Steps done. */
  step: number;
  /** Real samples seen. */
  images: number;
  /** Spent measuring. */
  seconds: number;
  /** The fingerprint of the data that it was measured against. */
  data: string;
}

/** How figures came about, so far as they compare with those of another line. */
type Manner = Pick<EvaluationLine, "samples" | "features" | "data">;

/** Whether figures of two lines compare: as many samples, the same features, the same data. */
export function areAlike(one: Manner, other: Manner): boolean {
  return one.samples === other.samples && one.features === other.features &&
    one.data === other.data;
}

/** Measures a generator. */
export interface Evaluator {
  /** What the best checkpoint is best by. */
  readonly measure: MeasureName;
  /** Samples of an evaluation. Figures of other samples or features are no match for these. */
  readonly samples: number;
  /** Where features come from, as in {@linkcode Measured}. */
  readonly features?: string;
  /**
   * Draws samples with the weights of a state and measures them.
   * @param signal aborting it ends the work with the signal's reason
   */
  evaluate(state: HostTensors, signal?: AbortSignal): Promise<Measured>;
}

/**
 * Reads the lines of an `evaluations.jsonl`; what follows a damaged line is left out, and figures that are
 * no numbers, or of measures that are not known, are too.
 */
export async function readEvaluations(file: string): Promise<EvaluationLine[]> {
  const lines = await readStepLines<EvaluationLine>(file);
  return lines.flatMap((line) => {
    const { samples, seconds, measures } = line;
    const isWhole = Number.isFinite(samples) && Number.isFinite(seconds) &&
      typeof measures === "object" && measures !== null;
    if (!isWhole) return [];
    const known = Object.entries(measures).filter(([name, value]) =>
      Object.hasOwn(MEASURES, name) && (value === null || Number.isFinite(value))
    );
    return [{ ...line, measures: Object.fromEntries(known) }];
  });
}

/** The best of some lines by a measure; of equals the first. Figures that are not finite never win. */
export function bestOf(
  lines: readonly EvaluationLine[],
  measure: MeasureName,
): BestCheckpoint | undefined {
  const sign = MEASURES[measure].better === "lower" ? 1 : -1;
  let best: BestCheckpoint | undefined;
  for (const { step, measures } of lines) {
    const value = measures[measure];
    if (typeof value !== "number" || !Number.isFinite(value)) continue;
    if (best === undefined || sign * value < sign * best.value) best = { step, measure, value };
  }
  return best;
}

/** A run's evaluations. */
export class Evaluations {
  readonly #folder: RunFolder;
  readonly #evaluator: Evaluator | undefined;
  readonly #data: string;
  /** Steps whose lines are as the evaluator's are, and those of other lines. */
  #steps = new Set<number>();
  #unlike = new Set<number>();
  #best: BestCheckpoint | undefined;

  /**
   * @param evaluator none where nothing is measured: the best of earlier sessions is still kept
   * @param data the fingerprint of the data that it measures against
   */
  constructor(folder: RunFolder, evaluator: Evaluator | undefined, data: string) {
    this.#folder = folder;
    this.#evaluator = evaluator;
    this.#data = data;
  }

  /** The best checkpoint so far. */
  get best(): BestCheckpoint | undefined {
    return this.#best;
  }

  /** Whether there is something to measure, and it was not yet measured so after this step. */
  isMissing(step: number): boolean {
    return this.#evaluator !== undefined && !this.#steps.has(step);
  }

  /**
   * Drops what comes after a step, which a resumed run does again, and finds the best again among the
   * checkpoints that are there.
   */
  async truncate(step: number): Promise<void> {
    const { evaluationsFile, checkpoints } = this.#folder;
    const lines = await readEvaluations(evaluationsFile);
    const kept = lines.filter((line) => line.step <= step);
    // Also where nothing is dropped: the last line may be half of one.
    if (this.#evaluator || lines.length) await writeStepLines(evaluationsFile, kept);
    const last = kept.at(-1);
    const named = await readBest(checkpoints);
    // Where nothing is measured any more, and the pointer is damaged, the last line says by what.
    const measure = this.#evaluator?.measure ?? named?.measure ?? (last && decidingMeasure(last));
    const manner = this.#manner() ?? last;
    const alike = manner && measure
      ? kept.filter((line) => areAlike(line, manner) && Object.hasOwn(line.measures, measure))
      : [];
    this.#steps = new Set(alike.map((line) => line.step));
    this.#unlike = new Set(kept.map((line) => line.step)).difference(this.#steps);
    const there = new Set((await checkpointSteps(checkpoints)).filter((other) => other <= step));
    const candidates = alike.filter((line) => there.has(line.step));
    this.#best = measure && bestOf(candidates, measure);
    if (JSON.stringify(named) !== JSON.stringify(this.#best)) {
      await writeBest(checkpoints, this.#best);
    }
  }

  /**
   * Measures a state and writes the line, in place of an unlike one of this step. A state that is the
   * best so far has to be saved, and then marked by {@linkcode Evaluations.markBest}.
   * @returns the line, and what to mark it as where it is the best so far; undefined where the signal
   * came first, and nothing is written then
   */
  async measure(
    at: { step: number; images: number; state: HostTensors },
    { signal, now }: { signal?: AbortSignal; now: () => number },
  ): Promise<{ line: EvaluationLine; best?: BestCheckpoint } | undefined> {
    const { step, images, state } = at;
    const evaluator = this.#evaluator!;
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
    const own = bestOf([line], measure);
    return own && (!this.#best || isBetter(own, this.#best)) ? { line, best: own } : { line };
  }

  #manner(): Manner | undefined {
    if (!this.#evaluator) return undefined;
    const { samples, features } = this.#evaluator;
    return { samples, features, data: this.#data };
  }

  async #write(line: EvaluationLine): Promise<void> {
    const { evaluationsFile } = this.#folder;
    if (this.#unlike.delete(line.step)) {
      const lines = await readEvaluations(evaluationsFile);
      await writeStepLines(evaluationsFile, [...lines.filter((old) => old.step < line.step), line]);
    } else {
      await appendLines(evaluationsFile, [line]);
    }
    this.#steps.add(line.step);
  }

  /** Makes a state that was just saved the best. */
  async markBest(best: BestCheckpoint): Promise<void> {
    await writeBest(this.#folder.checkpoints, best);
    this.#best = best;
  }
}

function decidingMeasure({ measures }: EvaluationLine): MeasureName | undefined {
  return (Object.keys(measures) as MeasureName[])[0];
}

function isBetter({ measure, value }: BestCheckpoint, than: BestCheckpoint): boolean {
  return MEASURES[measure].better === "lower" ? value < than.value : value > than.value;
}
