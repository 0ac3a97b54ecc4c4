/**
 * ganforge trains GANs on WebGPU or the processor, writes the trained generator as ONNX, and samples it
 * anywhere through onnxruntime-web.
 *
 * This module trains and exports, in Deno. An app that only samples imports `./sampler`, which needs
 * nothing of TensorFlow.js; one that exports a network of its own imports `./onnx`.
 *
 * @example Train, export, sample
 * ```ts
 * import { exportRun, presetConfig, Sampler, trainRun } from "@ganforge/ganforge";
 *
 * const config = { ...presetConfig("digits"), duration: { steps: 10 } }; // 3,000 make digits
 * await using run = await trainRun(config, { runsFolder: await Deno.makeTempDir() });
 * const { path } = await exportRun(run);
 * await using sampler = await Sampler.load(path);
 * const images = await sampler.sample({ count: 16, seed: 7 });
 * console.log((await images.grid().toPng()).length > 0); // true
 * ```
 *
 * @module
 */
export { presetConfig, presets } from "./src/config/presets/mod.ts";
export { withAssignments } from "./src/config/assignments.ts";
export { checkConfig } from "./src/config/check_config.ts";
export { DeviceLostError, TrainingDivergedError, UserError } from "./src/errors.ts";
export { EXPORT_DTYPES } from "./src/export/mod.ts";
export { exportRun } from "./src/pipeline/export_run.ts";
export { finishRun } from "./src/pipeline/finish_run.ts";
export { trainRun } from "./src/pipeline/train_run.ts";
export { Sampler } from "./src/sampler/mod.ts";

export type { LogitKind } from "./src/config/objective.ts";
export type * from "./src/config/types.ts";
export type { Density, Mode } from "./src/data/densities.ts";
export type { Batch, DataSource, StoredSamples } from "./src/data/source.ts";
export type { HostTensor, HostTensors } from "./src/tensor/types.ts";
export type { GeneratorManifest, LatentDistribution, SelfTest } from "./src/manifest.ts";
export type { ExportDtype } from "./src/export/export.ts";
export type { Parity } from "./src/export/parity.ts";
export type { EvaluationKind, EvaluationPlan } from "./src/evaluation/evaluation_plan.ts";
export type { ExportedRun, ExportRunOptions } from "./src/pipeline/export_run.ts";
export type { Finish } from "./src/pipeline/finish_run.ts";
export type { RunReportResult } from "./src/pipeline/report_run.ts";
export type {
  FinishedRun,
  RunStart,
  TrainRunObserver,
  TrainRunOptions,
} from "./src/pipeline/train_run.ts";
export type { ReportedExport } from "./src/report/run_report.ts";
export type {
  GeneratorInfo,
  GridOptions,
  InterpolateOptions,
  OutputSpec,
  PngImage,
  Raster,
  RasterImage,
  Sample,
  SampleList,
  SampleOptions,
  SamplerDevice,
} from "./src/sampler/mod.ts";
export type { RunFolder } from "./src/run/run_folder.ts";
export type { Evaluator } from "./src/training/evaluations.ts";
export type { BestCheckpoint, EvaluationLine, Measured } from "./src/training/store.ts";
export type {
  EvaluationProgress,
  TrainingProgress,
  TrainingResult,
} from "./src/training/train_types.ts";
export type { LatentSpec as SamplerLatentSpec } from "./src/sampler/mod.ts";
