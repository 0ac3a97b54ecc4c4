/** What follows the training of a model: its measures, its exported file, and the report. */
import type { ModelEvaluation } from "../../evaluation/models/model_evaluation.ts";
import { writeFileAtomically } from "../../files.ts";
import { drawTermPlot } from "../../report/term_plot.ts";
import { rasterizeSvg } from "../../report/rasterize.ts";
import type { ReportedImage } from "../../report/run_report.ts";
import { writeModelReport } from "../../report/model_report.ts";
import { readEvents } from "../../run/events_log.ts";
import { readMetrics } from "../../run/metrics_log.ts";
import { formatInteger } from "../../text.ts";
import type { HostTensors } from "../../tensor/types.ts";
import { runNotes } from "../run_notes.ts";
import { writeImage } from "../snapshots.ts";
import { trainedModel } from "../trained_model.ts";
import { withoutShrinking } from "./export_model_run.ts";
import { evaluateModelAt } from "./evaluate_model.ts";
import { type CompletedModelTraining, DEFAULT_SNAPSHOTS, modelAt } from "./model_training.ts";

/** The files that finishing a run of a model wrote. */
export interface FinishedModelFiles {
  /** The ONNX file. */
  exported: { path: string; sizeBytes: number; opset: number; inputNames: readonly string[] };
  /** Steps of the exported weights. */
  step: number;
  evaluation: ModelEvaluation;
  /** `report.md` */
  report: string;
  /** The images in it. */
  images: string[];
}

/**
 * Measures a finished run on what was held back, exports it and writes the report.
 * @param options.signal aborting it ends the work before its next part, with the signal's reason
 */
export async function finishModelRun(
  run: CompletedModelTraining,
  { signal, onStage }: { signal?: AbortSignal; onStage?: (what: string) => void } = {},
): Promise<FinishedModelFiles> {
  signal?.throwIfAborted();
  const { config, result, folder, preset } = run;
  const { state, step } = await chosenState(run);
  const model = trainedModel({
    ...run,
    config: withoutShrinking(config),
    result: { ...result, state },
    folder: folder.path,
    dispose: () => Promise.resolve(),
  });
  const exported = await model.export({
    out: `${folder.path}/generator.onnx`,
    preset: config.recipe.preset,
  });
  signal?.throwIfAborted();
  const evaluation = await evaluateModelAt(run, { state, step, onStage });
  signal?.throwIfAborted();
  await writeModelEvaluation(`${folder.path}/evaluation.json`, evaluation);

  const { recipe, snapshots = DEFAULT_SNAPSHOTS } = config;
  const images: ReportedImage[] = [];
  const samples = await preset.draw(modelAt(run, state), {
    grid: snapshots,
    title: `${recipe.preset}: samples`,
    subtitle: `step ${formatInteger(step)}`,
  });
  if (samples) {
    await writeImage(`${folder.path}/samples-final`, samples);
    images.push({ title: "Samples", file: "samples-final.png" });
  }
  const records = await readMetrics(folder.metricsFile);
  if (records.length > 1) {
    const svg = drawTermPlot({
      title: `${recipe.preset}: losses`,
      subtitle: `step ${formatInteger(result.step)} of ${formatInteger(result.totalSteps)}`,
      records,
      updates: config.model.updates.map(({ name, terms }) => ({
        name,
        terms: terms.map((term) => term.name),
      })),
    });
    await writeImage(`${folder.path}/losses`, { svg, png: await rasterizeSvg(svg) });
    images.push({ title: "Losses", file: "losses.png" });
  }
  if (run.gif) images.push({ title: "Training", file: "samples.gif" });
  const { data, engine } = run;
  const markdown = writeModelReport({
    path: folder.path,
    config,
    device: engine.description,
    data,
    networks: Object.entries(run.step.networks).map(([title, { spec, layers }]) => ({
      title,
      inputShape: spec.inputShape,
      layers,
    })),
    progress: { ...result, images: result.step * run.step.samplesPerStep },
    scalars: result.scalars,
    measures: evaluation.measures,
    measuredOn: measuredText(evaluation),
    images,
    export: {
      file: "generator.onnx",
      sizeBytes: exported.bytes.length,
      opset: exported.opset,
      inputs: exported.inputNames,
    },
    notes: [...runNotes(await readEvents(folder.eventsFile), result.step), ...evaluation.warnings],
  });
  const report = `${folder.path}/report.md`;
  await writeFileAtomically(report, new TextEncoder().encode(markdown));
  return {
    exported: {
      path: exported.path,
      sizeBytes: exported.bytes.length,
      opset: exported.opset,
      inputNames: exported.inputNames,
    },
    step,
    evaluation,
    report,
    images: images.map(({ file }) => `${folder.path}/${file}`),
  };
}

/** On what figures were taken. */
export function measuredText({ data }: ModelEvaluation): string {
  return `${formatInteger(data.count)} samples: ${data.description}`;
}

/** Writes an evaluation as JSON. */
export async function writeModelEvaluation(
  path: string,
  evaluation: ModelEvaluation,
): Promise<void> {
  const text = JSON.stringify(evaluation, null, 2) + "\n";
  await writeFileAtomically(path, new TextEncoder().encode(text));
}

/** The weights that are exported: those of the last step, or the best that were measured. */
async function chosenState(
  { config, result, store }: CompletedModelTraining,
): Promise<{ state: HostTensors; step: number }> {
  const { best } = result;
  if (config.evaluation?.export !== "best" || !best) return result;
  return await store.checkpoints.read(best.step);
}
