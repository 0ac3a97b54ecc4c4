/** `metrics.jsonl`: a run's metrics, one JSON object a line. */
import type { MetricsLine } from "../training/store.ts";
import { readStepLines } from "./json_lines.ts";

/** Reads the lines of a `metrics.jsonl`; a damaged line and those after it are left out. */
export async function readMetrics(file: string): Promise<MetricsLine[]> {
  return await readStepLines<MetricsLine>(file);
}
