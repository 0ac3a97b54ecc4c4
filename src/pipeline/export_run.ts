/** `generator.onnx` of a run: exported, compared with the trainer, and only then written. */
import type { CheckpointChoice } from "../config/evaluation.ts";
import type { RunConfig } from "../config/run_config.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { buildNetwork, type Network } from "../nn/mod.ts";
import { type ExportDtype, type ExportedModel, exportOnnx } from "../export/export.ts";
import { checkParity, type Parity } from "../export/parity.ts";
import type { ReportedExport } from "../report/run_report.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import { readBest, readChosenCheckpoint } from "../run/best_checkpoint.ts";
import { readDataRecord } from "../run/data_record.ts";
import { readRunConfig } from "../run/run_folder.ts";
import { compileNetwork, generatorWeights } from "../evaluation/generate.ts";
import type { FinishedRun } from "./train_run.ts";

/** How to export a run. */
export interface ExportRunOptions {
  /** The file to write. Default `generator.onnx` in the run's folder. */
  out?: string;
  /**
   * Which checkpoint: the best that an evaluation found, the last, or that of a step. Default: the last,
   * or what the run's `evaluation.export` says.
   */
  checkpoint?: CheckpointChoice | number;
  /** How weights are kept and computed with. Default "fp32". */
  dtype?: ExportDtype;
  /** How images leave the file. Default "float". */
  output?: "float" | "uint8";
  /** The version of ONNX' operators, 13 to 21. Default 17. */
  opset?: number;
  /** What you say about using the weights; goes into the file. */
  licence?: string;
  /** More bytes of weights than this go into a second file beside it. Default nearly 2 GiB. */
  externalDataAbove?: number;
  /** @internal The engine that computes the trainer's numbers. Default: the run's own, or the best that is there. */
  engine?: Engine;
  /** Told of what is wrong but does not stop the export. */
  onWarning?: (message: string) => void;
}

/** What an export wrote. */
export interface ExportedRun {
  /** The ONNX file. */
  path: string;
  /** Training steps that its weights have seen. */
  step: number;
  /** Of all files that were written. */
  sizeBytes: number;
  /** The version of ONNX' operators. */
  opset: number;
  /** How weights are kept and computed with. */
  dtype: ExportDtype;
  /** How far the file is from the trainer. */
  parity: Parity;
  /** How many operations the graph has. */
  nodes: number;
  /** How many of them are Transpose. */
  transposes: number;
  /** For `report.md`. */
  reported: ReportedExport;
}

/** What an export needs of a run. */
interface RunToExport {
  path: string;
  config: RunConfig;
  generator: Network;
  classNames: readonly string[] | undefined;
  state: HostTensors;
  step: number;
}

/**
 * The largest difference from the trainer that an export may have. Float32 differs by rounding alone.
 * Halves and 8-bit weights are meant to differ: their figures are reported for the user to judge, and
 * this tolerance only catches a file that is broken, as a few steep places may change much.
 */
const TOLERANCES: Record<ExportDtype, number> = { fp32: 1e-5, fp16: 0.1, int8: 1 };

/** What rounded weights may change on average: about five times what they do to the presets. */
const MEAN_TOLERANCES: Partial<Record<ExportDtype, number>> = { fp16: 0.003, int8: 0.05 };

/** Float32 on a GPU: WGSL allows its exp and tanh errors of several units in the last place. */
const GPU_TOLERANCE = 1e-4;

/** The same in grey levels, of which one may be a matter of rounding. */
const LEVEL_TOLERANCES: Record<ExportDtype, number> = { fp32: 1, fp16: 13, int8: 128 };

/** See {@linkcode MEAN_TOLERANCES}; half a level may come from rounding to levels. */
const MEAN_LEVEL_TOLERANCES: Partial<Record<ExportDtype, number>> = { fp16: 1, int8: 7 };

/**
 * Exports a run's generator; the average of its weights where the run keeps one.
 * @param source a run's folder, or a run that has just ended and whose last state is at hand
 * @throws {UserError} when there is no such checkpoint, a layer cannot be exported, or the file's numbers are
 * too far from the trainer's; nothing is written then
 */
export async function exportRun(
  source: string | FinishedRun,
  options: ExportRunOptions = {},
): Promise<ExportedRun> {
  const run = typeof source === "string"
    ? await readRun(source, options)
    : await finishedRun(source, options);
  const { config, generator, classNames, state } = run;
  const { dtype = "fp32", output = "float", opset, licence } = options;
  const path = options.out ?? `${run.path}/generator.onnx`;
  if (!/[^/]\.onnx$/i.test(path)) {
    throw new UserError(`Cannot export to ${path}: expected a name that ends in .onnx`);
  }
  const weights = generatorWeights(state);
  checkWeights(generator, weights, run.path);
  const isImage = generator.outputShape.length === 3;
  if (output === "uint8" && !isImage) {
    throw new UserError(
      `Cannot export ${run.path} with --output uint8: its generator makes points of ` +
        `${generator.outputShape.join(" x ")} numbers, not images`,
    );
  }
  const model = await exportOnnx({ spec: generator.spec, weights }, {
    opset,
    dtype,
    output,
    externalDataAbove: options.externalDataAbove,
    externalDataName: `${path.slice(path.lastIndexOf("/") + 1)}.data`,
    generator: {
      distribution: config.latent.distribution,
      classNames,
      preset: config.preset,
      step: run.step,
      licence,
    },
  });

  await using cleanup = new AsyncDisposableStack();
  const own = options.engine ?? (typeof source === "string" ? undefined : source.engine);
  const engine = own ?? (await openEngine("auto")).engine;
  if (!own) cleanup.defer(() => engine.dispose());
  const runner = await compileNetwork(engine, generator, 64);
  cleanup.defer(() => runner.dispose());
  const parity = await checkParity(
    model,
    (latents, labels, seeds) => runner.run(weights, latents, { labels, seeds }),
    {
      seed: run.step,
      tolerance: toleranceFor(dtype, output, engine),
      meanTolerance: (output === "uint8" ? MEAN_LEVEL_TOLERANCES : MEAN_TOLERANCES)[dtype],
    },
  );
  await writeModel(path, model);
  const { sizeBytes, nodes, transposes } = model;
  return {
    path,
    step: run.step,
    sizeBytes,
    opset: model.opset,
    dtype,
    parity,
    nodes,
    transposes,
    reported: {
      file: path.startsWith(`${run.path}/`) ? path.slice(run.path.length + 1) : path,
      sizeBytes,
      opset: model.opset,
      parity,
      step: run.step,
    },
  };
}

function toleranceFor(dtype: ExportDtype, output: "float" | "uint8", engine: Engine): number {
  if (output === "uint8") return LEVEL_TOLERANCES[dtype];
  return dtype === "fp32" && engine.name.includes("webgpu") ? GPU_TOLERANCE : TOLERANCES[dtype];
}

async function finishedRun(
  run: FinishedRun,
  { checkpoint = "last" }: ExportRunOptions,
): Promise<RunToExport> {
  const { config, data, folder, trainingStep, result } = run;
  const { state, step } = checkpoint === "last"
    ? result
    : await readChosenCheckpoint(folder.checkpoints, checkpoint);
  return {
    path: folder.path,
    config,
    generator: trainingStep.generator,
    classNames: data.classNames,
    state,
    step,
  };
}

async function readRun(path: string, options: ExportRunOptions): Promise<RunToExport> {
  const config = await readRunConfig(path);
  const folder = `${path}/checkpoints`;
  const usual = config.evaluation?.export === "best" && await readBest(folder) ? "best" : "last";
  const { checkpoint = usual, onWarning } = options;
  const { state, step } = await readChosenCheckpoint(folder, checkpoint, {
    onWarning,
  });
  const { classNames } = await readDataRecord(path);
  const generator = buildNetwork({ ...config.generator, classCount: classNames?.length });
  return { path, config, generator, classNames: classNames ?? undefined, state, step };
}

function checkWeights(generator: Network, weights: HostTensors, path: string): void {
  for (const { name, shape } of generator.parameters) {
    const found = weights[name];
    if (found !== undefined && found.shape.join() === shape.join()) continue;
    throw new UserError(
      `Cannot export ${path}: its checkpoint has ${
        found ? `[${found.shape}]` : "nothing"
      } for the generator's ${name} of shape [${shape}]; config.json is not the one that it was ` +
        "trained with",
    );
  }
}

/** Writes the file, and before it the one with its weights where they are apart. */
async function writeModel(path: string, { bytes, externalData }: ExportedModel): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  if (externalData) {
    const folder = path.slice(0, slash + 1);
    await writeFileAtomically(`${folder}${externalData.location}`, externalData.parts);
  }
  await writeFileAtomically(path, bytes);
}
