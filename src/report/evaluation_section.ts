/** What was measured during training, as a section of `report.md`: the curve, a table, and the best. */
import { formatInteger } from "../text.ts";
import { measureFigure, type MeasureName, MEASURES } from "../config/evaluation.ts";
import { markdownTable } from "./markdown.ts";

/** The evaluations of a run; a line of `evaluations.jsonl` fits. */
export interface ReportedEvaluations {
  /** What the best checkpoint is best by. */
  measure: MeasureName;
  /** Those that compare: of as many samples, the same features and data. In the order of their steps. */
  lines: readonly {
    step: number;
    samples: number;
    seconds: number;
    features?: string;
    measures: Partial<Record<MeasureName, number | null>>;
  }[];
  /** How many others there were, which do not compare with these. */
  unlike?: number;
  /** The best one, where a figure was known. */
  best?: { step: number; value: number };
  /** The image of the curves, relative to the report. */
  image?: string;
  /** Steps of the exported generator. */
  exportedStep?: number;
  /** The run folder, as the commands take it. */
  path: string;
}

/** Rows of the table; more evaluations are left out evenly. */
const ROWS = 12;

/** Writes the section. @returns Markdown */
export function evaluationsSection(evaluations: ReportedEvaluations): string {
  const { measure, lines, best, image } = evaluations;
  const names = measureNames(evaluations);
  const rows = shownLines(evaluations).map(({ step, measures }) => {
    const cells = [
      formatInteger(step),
      ...names.map((name) => measureFigure(name, measures[name] ?? null)),
    ];
    return step === best?.step ? cells.map((cell) => `**${cell}**`) : cells;
  });
  const table = markdownTable(
    [">after step", ...names.map((name) => `>${MEASURES[name].title}`)],
    rows,
  );
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0);
  const last = lines[lines.length - 1];
  const features = last.features ? `, features by ${last.features}` : "";
  const facts = `${formatInteger(lines.length)} evaluations of ${
    formatInteger(last.samples)
  } samples each${features}, ${seconds.toFixed(1)} s in all. The best is chosen by ${
    MEASURES[measure].title
  }: ${MEASURES[measure].better} is better.${unlikeRemark(evaluations)}`;
  return [
    "## Measures during training",
    ...(image ? [`![Measures during training](${encodeURI(image)})`] : []),
    table,
    facts,
    ...[bestRemark(evaluations) ?? []].flat(),
  ].join("\n\n");
}

function unlikeRemark({ unlike = 0 }: ReportedEvaluations): string {
  if (unlike === 0) return "";
  const them = unlike === 1 ? "1 more was" : `${formatInteger(unlike)} more were`;
  return ` ${them} made of other samples, features or data, do not compare with these, and are left out.`;
}

/** The deciding measure, then the others that were taken. */
function measureNames({ measure, lines }: ReportedEvaluations): MeasureName[] {
  const taken = new Set(lines.flatMap(({ measures }) => Object.keys(measures) as MeasureName[]));
  return [measure, ...[...taken].filter((name) => name !== measure)];
}

function shownLines({ lines, best }: ReportedEvaluations): ReportedEvaluations["lines"] {
  const every = Math.ceil(lines.length / ROWS);
  return lines.filter(({ step }, index) =>
    step === best?.step || (lines.length - 1 - index) % every === 0
  );
}

function bestRemark(
  { measure, best, lines, exportedStep, path }: ReportedEvaluations,
): string | undefined {
  if (!best && lines.some(({ measures }) => Number.isFinite(measures[measure]))) {
    return "The run goes on with another way of measuring, or checkpoints are gone: there is no best yet.";
  }
  if (!best) return "No evaluation gave a finite figure, so there is no best checkpoint.";
  const lastStep = lines[lines.length - 1].step;
  if (exportedStep === undefined || exportedStep === best.step) return undefined;
  return `The best was after step ${
    formatInteger(best.step)
  }, and the exported generator is that of step ${formatInteger(exportedStep)}${
    exportedStep === lastStep ? ", the last" : ""
  }: \`deno task export ${path} --checkpoint best\` ` +
    "exports the best.";
}
