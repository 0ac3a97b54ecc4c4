/** Chunks of steps: how long they are, and what the metrics get of them. */
import type { LoopStep } from "./train_types.ts";

/** The losses are read about this often. */
const CHUNK_MS = 400;
const MAX_CHUNK_STEPS = 256;

/** Aims at chunks of {@linkcode CHUNK_MS}, at most doubling each time. */
export function nextChunkSteps(current: number, stepMs: number): number {
  const wanted = Math.round(CHUNK_MS / Math.max(stepMs, 0.01));
  return Math.max(1, Math.min(wanted, current * 2, MAX_CHUNK_STEPS));
}

/** What changes with the images seen, as scalars of consecutive steps. */
export function scheduledScalars(
  { scheduled = () => ({}) }: LoopStep,
  first: number,
  count: number,
): Record<string, Float32Array> {
  const steps = Array.from({ length: count }, (_, i) => Object.entries(scheduled(first + i)));
  return Object.fromEntries(steps[0].map(([name], at) => [
    name,
    Float32Array.from(steps, (values) => values[at][1]),
  ]));
}

/** Each scalar's last value: that of the last step that measured it. */
export function lastValues(measured: Record<string, Float32Array>): Record<string, number> {
  const last: Record<string, number> = {};
  for (const [name, values] of Object.entries(measured)) {
    const value = values.findLast((value) => !Number.isNaN(value));
    if (value !== undefined) last[name] = value;
  }
  return last;
}
