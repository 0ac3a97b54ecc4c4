/**
 * `metrics.jsonl`: one JSON object a line, each the mean over a stretch of steps. Stretches have a
 * fixed length, so the lines do not depend on how fast the machine is. The first line after a resume
 * stands for the steps since its checkpoint.
 */
import { writeError, writeFileAtomically } from "./atomic_file.ts";

/** One line. Further fields hold further scalars of the step, such as `penalty`. */
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
  #sums = new Map<string, number>();
  #count = 0;

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
    this.#count = 0;
    const lines = await readMetrics(this.#file);
    const kept = lines.filter((line) => line.step <= step);
    const text = kept.map((line) => JSON.stringify(line) + "\n").join("");
    await writeFileAtomically(this.#file, new TextEncoder().encode(text));
  }

  /**
   * Adds the scalars of consecutive steps.
   * @param scalars for each name, one value a step
   * @param lastStep the number of steps done after the last of them
   */
  async add(
    scalars: Record<string, Float32Array>,
    lastStep: number,
    progress: { imagesPerStep: number; wallSeconds: number; stepMs: number },
  ): Promise<void> {
    const names = Object.keys(scalars);
    const length = scalars[names[0]]?.length ?? 0;
    let text = "";
    for (let i = 0; i < length; i++) {
      for (const name of names) {
        this.#sums.set(name, (this.#sums.get(name) ?? 0) + scalars[name][i]);
      }
      this.#count++;
      const step = lastStep - length + 1 + i;
      if (step % this.#stepsPerLine !== 0) continue;
      const line: MetricsLine = {
        step,
        images: step * progress.imagesPerStep,
        wallS: round(progress.wallSeconds - (length - 1 - i) * progress.stepMs / 1000, 3),
        stepMs: round(progress.stepMs, 3),
      };
      for (const [name, sum] of this.#sums) line[name] = round(sum / this.#count, 6);
      text += JSON.stringify(line) + "\n";
      this.#sums = new Map();
      this.#count = 0;
    }
    try {
      if (text) await Deno.writeTextFile(this.#file, text, { append: true });
    } catch (error) {
      throw writeError(this.#file, error);
    }
  }
}

/** Reads the lines of a `metrics.jsonl`; what follows a damaged line is left out. */
export async function readMetrics(file: string): Promise<MetricsLine[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const lines: MetricsLine[] = [];
  for (const line of text.split("\n")) {
    if (!line) continue;
    const parsed = parseLine(line);
    if (!parsed) break;
    lines.push(parsed);
  }
  return lines;
}

function parseLine(text: string): MetricsLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<MetricsLine> | null;
    return Number.isFinite(line?.step) ? line as MetricsLine : undefined;
  } catch {
    return undefined;
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
