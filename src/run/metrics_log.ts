/**
 * `metrics.jsonl`: one JSON object a line, each the mean over a stretch of steps. Stretches have a
 * fixed length, so the lines do not depend on how fast the machine is. The first line after a resume
 * stands for the steps since its checkpoint.
 */
import { appendLines, readStepLines, writeStepLines } from "./json_lines.ts";

/**
 * One line. Further fields hold further scalars of the step, such as `penalty`. Of one that steps measure
 * now and then it is the mean over those that did, and no field where none did.
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

/** How many steps one line stands for, so that a run has about 2,000 lines at the most. */
export function stepsPerLine(totalSteps: number): number {
  return Math.max(1, Math.ceil(totalSteps / 2000));
}

/** Gathers scalars of steps and writes the lines. */
export class MetricsLog {
  readonly #file: string;
  readonly #stepsPerLine: number;
  #sums = new Map<string, { sum: number; count: number }>();

  constructor(file: string, perLine: number) {
    this.#file = file;
    this.#stepsPerLine = perLine;
  }

  /**
   * Drops the lines after a step, and what was gathered for the next one: what a run does again that
   * is resumed or goes back.
   * @param step the last step that stays
   */
  async truncate(step: number): Promise<void> {
    this.#sums = new Map();
    const lines = await readMetrics(this.#file);
    await writeStepLines(this.#file, lines.filter((line) => line.step <= step));
  }

  /**
   * Adds the scalars of consecutive steps.
   * @param scalars for each name, one value a step; NaN where the step did not measure it
   * @param lastStep the number of steps done after the last of them
   */
  async add(
    scalars: Record<string, Float32Array>,
    lastStep: number,
    progress: { imagesPerStep: number; wallSeconds: number; stepMs: number },
  ): Promise<void> {
    const names = Object.keys(scalars);
    const length = scalars[names[0]]?.length ?? 0;
    const lines: MetricsLine[] = [];
    for (let i = 0; i < length; i++) {
      for (const name of names) {
        const value = scalars[name][i];
        if (Number.isNaN(value)) continue;
        const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
        this.#sums.set(name, { sum: sum + value, count: count + 1 });
      }
      const step = lastStep - length + 1 + i;
      if (step % this.#stepsPerLine !== 0) continue;
      const line: MetricsLine = {
        step,
        images: step * progress.imagesPerStep,
        wallS: round(progress.wallSeconds - (length - 1 - i) * progress.stepMs / 1000, 3),
        stepMs: round(progress.stepMs, 3),
      };
      for (const [name, { sum, count }] of this.#sums) line[name] = round(sum / count, 6);
      lines.push(line);
      this.#sums = new Map();
    }
    await appendLines(this.#file, lines);
  }
}

/** Reads the lines of a `metrics.jsonl`; what follows a damaged line is left out. */
export async function readMetrics(file: string): Promise<MetricsLine[]> {
  return await readStepLines<MetricsLine>(file);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
