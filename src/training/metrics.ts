/**
 * Metrics of a run: lines that are each the mean over a fixed number of steps, so that they do not
 * depend on how fast the machine is. The first line after a resume is over the steps since its checkpoint.
 */
import type { MetricsLine, StepLog } from "./store.ts";

/** How many steps one line is over, so that a run has at most about 2,000 lines. */
export function stepsPerLine(totalSteps: number): number {
  return Math.max(1, Math.ceil(totalSteps / 2000));
}

/** How far a run is, for the lines. */
export interface MetricsProgress {
  imagesPerStep: number;
  /** Seconds spent training, over all sessions. */
  wallSeconds: number;
  stepMs: number;
}

/** Averages scalars of steps and writes the lines. */
export class Metrics {
  readonly #log: StepLog<MetricsLine>;
  readonly #stepsPerLine: number;
  #sums = new Map<string, { sum: number; count: number }>();

  constructor(log: StepLog<MetricsLine>, perLine: number) {
    this.#log = log;
    this.#stepsPerLine = perLine;
  }

  /**
   * Drops the lines after a step, and what was gathered for the next one: what a run does again that is
   * resumed or rolled back.
   * @param step the last step that stays
   */
  async truncate(step: number): Promise<void> {
    this.#sums = new Map();
    const lines = await this.#log.read();
    await this.#log.rewrite(lines.filter((line) => line.step <= step));
  }

  /**
   * Adds the scalars of consecutive steps.
   * @param scalars for each name, one value a step; NaN where the step did not measure it
   * @param lastStep the number of steps done after the last of them
   */
  async add(
    scalars: Record<string, Float32Array>,
    lastStep: number,
    progress: MetricsProgress,
  ): Promise<void> {
    const length = Object.values(scalars)[0]?.length ?? 0;
    const lines: MetricsLine[] = [];
    for (let i = 0; i < length; i++) {
      this.#gather(scalars, i);
      const step = lastStep - length + 1 + i;
      if (step % this.#stepsPerLine !== 0) continue;
      const secondsAfter = (length - 1 - i) * progress.stepMs / 1000;
      lines.push({
        step,
        images: step * progress.imagesPerStep,
        wallS: round(progress.wallSeconds - secondsAfter, 3),
        stepMs: round(progress.stepMs, 3),
        ...this.#takeMeans(),
      });
    }
    if (lines.length) await this.#log.append(lines);
  }

  #gather(scalars: Record<string, Float32Array>, index: number): void {
    for (const [name, values] of Object.entries(scalars)) {
      const value = values[index];
      if (Number.isNaN(value)) continue;
      const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
      this.#sums.set(name, { sum: sum + value, count: count + 1 });
    }
  }

  #takeMeans(): Record<string, number> {
    const means: Record<string, number> = {};
    for (const [name, { sum, count }] of this.#sums) means[name] = round(sum / count, 6);
    this.#sums = new Map();
    return means;
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
