/** Pauses between the runs of one request: WebAssembly holds the event loop while it computes. */
import { letOthersRun } from "./platform.ts";

/** Runs of longer than this without a pause would make a page or a server feel stuck. */
const PAUSE_MS = 8;

/** When to pause between the runs of one request. */
export class Pace {
  #lastPause: number | undefined; // the first run begins at once, however long its plan took

  /** Whether to pause before the next run. */
  isPauseDue(): boolean {
    const now = performance.now();
    return now - (this.#lastPause ??= now) > PAUSE_MS;
  }

  /** Lets timers, input and other tasks run. */
  async pause(): Promise<void> {
    await letOthersRun();
    this.#lastPause = performance.now();
  }
}
