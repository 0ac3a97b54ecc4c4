/** A generator as an ONNX file: exported, compared with the trainer, and only then written. */
import type { CheckpointChoice } from "../config/evaluation.ts";
import type { RunConfig } from "../config/types.ts";
import { openEngine } from "../engine/open.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { compileNetwork, generatorWeights } from "../evaluation/generate.ts";
import type { ColumnUnits } from "../export/compare.ts";
import type { ExportDtype } from "../export/dtypes.ts";
import { type ExportedGenerator, exportOnnx } from "../export/export.ts";
import { LEVEL_TOLERANCES, TOLERANCES } from "../export/tolerances.ts";
import { checkParity, type Parity } from "../export/parity.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import type { Network } from "../nn/mod.ts";

/** How to export a generator. */
export interface GeneratorExportOptions {
  /** The file to write; needed for a run in memory. Default `generator.onnx` in the run's folder. */
  out?: string;
  /**
   * Which checkpoint: the best by the evaluations, the last, or that of a step. Default: what the run's
   * `evaluation.export` says, else the last.
   */
  checkpoint?: CheckpointChoice | number;
  /** How weights are kept and computed with. Default "fp32". */
  dtype?: ExportDtype;
  /** How images leave the file. Default "float". */
  output?: "float" | "uint8";
  /** The version of ONNX' operators, 13 to 21. Default 17. */
  opset?: number;
  /** What you say about using the weights; goes into the file. */
  license?: string;
  /** More bytes of weights than this go into a second file beside it. Default nearly 2 GiB. */
  externalDataAbove?: number;
  /** Something is wrong that the export survives. */
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
}

/** A trained generator, and what its file says about it. */
export interface TrainedGenerator {
  /** Names the run in messages. */
  name: string;
  config: Pick<RunConfig, "latent" | "preset">;
  generator: Network;
  classNames: readonly string[] | undefined;
  /** What the values of a sample of points are called, where the data have names for them. */
  columnNames: readonly string[] | undefined;
  /** The units of standardized columns, which the file gives; undefined where the network has them. */
  columnUnits: readonly ColumnUnits[] | undefined;
  state: HostTensors;
  step: number;
}

/** Float32 on a GPU: WGSL allows its exp and tanh errors of several units in the last place. */
const GPU_TOLERANCE = 1e-4;

/**
 * The model of a generator; EMA weights where the run keeps them. Nothing is written.
 * @param name of the file that it will have
 * @throws {UserError} when a layer or an option cannot be exported
 */
export async function exportModel(
  { name: run, config, generator, classNames, columnNames, columnUnits, state, step }:
    TrainedGenerator,
  options: GeneratorExportOptions = {},
): Promise<ExportedGenerator> {
  const { dtype = "fp32", output = "float", opset, license, out = "generator.onnx" } = options;
  const weights = generatorWeights(state);
  checkWeights(generator, weights, run);
  const isImage = generator.outputShape.length === 3;
  if (output === "uint8" && !isImage) {
    throw new UserError(
      `Cannot export ${run} with --output uint8: its generator makes points of ` +
        `${generator.outputShape.join(" x ")} values, not images`,
    );
  }
  return await exportOnnx({ spec: generator.spec, weights }, {
    opset,
    dtype,
    output,
    check: false, // a run's file is compared with its trainer, in exportGenerator()
    externalDataAbove: options.externalDataAbove,
    externalDataName: `${out.slice(out.lastIndexOf("/") + 1)}.data`,
    generator: {
      distribution: config.latent.distribution,
      classNames,
      columnNames,
      columnUnits,
      preset: config.preset,
      step,
      license,
    },
  });
}

/**
 * Writes a generator's file after comparing it with the trainer.
 * @param options.engine computes the trainer's values. Default: the best that is there
 * @throws {UserError} when a layer cannot be exported, or the file's values are too far from the
 * trainer's; nothing is written then
 */
export async function exportGenerator(
  trained: TrainedGenerator,
  path: string,
  options: GeneratorExportOptions & { engine?: Engine },
): Promise<ExportedRun> {
  if (!/[^/]\.onnx$/i.test(path)) {
    throw new UserError(`Cannot export to ${path}: expected a name that ends in .onnx`);
  }
  const { dtype = "fp32", output = "float" } = options;
  const model = await exportModel(trained, { ...options, out: path });
  await using cleanup = new AsyncDisposableStack();
  const engine = options.engine ?? (await openEngine("auto")).engine;
  if (!options.engine) cleanup.defer(() => engine.dispose());
  const runner = await compileNetwork(engine, trained.generator, 64);
  cleanup.defer(() => runner.dispose());
  const weights = generatorWeights(trained.state);
  const parity = await checkParity(
    model,
    (latents, labels, seeds) => runner.run(weights, latents, { labels, seeds }),
    {
      seed: trained.step,
      tolerance: toleranceFor(dtype, output, engine),
      columnUnits: trained.columnUnits,
      meanTolerance: (output === "uint8" ? LEVEL_TOLERANCES : TOLERANCES)[dtype].mean,
    },
  );
  await writeModel(path, model);
  const { sizeBytes, opset, nodes, transposes } = model;
  return { path, step: trained.step, sizeBytes, opset, dtype, parity, nodes, transposes };
}

function toleranceFor(dtype: ExportDtype, output: "float" | "uint8", engine: Engine): number {
  if (output === "uint8") return LEVEL_TOLERANCES[dtype].largest;
  return dtype === "fp32" && engine.name.includes("webgpu")
    ? GPU_TOLERANCE
    : TOLERANCES[dtype].largest;
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
async function writeModel(path: string, { bytes, externalData }: ExportedGenerator): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  if (externalData) {
    const folder = path.slice(0, slash + 1);
    await writeFileAtomically(`${folder}${externalData.location}`, externalData.parts);
  }
  await writeFileAtomically(path, bytes);
}
