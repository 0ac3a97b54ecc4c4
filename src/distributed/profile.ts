/** Where the time of steps goes that several ranks make together: measured on this rank. */
import type { Communicator } from "./communicator.ts";

/** What a phase of a step is, for the table. */
const PHASES: Readonly<Record<string, string>> = {
  inputs: "inputs: rows of the data, random numbers",
  compute: "compute: ONNX Runtime or the GPU, what they copy in and out included",
  waiting: "waiting for the slowest rank",
  exchange: "all-reduce",
  copies: "copies back to the GPU",
};

/** Adds up the phases of a rank's steps. */
export class PhaseProfile {
  readonly #totalMs = new Map<string, number>();
  #exchanges = 0;
  #bytes = 0;

  /**
   * The same ranks, measured. A profiled exchange first waits for all ranks, so that waiting can be told
   * from exchanging; this itself costs a little.
   */
  wrap(ranks: Communicator): Communicator & { onPhase(phase: string, ms: number): void } {
    return {
      ...ranks,
      allReduceMean: async (values) => {
        const startedAt = performance.now();
        await ranks.allGather(new Uint8Array(0));
        const readyAt = performance.now();
        await ranks.allReduceMean(values);
        this.#add("waiting", readyAt - startedAt);
        this.#add("exchange", performance.now() - readyAt);
        this.#exchanges++;
        this.#bytes += values.byteLength;
      },
      onPhase: (phase, ms) => {
        if (phase !== "all-reduce") this.#add(phase, ms); // measured above, in two parts
      },
    };
  }

  #add(phase: string, ms: number): void {
    this.#totalMs.set(phase, (this.#totalMs.get(phase) ?? 0) + ms);
  }

  /** Milliseconds of each phase, and what was exchanged. */
  get totals(): { ms: Record<string, number>; exchanges: number; bytes: number } {
    return {
      ms: Object.fromEntries(this.#totalMs),
      exchanges: this.#exchanges,
      bytes: this.#bytes,
    };
  }

  /** The table, a line a phase. */
  lines(): string[] {
    const { ms, exchanges, bytes } = this.totals;
    const total = Object.values(ms).reduce((sum, value) => sum + value, 0);
    if (exchanges === 0) return ["no step exchanged anything between ranks"];
    const rows = Object.keys(PHASES).filter((phase) => phase in ms).map((phase) => {
      const share = `${(100 * ms[phase] / total).toFixed(1)}%`.padStart(6);
      const bar = "#".repeat(Math.round(30 * ms[phase] / total)).padEnd(30);
      return `${bar} ${share}  ${(ms[phase] / 1000).toFixed(2).padStart(8)} s  ${PHASES[phase]}`;
    });
    return [
      ...rows,
      `${exchanges} exchanges of ${(bytes / exchanges / 1e6).toFixed(2)} MB on average, ` +
      `${(ms.exchange / exchanges).toFixed(2)} ms each`,
    ];
  }
}
