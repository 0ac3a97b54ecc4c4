/**
 * ganforge trains GANs on WebGPU or the processor, writes the trained generator as ONNX, and samples it
 * anywhere through onnxruntime-web.
 *
 * This module trains and exports, in Deno. An app that only samples imports `./sampler`, which needs
 * nothing of TensorFlow.js; one that exports a network of its own imports `./onnx`.
 *
 * @example Train, export, sample
 * ```ts no-eval
 * import { exportRun, presetConfig, Sampler, trainRun } from "@ganforge/ganforge";
 *
 * await using run = await trainRun(presetConfig("digits"));
 * const { path } = await exportRun(run);
 * await using sampler = await Sampler.load(path);
 * const images = await sampler.sample({ count: 16, seed: 7 });
 * await Deno.writeFile("digits.png", await images.grid().toPng());
 * ```
 *
 * @module
 */
export { presetConfig, presets } from "./src/config/presets/mod.ts";
export { checkConfig, withAssignments } from "./src/config/resolve.ts";
export type { RunConfig } from "./src/config/run_config.ts";
export { TrainingDivergedError, UserError } from "./src/errors.ts";
export { type ExportedRun, exportRun, type ExportRunOptions } from "./src/pipeline/export_run.ts";
export { type Finish, finishRun } from "./src/pipeline/finish_run.ts";
export {
  type FinishedRun,
  trainRun,
  type TrainRunObserver,
  type TrainRunOptions,
} from "./src/pipeline/train_run.ts";
export { Sampler } from "./src/sampler/mod.ts";
