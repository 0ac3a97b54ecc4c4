/** `report.md` of a run of a model of several networks. */
import { measureFigure, type MeasureName, MEASURES } from "../config/evaluation.ts";
import type { ModelRunConfig } from "../config/types.ts";
import { formatBytes, formatDuration, formatInteger, formatNumber } from "../text.ts";
import { markdownTable, settingText } from "./markdown.ts";
import { commandsOf, networkSection, type ReportedNetwork } from "./network_section.ts";
import type { ReportedImage } from "./run_report.ts";

/** A figure, and the same of other things. */
export interface ReportedMeasure {
  name: MeasureName;
  value: number | null;
  beside: Readonly<Record<string, number | null>>;
}

/** The facts of a run of a model. */
export interface ModelRunReport {
  /** The run folder, as the commands take it. */
  path: string;
  config: Pick<ModelRunConfig, "recipe" | "model" | "batchSize" | "duration" | "seed" | "ema">;
  /** Which device, which runtime. */
  device: string;
  data: { name: string; description: string; count: number; notes: readonly string[] };
  networks: readonly ReportedNetwork[];
  progress: {
    step: number;
    totalSteps: number;
    images: number;
    wallSeconds: number;
    interrupted: boolean;
  };
  /** The last scalars. */
  scalars: Readonly<Record<string, number>>;
  /** Figures on what was held back. */
  measures: readonly ReportedMeasure[];
  /** On how many samples, and of what. */
  measuredOn: string;
  images: readonly ReportedImage[];
  /** The exported file. */
  export?: { file: string; sizeBytes: number; opset: number; inputs: readonly string[] };
  notes: readonly string[];
}

/** Writes the report. @returns Markdown */
export function writeModelReport(report: ModelRunReport): string {
  const { path, data, config, images, networks, notes } = report;
  return [
    `# ${path.slice(path.lastIndexOf("/") + 1)}`,
    modelSummary(report),
    ...notes.map((note) => `> ${note}`),
    "## Result",
    ...(report.measures.length ? [`On ${report.measuredOn}:`, measureTable(report.measures)] : []),
    lossTable(report),
    ...images.map(({ title, file }) => `### ${title}\n\n![${title}](${encodeURI(file)})`),
    ...(report.export ? [fileSection(report.export)] : []),
    "## What was trained",
    `Data: ${data.description}; ${formatInteger(data.count)} samples.`,
    ...data.notes.map((note) => `> ${note}`),
    modelSettings(config),
    ...networks.map(networkSection),
    "## Go on",
    commandsOf(path, [
      "deno task train --resume RUN    # go on from the last checkpoint",
      "deno task export RUN            # write generator.onnx again",
      "deno task evaluate RUN          # measure it",
    ]),
  ].join("\n\n") + "\n";
}

function modelSummary({ config, data, device, progress }: ModelRunReport): string {
  const { step, totalSteps, images, wallSeconds, interrupted } = progress;
  const length = interrupted
    ? `${formatInteger(step)} of ${formatInteger(totalSteps)} steps (interrupted)`
    : `${formatInteger(step)} steps`;
  return `Preset \`${config.recipe?.preset}\` on ${data.name}: ${length}, ${
    formatInteger(images)
  } real samples, ${formatDuration(wallSeconds)} on ${device}. Seed ${config.seed ?? 0}.`;
}

/** Figures as a table: what was generated, then everything beside it. */
function measureTable(measures: readonly ReportedMeasure[]): string {
  const { head, rows } = measureRows(measures);
  return markdownTable(["measure", ...head.slice(1).map((name) => `>${name}`)], rows);
}

/** The cells of {@linkcode measureTable}; a figure that something else has no use for is empty. */
export function measureRows(
  measures: readonly ReportedMeasure[],
): { head: string[]; rows: string[][] } {
  const others = [...new Set(measures.flatMap(({ beside }) => Object.keys(beside)))];
  // The scale of all figures comes last.
  const last = "data against itself";
  others.sort((a, b) => Number(a === last) - Number(b === last));
  return {
    head: ["measure", "generated", ...others],
    rows: measures.map(({ name, value, beside }) => [
      `${MEASURES[name].title} (${MEASURES[name].better} is better)`,
      measureFigure(name, value),
      ...others.map((other) => {
        if (!Object.hasOwn(beside, other)) return "";
        const figure = beside[other];
        return figure === null ? "∞" : measureFigure(name, figure);
      }),
    ]),
  };
}

function lossTable({ scalars, progress }: ModelRunReport): string {
  const { images, wallSeconds } = progress;
  const speed = wallSeconds > 0
    ? [["real samples a second", formatInteger(images / wallSeconds)]]
    : [];
  return markdownTable(["at the last step", ">value"], [
    ...Object.entries(scalars).map(([name, value]) => [name, formatNumber(value)]),
    ...speed,
  ]);
}

function fileSection(
  { file, sizeBytes, opset, inputs }: NonNullable<ModelRunReport["export"]>,
): string {
  return `## Export\n\n[\`${file}\`](${encodeURI(file)}), a function of ${inputs.join(" and ")}: ${
    formatBytes(sizeBytes)
  }, ONNX opset ${opset}. Its values were compared with the trainer's.`;
}

function modelSettings(config: ModelRunReport["config"]): string {
  return markdownTable(["setting", "value"], [
    ["recipe", settingText({ name: config.recipe?.preset, ...config.recipe })],
    ...config.model.updates.map(({ name, networks, optimizer, terms }) => [
      `update ${name}`,
      `${networks.join(", ")}; ${settingText(optimizer)}; ${
        terms.map(({ name, weight = 1 }) => weight === 1 ? name : `${weight} ${name}`).join(" + ")
      }`,
    ]),
    ["EMA", config.ema ? settingText(config.ema) : "none"],
    ["batch size", String(config.batchSize)],
    ["planned length", settingText(config.duration)],
  ]);
}
