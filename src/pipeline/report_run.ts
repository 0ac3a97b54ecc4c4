/** `report.md` of a finished run, with its plots. */
import type { ReportedNetwork } from "../report/network_section.ts";
import { formatInteger } from "../text.ts";
import { type MeasureName, MEASURES } from "../config/evaluation.ts";
import { logitKind } from "../config/objective.ts";
import type { HostTensors } from "../tensor/types.ts";
import { drawEvaluationPlot } from "../report/evaluation_plot.ts";
import type { ReportedEvaluations } from "../report/evaluation_section.ts";
import { drawLossPlot } from "../report/loss_plot.ts";
import { rasterizeSvg } from "../report/rasterize.ts";
import { type ReportedExport, type ReportedImage, writeRunReport } from "../report/run_report.ts";
import { writeFileAtomically } from "../files.ts";
import { areComparable } from "../training/evaluations.ts";
import { readEvaluations } from "../run/evaluations.ts";
import { readEvents } from "../run/events_log.ts";
import { readMetrics } from "../run/metrics_log.ts";
import type { Network } from "../nn/mod.ts";
import { planEvaluation } from "../evaluation/evaluation_plan.ts";
import { columnClasses } from "./column_classes.ts";
import { drawSamples, type SampleImage } from "./sample_images.ts";
import { runNotes } from "./run_notes.ts";
import { writeImage } from "./snapshots.ts";
import { measureTheory, type Theory } from "./theory.ts";
import type { CompletedFolderTraining } from "./training_run.ts";

/** What {@linkcode reportRun} wrote and measured. */
export interface WrittenReport {
  /** `report.md` */
  path: string;
  /** The images in it, the most telling first. */
  images: string[];
  /** What theory says of a run on data of a known density; undefined elsewhere. */
  theory: Theory | undefined;
}

/**
 * Measures a finished run, draws its plots and writes `report.md`.
 * @param shown the state whose samples are shown and measured: the one that was exported
 */
export async function reportRun(
  run: CompletedFolderTraining,
  shown: { state: HostTensors; step: number },
  exported?: ReportedExport,
): Promise<WrittenReport> {
  const { config, data, engine, folder, result, trainingStep } = run;
  const { generator, discriminator } = trainingStep;
  const atStep = (step: number): string =>
    `step ${formatInteger(step)} of ${formatInteger(result.totalSteps)}`;
  const { state } = shown;
  const theory = await measureTheory({ ...run, generator, discriminator, state });
  const images: ReportedImage[] = [];
  async function add(title: string, name: string, image: SampleImage | undefined): Promise<void> {
    if (!image) return;
    await writeImage(`${folder.path}/${name}`, image);
    images.push({ title, file: `${name}.png` });
  }

  const samples = theory?.samples ?? await run.snapshots.sample(state);
  await add(
    data.kind === "image" ? "Samples" : "Samples against data",
    "samples-final",
    await drawSamples(samples, data, {
      columns: config.snapshots.columns,
      columnNames: generator.usesLabels
        ? columnClasses(data, config.snapshots.columns).names
        : undefined,
      title: `${config.preset}: samples against data`,
      subtitle: atStep(shown.step),
      discriminator: theory?.line?.curves,
    }),
  );
  if (data.kind === "image") images.push({ title: "Real samples", file: "reals.png" });
  await add("Losses", "losses", await lossImage(run, atStep(result.step)));
  const evaluations = await evaluationsOf(run, exported?.step);
  if (run.gif) images.push({ title: "Training", file: run.gif.slice(folder.path.length + 1) });

  const markdown = writeRunReport({
    path: folder.path,
    config,
    device: engine.description,
    data: { ...data, shape: data.shape, description: data.description },
    networks: [
      reportedNetwork("Generator", generator),
      reportedNetwork("Discriminator", discriminator),
    ],
    progress: { ...result, images: result.step * trainingStep.samplesPerStep },
    scalars: result.scalars,
    evaluations,
    images,
    theory: theory?.line,
    modes: theory?.modes,
    export: exported,
    notes: runNotes(await readEvents(folder.eventsFile), result.step),
  });
  const path = `${folder.path}/report.md`;
  await writeFileAtomically(path, new TextEncoder().encode(markdown));
  return { path, images: images.map(({ file }) => `${folder.path}/${file}`), theory };
}

/**
 * What was measured during training, with its plot; undefined where nothing was. Of a run that was
 * resumed with other samples, features or data those that compare with the last.
 */
async function evaluationsOf(
  { config, data, folder, result }: CompletedFolderTraining,
  exportedStep: number | undefined,
): Promise<ReportedEvaluations | undefined> {
  const all = await readEvaluations(folder.evaluationsFile);
  const last = all.at(-1);
  if (!config.evaluation || !last) return undefined;
  const lines = all.filter((line) => areComparable(line, last));
  const { measure, measures } = planEvaluation(config.evaluation, data);
  const { best } = result;
  const unlike = all.length - lines.length;
  const found: ReportedEvaluations = {
    measure,
    lines,
    unlike,
    best,
    exportedStep,
    path: folder.path,
  };
  if (lines.length < 2) return found;
  const svg = drawEvaluationPlot({
    title: `${config.preset}: measures during training`,
    subtitle: `${formatInteger(lines[0].samples)} samples each`,
    steps: lines.map(({ step }) => step),
    curves: measures.map((name: MeasureName) => ({
      title: `${MEASURES[name].title}, ${MEASURES[name].better} is better`,
      label: MEASURES[name].title,
      values: lines.map((line) => line.measures[name] ?? null),
    })),
    best: best?.step,
  });
  await writeImage(`${folder.path}/evaluations`, { svg, png: await rasterizeSvg(svg) });
  return { ...found, image: "evaluations.png" };
}

async function lossImage(
  run: CompletedFolderTraining,
  subtitle: string,
): Promise<SampleImage | undefined> {
  const records = await readMetrics(run.folder.metricsFile);
  if (records.length < 2) return undefined;
  const svg = drawLossPlot({
    title: `${run.config.preset}: losses`,
    subtitle,
    records,
    logitKind: logitKind(run.config.objective.name),
  });
  return { svg, png: await rasterizeSvg(svg) };
}

function reportedNetwork(title: string, network: Network): ReportedNetwork {
  return { title, inputShape: network.spec.inputShape, layers: network.layers };
}
