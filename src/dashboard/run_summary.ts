/** What a list of runs shows of one run, from the files of its folder. */
import type { RunEvent } from "../training/store.ts";

/** Whether a run is trained now, and how it ended if not. */
export type RunState = "running" | "finished" | "stopped" | "diverged" | "unreadable";

/** A run in one line. */
export interface RunSummary {
  /** Its folder's name. */
  name: string;
  state: RunState;
  /** Why it cannot be read; undefined where it can. */
  fault?: string;
  /** The preset, or the name of a model. */
  preset: string;
  /** What it is trained on. */
  data: string;
  /** What trained it last, as its checkpoints or events say. */
  device: string;
  step: number;
  /** Steps when it is done; null where its data are not known. */
  totalSteps: number | null;
  /** Real samples seen. */
  images: number;
  /** Seconds of training. */
  seconds: number;
  /** Of the last line of metrics. */
  imagesPerSecond: number | null;
  /** The scalars of the last line of metrics. */
  scalars: Record<string, number>;
  /** The best evaluation: its measure and value. */
  best: { measure: string; value: number; step: number } | null;
  /** When a file of it changed last, in milliseconds since 1970. */
  updated: number;
  /** Whether it has a `generator.onnx`. */
  hasModel: boolean;
}

/** How many bytes at the end of a file of lines are enough to hold the last one. */
const TAIL_BYTES = 8192;

/** The last whole JSON line of a file, or undefined. */
export async function lastLine(file: string): Promise<Record<string, unknown> | undefined> {
  let handle: Deno.FsFile;
  try {
    handle = await Deno.open(file);
  } catch {
    return undefined;
  }
  using opened = handle;
  const { size } = await opened.stat();
  const bytes = new Uint8Array(Math.min(size, TAIL_BYTES));
  await opened.seek(size - bytes.length, Deno.SeekMode.Start);
  let read = 0;
  for (let n; read < bytes.length && (n = await opened.read(bytes.subarray(read))); read += n);
  const lines = new TextDecoder().decode(bytes.subarray(0, read)).split("\n");
  lines.pop(); // what follows the last line's end is not whole yet
  for (const line of lines.reverse()) {
    try {
      return JSON.parse(line);
    } catch {
      continue; // the first of the tail may be cut
    }
  }
  return undefined;
}

/** Whether a process trains in a folder: it holds the lock of it. */
export async function isRunning(folder: string): Promise<boolean> {
  try {
    using lock = await Deno.open(`${folder}/.lock`, { read: true });
    const isFree = await lock.tryLock(false);
    if (isFree) await lock.unlock();
    return !isFree;
  } catch {
    return false; // no lock file: nothing has trained here
  }
}

/** How a run that is not running ended. */
export function endState(
  { step, totalSteps, events }: {
    step: number;
    totalSteps: number | null;
    events: readonly RunEvent[];
  },
): RunState {
  const last = events.findLast(({ event }) => event === "diverged" || event === "resume");
  if (last?.event === "diverged") return "diverged";
  return totalSteps !== null && step >= totalSteps ? "finished" : "stopped";
}
