/** What follows training: export, samples from the file through the sampler, and the report. */
import { labeledGrid } from "../report/labeled_grid.ts";
import { Sampler } from "../sampler/mod.ts";
import { writeFileAtomically } from "../files.ts";
import { csvLine } from "../text.ts";
import { chosenGenerator } from "./chosen_generator.ts";
import { columnClasses } from "./column_classes.ts";
import { type ExportedRun, exportGenerator } from "./export_generator.ts";
import { reportRun, type WrittenReport } from "./report_run.ts";
import type { CompletedFolderTraining } from "./training_run.ts";

/** The files that finishing a run wrote. */
export interface FinishedFiles {
  /** The ONNX file, and how it was checked. */
  exported: ExportedRun;
  /** What the sampler drew from the exported file: `sampled.png`, or `sampled.csv` for points. */
  sampled: string;
  /** On what the sampler ran. */
  sampledOn: string;
  /** `report.md`, and what was measured for it. */
  report: WrittenReport;
  /** `samples.gif`, where there are images of samples. */
  gif: string | undefined;
}

/**
 * Exports a finished run, samples from the file as an app would, and writes the report. The generator is
 * that of the last step, or the best one that was measured where the config's `evaluation.export` says so.
 * @param options.signal aborting it ends the work before its next part, with the signal's reason
 */
export async function finishRun(
  run: CompletedFolderTraining,
  options: { signal?: AbortSignal } = {},
): Promise<FinishedFiles> {
  const { signal } = options;
  signal?.throwIfAborted();
  const chosen = await chosenGenerator(run);
  const path = `${run.folder.path}/generator.onnx`;
  const exported = await exportGenerator(chosen, path, { engine: run.engine });
  signal?.throwIfAborted();
  const { sampled, sampledOn } = await sampleFile(run, exported.path);
  signal?.throwIfAborted();
  const report = await reportRun(run, chosen, { ...exported, file: "generator.onnx" });
  return { exported, sampled, sampledOn, report, gif: run.gif };
}

async function sampleFile(
  { config, data, folder }: CompletedFolderTraining,
  model: string,
): Promise<{ sampled: string; sampledOn: string }> {
  const { rows, columns } = config.snapshots;
  // On wasm, which is what every app has.
  await using sampler = await Sampler.load(model, { device: "wasm", selfTest: true });
  const sampledOn = `wasm, ${sampler.device.threads} threads`;
  if (data.kind === "image") {
    const count = rows * columns;
    const shown = sampler.info.conditional ? columnClasses(data, columns) : undefined;
    const samples = await sampler.sample({
      count,
      ...(shown
        ? { label: Array.from({ length: count }, (_, i) => shown.labels[i % columns]) }
        : {}),
    });
    const sampled = `${folder.path}/sampled.png`;
    const images = Array.from(samples, (sample) => sample.toRaster());
    const png = await labeledGrid(images, { columns, columnNames: shown?.names });
    await writeFileAtomically(sampled, png);
    return { sampled, sampledOn };
  }
  const samples = await sampler.sample({ count: 1000 });
  const sampled = `${folder.path}/sampled.csv`;
  const names = sampler.info.manifest?.columnNames;
  const lines = samples.map(({ values }) => csvLine(Array.from(values)));
  if (names) lines.unshift(csvLine(names));
  await writeFileAtomically(sampled, new TextEncoder().encode(lines.join("")));
  return { sampled, sampledOn };
}
