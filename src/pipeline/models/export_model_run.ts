/** Exports the model of a run on disk: what `deno task export` calls for a run of several networks. */
import type { CheckpointChoice } from "../../config/evaluation.ts";
import { DEFAULTS } from "../../config/defaults.ts";
import type { ModelRunConfig } from "../../config/types.ts";
import { openEngine } from "../../engine/open.ts";
import { readBest, readChosenCheckpoint } from "../../run/best_checkpoint.ts";
import { readModelRecord } from "../../run/model_record.ts";
import { readModelConfig } from "../../run/run_folder.ts";
import { buildModelStep } from "../../training/model/model_step.ts";
import { withGivenValues } from "../compute_values.ts";
import { trainedModel } from "../trained_model.ts";
import { presetOf } from "./open_model_run.ts";

/** How the model of a run is exported. */
export interface ExportModelRunOptions {
  /** The file to write. Default: `generator.onnx` in the run. */
  out?: string;
  /** Which checkpoint. Default: the last, or the best where the config says so. */
  checkpoint?: CheckpointChoice | number;
  /** The version of ONNX' operators. Default 17. */
  opset?: number;
  onWarning?: (message: string) => void;
}

/** A file that was written. */
export interface ExportedModelRun {
  path: string;
  /** Steps of the weights. */
  step: number;
  sizeBytes: number;
  opset: number;
  nodes: number;
  inputNames: readonly string[];
}

/**
 * The config of a model as its file is a function of: small images are made by the step in training, and are an
 * input of the file.
 */
export function withoutShrinking<Config extends ModelRunConfig>(config: Config): Config {
  const shrunk = Object.entries(config.model.values).filter(([, { op }]) => op === "shrink");
  return { ...config, model: withGivenValues(config.model, shrunk.map(([name]) => name)) };
}

/**
 * Exports a run's model.
 * @param path the run's folder
 * @throws {UserError} when there is no such checkpoint, or the file's values differ; nothing is written then
 */
export async function exportModelRun(
  path: string,
  { out, checkpoint, opset, onWarning }: ExportModelRunOptions = {},
): Promise<ExportedModelRun> {
  const config = await readModelConfig(path);
  const { recipe } = presetOf(config);
  const { inputs, table, vocabulary } = await readModelRecord(path);
  const step = buildModelStep(config, inputs);
  const folder = `${path}/checkpoints`;
  const isBest = config.evaluation?.export === "best" && await readBest(folder) !== undefined;
  const stored = await readChosenCheckpoint(folder, checkpoint ?? (isBest ? "best" : "last"), {
    onWarning,
  });
  const { engine } = await openEngine(config.device ?? DEFAULTS.model.device);
  await using model = trainedModel({
    config: withoutShrinking(config),
    step,
    engine,
    folder: path,
    data: {
      table: table && { encodings: table.encodings, conditions: { columns: table.conditions } },
      captions: vocabulary && { vocabulary },
    },
    result: {
      state: stored.state,
      step: stored.step,
      totalSteps: stored.step,
      wallSeconds: stored.wallSeconds,
      interrupted: false,
      scalars: {},
      best: undefined,
    },
    dispose: () => engine.dispose(),
  });
  const exported = await model.export({
    out: out ?? `${path}/generator.onnx`,
    preset: recipe.preset,
    opset,
  });
  return {
    path: exported.path,
    step: stored.step,
    sizeBytes: exported.bytes.length,
    opset: exported.opset,
    nodes: exported.nodes,
    inputNames: exported.inputNames,
  };
}
