/**
 * The progress line of training: one line that is rewritten in place on a terminal, plain lines every few
 * seconds anywhere else.
 */

import { formatBytes, formatDuration, formatInteger } from "../text.ts";
import type { LogitKind } from "../config/objective.ts";
import { dressMessage, stdoutTerminal, type Terminal } from "./terminal.ts";

/** Where training is; a `TrainingProgress` of the training loop fits. */
export interface ProgressState {
  /** Steps done. */
  step: number;
  /** Steps planned. */
  totalSteps: number;
  /** Milliseconds a step, lately. */
  stepMs: number;
  /** Real samples a second, lately. */
  imagesPerSecond: number;
  /** `dLoss`, `gLoss`, `dReal` (D of data), `dFake` (D of generated samples); what is missing is not shown. */
  scalars: Record<string, number>;
  /** Further scalars to show, by what they are called. */
  shown?: Readonly<Record<string, number>>;
  /** What `dReal` and `dFake` are; of a margin the difference is shown. Default: each as it is. */
  logitKind?: LogitKind;
  /** Bytes of memory that the process has. */
  memoryBytes?: number;
}

/** How a {@linkcode ProgressLine} behaves. */
export interface ProgressOptions {
  /** What a real sample is called: "images/s" or "points/s", say. Default "images". */
  unit?: string;
  /** Default: the process's standard output. */
  terminal?: Terminal;
  /** The bytes of memory to show, asked for each time that the line is written. Default: none are shown. */
  memory?: () => number;
}

/** The bytes of memory that this process has, for {@linkcode ProgressOptions}. */
export function processMemory(): number {
  return Deno.memoryUsage().rss;
}

/** Cells of the bar that are kept while there is something else to leave out. */
const WIDE_BAR = 10;
/** Cells of the bar in a narrow terminal: losses stay, and the bar shrinks. */
const NARROW_BAR = 4;
const REWRITE_MS = 100;
const PLAIN_LINE_MS = 5000;
/** A speed's share in the shown mean halves in this time. */
const SPEED_HALF_LIFE_MS = 3000;

/**
 * Shows how far training is. Call {@linkcode ProgressLine.update} as often as you like: it writes seldom
 * enough. Other messages go through {@linkcode ProgressLine.log} while the line stands, and
 * {@linkcode ProgressLine.finish} ends it.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #unit: string;
  readonly #memory: (() => number) | undefined;
  #shown: ProgressState | undefined;
  #pending = false;
  #writtenAt = -Infinity;
  #updatedAt: number | undefined;

  /** Starts without a line; the first update writes one. */
  constructor(options: ProgressOptions = {}) {
    this.#terminal = options.terminal ?? stdoutTerminal();
    this.#unit = options.unit ?? "images";
    this.#memory = options.memory;
  }

  /** Takes in where training is, and writes it if the last time is long enough ago. */
  update(state: ProgressState): void {
    const now = this.#terminal.now();
    this.#shown = this.#smoothed(state, now);
    this.#updatedAt = now;
    this.#pending = true;
    const pause = this.#terminal.interactive ? REWRITE_MS : PLAIN_LINE_MS;
    if (now - this.#writtenAt >= pause || state.step === state.totalSteps) this.#write();
  }

  /** Writes a message of its own on a line above. */
  log(message: string): void {
    const rewrites = this.#terminal.interactive && this.#shown !== undefined;
    const text = dressMessage(message, this.#terminal);
    this.#terminal.write(rewrites ? `\r\x1b[K${text}\n` : `${text}\n`);
    if (rewrites) this.#write();
  }

  /** Writes the latest state, if it was not yet, and leaves the line standing. */
  finish(): void {
    if (this.#pending) this.#write();
    if (this.#terminal.interactive && this.#shown) this.#terminal.write("\n");
    this.#shown = undefined;
  }

  #write(): void {
    if (!this.#shown) return;
    const terminal = this.#terminal;
    const shown = { ...this.#shown, memoryBytes: this.#memory?.() };
    terminal.write(
      terminal.interactive
        // One column less than there is: a full line would wrap on some terminals.
        ? `\r${formatProgress(shown, terminal.columns() - 1, this.#unit)}\x1b[K`
        : `${formatPlainProgress(shown, this.#unit)}\n`,
    );
    this.#writtenAt = terminal.now();
    this.#pending = false;
  }

  /** The state with its speeds averaged over the last seconds, so that the time left does not jump. */
  #smoothed(state: ProgressState, now: number): ProgressState {
    const before = this.#shown;
    if (!before || this.#updatedAt === undefined) return state;
    const keep = 0.5 ** ((now - this.#updatedAt) / SPEED_HALF_LIFE_MS);
    const mix = (old: number, latest: number): number => keep * old + (1 - keep) * latest;
    return {
      ...state,
      stepMs: mix(before.stepMs, state.stepMs),
      imagesPerSecond: mix(before.imagesPerSecond, state.imagesPerSecond),
    };
  }
}

/**
 * The line for a terminal. Where it is too narrow, the less important parts go first, then the bar.
 * @returns at most `columns` characters
 */
export function formatProgress(
  state: ProgressState,
  columns: number,
  unit = "images",
): string {
  const percent = `${String(Math.floor(100 * share(state))).padStart(3)}%`;
  const steps = `${grouped(state.step)}/${grouped(state.totalSteps)}`;
  const speed = `${grouped(state.imagesPerSecond)} ${unit}/s`;
  const { losses, logits } = namedScalars(state);
  const memory = memoryPart(state);
  const left = timeLeft(state);
  const richestFirst = [
    { parts: [percent, steps, speed, ...losses, ...logits, ...memory, left], bar: WIDE_BAR },
    { parts: [percent, steps, speed, ...losses, ...logits, left], bar: WIDE_BAR },
    { parts: [percent, steps, ...losses, ...logits, left], bar: WIDE_BAR },
    { parts: [percent, steps, ...losses, left], bar: NARROW_BAR },
    { parts: [percent, ...losses, left], bar: NARROW_BAR },
    { parts: [percent, ...losses], bar: NARROW_BAR },
    { parts: [percent, left], bar: NARROW_BAR },
    { parts: [percent], bar: NARROW_BAR },
  ];
  for (const { parts, bar: least } of richestFirst) {
    const text = parts.join("  ");
    const room = columns - text.length - 1;
    if (room >= least) return `${bar(share(state), Math.min(room, 30))} ${text}`;
  }
  return percent.slice(0, Math.max(0, columns));
}

/** The line for a log. */
export function formatPlainProgress(state: ProgressState, unit = "images"): string {
  const { losses, logits } = namedScalars(state);
  return [
    `step ${grouped(state.step)}/${grouped(state.totalSteps)} (${Math.floor(100 * share(state))}%)`,
    `${grouped(state.imagesPerSecond)} ${unit}/s`,
    ...losses,
    ...logits,
    ...memoryPart(state),
    timeLeft(state),
  ].join("  ");
}

function share({ step, totalSteps }: ProgressState): number {
  return totalSteps > 0 ? Math.min(1, step / totalSteps) : 1;
}

function namedScalars(
  { scalars, logitKind, shown = {} }: ProgressState,
): { losses: string[]; logits: string[] } {
  const { dReal, dFake } = scalars;
  const hasMargin = logitKind === "margin" && dReal !== undefined && dFake !== undefined;
  const named = (name: string, label: string): string[] =>
    scalars[name] === undefined ? [] : [`${label} ${shortScalar(scalars[name])}`];
  return {
    losses: [
      ...named("dLoss", "D loss"),
      ...named("gLoss", "G loss"),
      ...Object.entries(shown).map(([label, value]) => `${label} ${shortScalar(value)}`),
    ],
    logits: hasMargin
      ? [`D(x)-D(G(z)) ${shortScalar(dReal - dFake)}`]
      : [...named("dReal", "D(x)"), ...named("dFake", "D(G(z))")],
  };
}

function memoryPart({ memoryBytes }: ProgressState): string[] {
  return memoryBytes === undefined ? [] : [`${formatBytes(memoryBytes)} of memory`];
}

/** Filled and empty cells, with eighths in between. */
function bar(filled: number, cells: number): string {
  const eighths = Math.floor(filled * cells * 8);
  const full = Math.floor(eighths / 8);
  const partial = eighths % 8 === 0 ? "" : "▏▎▍▌▋▊▉"[eighths % 8 - 1];
  return ("█".repeat(full) + partial).padEnd(cells, "░");
}

function timeLeft({ step, totalSteps, stepMs }: ProgressState): string {
  if (step >= totalSteps) return "done";
  return `${formatDuration((totalSteps - step) * stepMs / 1000)} left`;
}

/** Two decimals, or three digits of what is large. */
function shortScalar(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(2) : value.toPrecision(3);
}

/** A whole number with commas between thousands; one decimal below 10 unless whole. */
function grouped(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const rounded = value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return formatInteger(rounded);
}
