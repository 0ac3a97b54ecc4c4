/**
 * ganforge trains GANs on WebGPU or the CPU, writes the trained generator as ONNX, and samples it
 * anywhere through onnxruntime-web.
 *
 * This module trains and exports, in Deno. An app that only samples imports `./sampler`, which needs
 * nothing of TensorFlow.js; one that exports a network of its own imports `./onnx`.
 *
 * @example Train, export, sample
 * ```ts
 * import { presetConfig, Sampler, trainRun } from "@ganforge/ganforge";
 *
 * const config = { ...presetConfig("digits"), duration: { steps: 10 } }; // 3,000 make digits
 * await using run = await trainRun(config, { runsFolder: await Deno.makeTempDir() });
 * const { path } = await run.export();
 * await using sampler = await Sampler.load(path);
 * const images = await sampler.sample({ count: 16, seed: 7 });
 * console.log((await images.grid().toPng()).length > 0); // true
 * ```
 *
 * @module
 */
export { presetConfig, presets } from "./src/config/presets/mod.ts";
export { captionsModel, type CaptionsOptions } from "./src/config/presets/models/captions.ts";
export { cycleGanModel, type CycleGanOptions } from "./src/config/presets/models/cyclegan.ts";
export { pix2pixModel, type Pix2pixOptions } from "./src/config/presets/models/pix2pix.ts";
export {
  superResolutionModel,
  type SuperResolutionOptions,
} from "./src/config/presets/models/super_resolution.ts";
export {
  type RowShape,
  tabularModel,
  type TabularOptions,
} from "./src/config/presets/models/tabular.ts";
export type { NormName } from "./src/config/presets/models/parts.ts";
export { withAssignments } from "./src/config/assignments.ts";
export { checkConfig } from "./src/config/check_config.ts";
export {
  DeviceLostError,
  DownloadError,
  GanforgeError,
  StorageError,
  TrainingDivergedError,
  UserError,
} from "./src/errors.ts";
export type { Communicator } from "./src/distributed/communicator.ts";
export { type DistributedChoice, openCommunicator } from "./src/distributed/open.ts";
export { imageData, type MemoryDataOptions, tensorData } from "./src/data/memory_data.ts";
export { EXPORT_DTYPES } from "./src/export/mod.ts";
export { evaluate } from "./src/pipeline/evaluate_run.ts";
export { openCaptions, type OpenCaptionsOptions } from "./src/data/open_captions.ts";
export { type ImageModelSpec, openModelImages } from "./src/data/open_model_images.ts";
export { openTable, type OpenTableOptions } from "./src/data/open_table.ts";
export { tableData, type TableDataOptions } from "./src/data/table_data.ts";
export {
  comparedRows,
  evaluateTable,
  type LearnedColumn,
  type RealRows,
  type TableEvaluation,
} from "./src/evaluation/evaluate_table.ts";
export type { ClosestRows } from "./src/metrics/closest_rows.ts";
export { type TableQuality, tableQuality } from "./src/metrics/table_quality.ts";
export { type ImagePair, psnr, ssim } from "./src/metrics/image_quality.ts";
export { cellText, type CellValue, decodeRows, type TableRow } from "./src/tables/decode.ts";
export { drawSyntheticTable } from "./src/tables/synthetic_table.ts";
export { tableOfRows } from "./src/tables/table_of_rows.ts";
export type {
  ChoiceColumn,
  ChoiceEncoding,
  ColumnEncoding,
  NumericColumn,
  NumericEncoding,
  Table,
  TableColumn,
} from "./src/tables/columns.ts";
export { drawDataConditions } from "./src/tables/conditions.ts";
export type { ConditionBatch, ConditionColumn, ConditionSampler } from "./src/tables/conditions.ts";
export type { ColumnShape, PairTrend } from "./src/metrics/table_quality.ts";
export {
  type CaptionedDigitOptions,
  captionedDigits,
  type DigitModelOptions,
  digitPairs,
} from "./src/data/digits/digit_models.ts";
export { encodeCaption, type Vocabulary } from "./src/vocabulary.ts";
export { modelData } from "./src/data/model_data.ts";
export {
  type ComputingModel,
  drawCaptioned,
  drawRows,
  evaluateCaptioned,
  evaluateRows,
  type SeededCount,
} from "./src/pipeline/models/rows_and_captions.ts";
export type { CaptionEvaluation } from "./src/evaluation/evaluate_captions.ts";
export { resumeModel, trainModel } from "./src/pipeline/train_model.ts";
export { exportRun } from "./src/pipeline/export_run.ts";
export { openData } from "./src/pipeline/open_data.ts";
export { resumeRun, trainRun } from "./src/pipeline/train_run.ts";
export { Sampler } from "./src/sampler/mod.ts";

export type { LogitKind } from "./src/config/objective.ts";
export type * from "./src/config/types.ts";
export type { Density, Mode } from "./src/data/densities.ts";
export type { Batch, DataSource, StoredSamples } from "./src/data/source.ts";
export type { HostTensor, HostTensors } from "./src/tensor/types.ts";
export type {
  ConditionInput,
  ConditionType,
  GeneratorManifest,
  LatentDistribution,
  SelfTest,
} from "./src/manifest.ts";
export type {
  CaptionContext,
  CaptionSamples,
  ModelBatch,
  ModelData,
  ModelDataOptions,
  TableContext,
} from "./src/data/model_data.ts";
export type { ResumeModelOptions, TrainModelOptions } from "./src/pipeline/train_model.ts";
export type { ComputeOptions, GivenTensor } from "./src/pipeline/model_runner.ts";
export type {
  ExportedModelFile,
  ExportModelFileOptions,
} from "./src/pipeline/export_trained_model.ts";
export type { TrainedModel } from "./src/pipeline/trained_model.ts";
export type { ExportedModel } from "./src/export/export.ts";
export type { ExportDtype } from "./src/export/dtypes.ts";
export type { Parity } from "./src/export/parity.ts";
export type { EvaluationKind, EvaluationPlan } from "./src/evaluation/evaluation_plan.ts";
export type * from "./src/evaluation/evaluation.ts";
export type { DataProgress } from "./src/data/progress.ts";
export type { OpenOptions } from "./src/data/open.ts";
export type { EvaluateOptions, RunEvaluationOptions } from "./src/pipeline/evaluate_run.ts";
export type { ExportedRun, GeneratorExportOptions } from "./src/pipeline/export_generator.ts";
export type { ExportRunOptions } from "./src/pipeline/export_run.ts";
export type { FinishedFiles } from "./src/pipeline/finish_run.ts";
export type { WrittenReport } from "./src/pipeline/report_run.ts";
export type {
  ChosenEngine,
  ResumeRunOptions,
  RunCallbacks,
  RunStart,
  TrainRunOptions,
} from "./src/pipeline/run_options.ts";
export type { ManifoldMetrics } from "./src/metrics/manifold.ts";
export type { DensityDivergences } from "./src/metrics/divergence.ts";
export type { DiscriminatorCurves } from "./src/report/density_plot.ts";
export type { KernelDistance } from "./src/metrics/kernel_distance.ts";
export type { Binning } from "./src/metrics/histogram.ts";
export type { Theory } from "./src/pipeline/theory.ts";
export type { LineTheory } from "./src/metrics/line_theory.ts";
export type { ModeCoverage } from "./src/metrics/modes.ts";
export type { FinishOptions, TrainedRun } from "./src/pipeline/trained_run.ts";
export type { PresetChanges } from "./src/pipeline/train_run.ts";
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
export type { Evaluator } from "./src/training/evaluations.ts";
export type { BestCheckpoint, EvaluationLine, Measured } from "./src/training/store.ts";
export type {
  EvaluationProgress,
  TrainingProgress,
  TrainingResult,
} from "./src/training/train_types.ts";
export type { LatentInfo } from "./src/sampler/mod.ts";
export type { RowReader } from "./src/data/cache/row_reader.ts";
export type { PointColumn } from "./src/data/source.ts";
export type { ExternalData } from "./src/graph/external_data.ts";
export type { DecodedStorage } from "./src/data/cache/cached_source.ts";
export type { Assumptions, FeedValue } from "./src/sampler/assumptions.ts";
export type { CacheOptions } from "./src/data/cache/cache_folder.ts";
