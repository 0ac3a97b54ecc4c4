/** Exports the generator of a run on disk. */
import { columnNames } from "../data/source.ts";
import { unitsOf } from "../data/units.ts";
import type { Engine } from "../engine/types.ts";
import { withSlashes } from "../files.ts";
import { buildNetwork } from "../nn/mod.ts";
import { readBest, readChosenCheckpoint } from "../run/best_checkpoint.ts";
import { readDataRecord } from "../run/data_record.ts";
import { findRun, readRunConfig } from "../run/run_folder.ts";
import {
  type ExportedRun,
  exportGenerator,
  type GeneratorExportOptions,
  type TrainedGenerator,
} from "./export_generator.ts";

/** How to export a run. */
export interface ExportRunOptions extends GeneratorExportOptions {
  /** The folder of all runs, for a run that is named by its number. Default `runs`. */
  runsFolder?: string;
}

/**
 * Exports a run's generator; EMA weights where the run keeps them.
 * @param run a run's folder, its name or number in `runsFolder`, or "latest"
 * @throws {UserError} when there is no such run or checkpoint, a layer cannot be exported, or the file's
 * values are too far from the trainer's; nothing is written then
 */
export async function exportRun(run: string, options: ExportRunOptions = {}): Promise<ExportedRun> {
  const folder = await findRun(run, options.runsFolder ?? "runs");
  return await exportFolder(folder, options);
}

/**
 * Exports the generator of a run's folder.
 * @param options.engine computes the trainer's values. Default: the best that is there
 */
export async function exportFolder(
  folder: string,
  options: GeneratorExportOptions & { engine?: Engine } = {},
): Promise<ExportedRun> {
  const trained = await readTrainedGenerator(folder, options);
  return await exportGenerator(
    trained,
    withSlashes(options.out ?? `${folder}/generator.onnx`),
    options,
  );
}

async function readTrainedGenerator(
  path: string,
  options: GeneratorExportOptions,
): Promise<TrainedGenerator> {
  const config = await readRunConfig(path);
  const folder = `${path}/checkpoints`;
  const usual = config.evaluation?.export === "best" && await readBest(folder) ? "best" : "last";
  const { checkpoint = usual, onWarning } = options;
  const { state, step } = await readChosenCheckpoint(folder, checkpoint, { onWarning });
  const { classNames, columns } = await readDataRecord(path);
  const generator = buildNetwork({ ...config.generator, classCount: classNames?.length });
  return {
    name: path,
    config,
    generator,
    classNames: classNames ?? undefined,
    columnNames: columnNames(columns),
    columnUnits: unitsOf({ columns }),
    state,
    step,
  };
}
