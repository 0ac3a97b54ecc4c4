/** The bar of loading: how far it is, how fast, and how long it will take. */
import { formatDuration, formatInteger } from "../../src/text.ts";
import { stdoutTerminal, type Terminal } from "../../src/report/terminal.ts";
import type { DataProgress } from "../../src/data/progress.ts";

/** Between two writings of the bar on a terminal, and of lines elsewhere. */
const REWRITE_MS = 200;
const PLAIN_LINE_MS = 5000;

/** Loading that takes less than this shows nothing. */
const QUIET_MS = 1500;

const BAR_WIDTH = 24;

/** Shows one stage of loading after the other. */
export class LoadingBar {
  readonly #terminal: Terminal;
  #stage: DataProgress["stage"] | undefined;
  #startedAt = 0;
  #writtenAt = -Infinity;
  #isShown = false;

  constructor(terminal: Terminal = stdoutTerminal()) {
    this.#terminal = terminal;
  }

  /** Takes in how far loading is. */
  update(progress: DataProgress): void {
    const { interactive, now } = this.#terminal;
    const at = now();
    if (progress.stage !== this.#stage) {
      this.finish();
      this.#stage = progress.stage;
      this.#startedAt = at;
      this.#writtenAt = -Infinity;
    }
    const elapsedMs = at - this.#startedAt;
    const isLast = progress.done === progress.total;
    const pause = interactive ? REWRITE_MS : PLAIN_LINE_MS;
    if (elapsedMs < QUIET_MS || (at - this.#writtenAt < pause && !isLast)) return;
    const line = loadingLine(progress, elapsedMs / 1000);
    this.#terminal.write(
      interactive ? `\r${line.slice(0, this.#terminal.columns() - 1)}\x1b[K` : `${line}\n`,
    );
    this.#isShown = interactive;
    this.#writtenAt = at;
  }

  /** Ends the line. */
  finish(): void {
    if (this.#isShown) this.#terminal.write("\n");
    this.#isShown = false;
    this.#stage = undefined;
  }
}

/** `decoding  [######..................]  27%  5,400 of 20,000 images, 812/s, 18 s left` */
export function loadingLine({ stage, done, total }: DataProgress, seconds: number): string {
  const share = done / total;
  const bar = "#".repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
  const rate = done / seconds;
  const speed = rate >= 10 ? formatInteger(rate) : rate.toPrecision(2);
  const percent = `${Math.floor(100 * share)}%`.padStart(4);
  return `${stage.padEnd(9)} [${bar}] ${percent}  ${formatInteger(done)} of ` +
    `${formatInteger(total)} images, ${speed}/s, ${formatDuration((total - done) / rate)} left`;
}
