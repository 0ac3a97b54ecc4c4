/** `evaluations.jsonl`: what was measured during training, one JSON object a line. */
import { MEASURES } from "../config/evaluation.ts";
import type { EvaluationLine } from "../training/store.ts";
import { readStepLines } from "./json_lines.ts";

/**
 * Reads the lines of an `evaluations.jsonl`; a damaged line and those after it are left out, and so are
 * values that are not numbers or belong to unknown measures.
 */
export async function readEvaluations(file: string): Promise<EvaluationLine[]> {
  const lines = await readStepLines<EvaluationLine>(file);
  return lines.flatMap((line) => {
    const { samples, seconds, measures } = line;
    const isWhole = Number.isFinite(samples) && Number.isFinite(seconds) &&
      typeof measures === "object" && measures !== null;
    if (!isWhole) return [];
    const known = Object.entries(measures).filter(([name, value]) =>
      Object.hasOwn(MEASURES, name) && (value === null || Number.isFinite(value))
    );
    return [{ ...line, measures: Object.fromEntries(known) }];
  });
}
