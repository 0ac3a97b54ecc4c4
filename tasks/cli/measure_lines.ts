/** The measures of a model of several networks as lines for the terminal. */
import type { ModelEvaluation } from "../../src/evaluation/models/model_evaluation.ts";
import { measuredText } from "../../src/pipeline/models/finish_model.ts";
import { measureRows } from "../../src/report/model_report.ts";

/** A table of figures, each beside those of other things. */
export function measureLines(evaluation: ModelEvaluation): string[] {
  const { measures, warnings } = evaluation;
  const { head, rows } = measureRows(measures);
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const table = all.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ")
  );
  return [
    `measured  ${measuredText(evaluation)}`,
    ...table.map((line) => `          ${line.trimEnd()}`),
    ...warnings.map((warning) => `note      ${warning}`),
  ];
}
