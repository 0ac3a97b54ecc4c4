/**
 * `report.md` of a run: what was trained and how, how it went, how good it is where that can be measured,
 * and what to do next. Whoever trained brings the facts; this only writes them down.
 */
import { formatBytes, formatDuration, formatInteger, formatNumber, formatShape } from "../text.ts";
import { logitKind } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { LineTheory } from "../metrics/line_theory.ts";
import type { ModeCoverage } from "../metrics/modes.ts";
import { markdownTable, settingText } from "./markdown.ts";
import { commandsOf, networkSection, type ReportedNetwork } from "./network_section.ts";
import { evaluationsSection, type ReportedEvaluations } from "./evaluation_section.ts";
import { lineTheorySection, modesSection } from "./theory_section.ts";

/** An image file in the run folder. */
export interface ReportedImage {
  /** Its heading. */
  title: string;
  /** Path relative to the report, `samples/2000.png`. */
  file: string;
}

/** The exported file, and how it was checked against the trainer. */
export interface ReportedExport {
  /** Path relative to the report. */
  file: string;
  /** The file's size. */
  sizeBytes: number;
  /** The version of ONNX's operators. */
  opset: number;
  /** Training steps that its weights have seen. */
  step: number;
  /** How far the file's outputs are from the trainer's; absent if it was not checked. */
  parity?: {
    /** Latents that were compared. */
    count: number;
    /** Largest |difference| of any output. */
    maxDifference: number;
    /** What it may be. */
    tolerance: number;
    /** The runtime that ran the file. */
    runtime: string;
  };
}

/** The options that a report shows. */
export type ReportedConfig = Pick<
  RunConfig,
  | "preset"
  | "seed"
  | "latent"
  | "objective"
  | "update"
  | "generatorOptimizer"
  | "discriminatorOptimizer"
  | "ema"
  | "batchSize"
  | "duration"
>;

/** The facts of a run. */
export interface RunReport {
  /** The run folder, as the commands take it. */
  path: string;
  /** The run's own config. */
  config: ReportedConfig;
  /** Which device, which runtime. */
  device: string;
  /** What the data are: name, a line about it, how many samples, their shape. */
  data: { name: string; description: string; count: number; shape: readonly number[] };
  /** Generator and discriminator. */
  networks: readonly ReportedNetwork[];
  /** How far training went. */
  progress: {
    /** Steps done. */
    step: number;
    /** Steps planned. */
    totalSteps: number;
    /** Real samples seen. */
    images: number;
    /** Spent training, over all sessions. */
    wallSeconds: number;
    /** Whether it was stopped before the end. */
    interrupted: boolean;
  };
  /** The last scalars: dLoss, gLoss, dReal, dFake, penalties. */
  scalars: Readonly<Record<string, number>>;
  /** What was measured during training, where something was. */
  evaluations?: ReportedEvaluations;
  /** Plots and samples, in the order in which they are shown. */
  images: readonly ReportedImage[];
  /** For 1-D data of a known density. */
  theory?: LineTheory;
  /** For 2-D data of known modes: the coverage of `samples` samples. */
  modes?: ModeCoverage & { samples: number };
  /** Where the generator was exported. */
  export?: ReportedExport;
  /** Remarks on what happened to the run: resumes, rollbacks. */
  notes?: readonly string[];
}

/** Writes the report. @returns Markdown */
export function writeRunReport(report: RunReport): string {
  const { config, data, path } = report;
  const sections = [
    `# ${path.slice(path.lastIndexOf("/") + 1)}`,
    summary(report),
    ...(report.notes ?? []).map((note) => `> ${note}`),
    "## Result",
    resultTable(report),
    ...report.images.map(({ title, file }) => `### ${title}\n\n![${title}](${encodeURI(file)})`),
    ...(report.theory ? [lineTheorySection(report.theory)] : []),
    ...(report.modes ? [modesSection(report.modes)] : []),
    ...(report.evaluations ? [evaluationsSection(report.evaluations)] : []),
    ...(report.export ? [exportSection(report.export, report.progress.step)] : []),
    "## What was trained",
    `Data: ${data.description}; ${formatInteger(data.count)} samples of ${
      formatShape(data.shape)
    }.`,
    settingsTable(config),
    ...report.networks.map(networkSection),
    "## Go on",
    commandsOf(path, [
      "deno task train --resume RUN    # go on from the last checkpoint",
      "deno task export RUN            # write generator.onnx again",
      "deno task sample RUN --count 16 # draw samples through ONNX Runtime",
      "deno task evaluate RUN          # measure it",
    ]),
  ];
  return sections.join("\n\n") + "\n";
}

function summary(report: RunReport): string {
  const { config, data, device, progress } = report;
  const { step, totalSteps, images, wallSeconds, interrupted } = progress;
  const length = interrupted
    ? `${formatInteger(step)} of ${formatInteger(totalSteps)} steps (interrupted)`
    : `${formatInteger(step)} steps`;
  return `Preset \`${config.preset}\` on ${data.name}: ${length}, ${
    formatInteger(images)
  } real samples, ` +
    `${formatDuration(wallSeconds)} on ${device}. Seed ${config.seed}.`;
}

const SCALAR_NAMES: Record<string, string> = {
  dLoss: "discriminator's loss",
  gLoss: "generator's loss",
  dReal: "D(x), real samples",
  dFake: "D(G(z)), generated samples",
  margin: "D(x) \u2212 D(G(z)), mean over pairs",
};

function resultTable({ config, scalars, progress }: RunReport): string {
  const speed = progress.wallSeconds > 0
    ? [["real samples a second", formatInteger(progress.images / progress.wallSeconds)]]
    : [];
  return markdownTable(["at the last step", ">value"], [
    ...Object.entries(shownScalars(config, scalars)).map((
      [name, value],
    ) => [SCALAR_NAMES[name] ?? name, formatNumber(value)]),
    ...speed,
  ]);
}

/** Logits that mean something as a pair only are shown as one number. */
function shownScalars(
  { objective }: ReportedConfig,
  scalars: RunReport["scalars"],
): Readonly<Record<string, number>> {
  const { dReal, dFake, ...rest } = scalars;
  const isMargin = logitKind(objective.name) === "margin" && dReal !== undefined;
  return isMargin ? { ...rest, margin: dReal - dFake } : scalars;
}

function exportSection(exported: ReportedExport, lastStep: number): string {
  const { file, sizeBytes, opset, parity, step } = exported;
  const which = step === lastStep ? "the last step" : `step ${formatInteger(step)}, the best`;
  const lines = [
    "## Export",
    `[\`${file}\`](${encodeURI(file)}), the generator of ${which}: ${
      formatBytes(sizeBytes)
    }, ONNX opset ${opset}.`,
  ];
  if (parity) {
    const relation = parity.maxDifference <= parity.tolerance ? "within" : "**above**";
    lines.push(
      `Parity with the trainer: the largest difference over ${
        formatInteger(parity.count)
      } latents in ` +
        `${parity.runtime} is ${formatNumber(parity.maxDifference)}, ${relation} the allowed ` +
        `${formatNumber(parity.tolerance)}.`,
    );
  }
  return lines.join("\n\n");
}

function settingsTable(config: ReportedConfig): string {
  const { latent, objective, update, duration } = config;
  const rows = [
    ["latent", `${latent.dimension} values, ${latent.distribution}`],
    ["objective", settingText(objective)],
    ["updates", settingText(update)],
    ["generator's optimizer", settingText(config.generatorOptimizer)],
    ["discriminator's optimizer", settingText(config.discriminatorOptimizer)],
    ["EMA of the generator", config.ema ? settingText(config.ema) : "none"],
    ["batch size", String(config.batchSize)],
    ["planned length", settingText(duration)],
  ];
  return markdownTable(["setting", "value"], rows);
}
