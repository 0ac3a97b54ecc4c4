/**
 * Evaluates an exported generator: what `deno task evaluate` calls. Samples come through the sampler from
 * the file that users get, so that what is measured is what is shipped.
 */
import { type DataSpec, shortSize, TOY_SOURCES, withDataPath } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { DataProgress } from "../data/progress.ts";
import { openDataSource, type OpenOptions } from "../data/open.ts";
import type { DataSource } from "../data/source.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { UserError } from "../errors.ts";
import { type Assumptions, type GeneratorInfo, Sampler } from "../sampler/mod.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import { readDataRecord } from "../run/data_record.ts";
import { cacheOptions } from "./open_data.ts";
import { rankZeroFirst } from "./ranks.ts";
import { findGenerator } from "../run/find_generator.ts";
import { readRunConfig } from "../run/run_folder.ts";
import { evaluateImages } from "../evaluation/evaluate_images.ts";
import { evaluatePoints } from "../evaluation/evaluate_points.ts";
import type { Evaluation } from "../evaluation/evaluation.ts";
import type { NeighborImages } from "../evaluation/likeness.ts";
import { toRasters } from "../report/image_grid.ts";
import { labeledGrid } from "../report/labeled_grid.ts";

/** How to measure. */
export interface RunEvaluationOptions {
  /**
   * Samples. Default: the data's count, at most 5,000, or 10,000 with an extractor's file; 100,000 for
   * 1-D points, 2,500 for known modes.
   */
  count?: number;
  /** The seed of the first sample; the others have the next. Default 0. */
  seed?: number;
  /** An ONNX file to take features from. Default: networks of the project's own. */
  features?: string;
  /** The neighbor that sets the radius in precision and recall. Default 5. */
  k?: number;
  /** The class of all samples, by number or name. Default: those of the data, else by seed. */
  label?: number | string;
  /** What to assume of a file of another program. */
  assume?: Assumptions;
  /** A JSON file for the figures. Default: none is written. */
  out?: string;
  /** What is being done. */
  onStage?: (what: string) => void;
  /** The processes that share the work out, from `openCommunicator()`; rank 0 writes. Default: this one alone. */
  ranks?: Communicator;
}

/** What to evaluate, and how. */
export interface EvaluateOptions extends RunEvaluationOptions {
  /** The folder of all runs. Default `runs`. */
  runsFolder?: string;
  /** The folder of decoded data, or null to decode each time. Default: `cache` beside the folder of runs. */
  cacheFolder?: string | null;
  /**
   * What to compare with: files, the name of data that the project generates, or a data source. Default:
   * the run's own data.
   */
  data?: string | DataSource;
  /** Images of the data are being looked at, and then decoded. */
  onLoading?: (progress: DataProgress) => void;
  /** The data are open. */
  onData?: (data: DataSource, model: string) => void;
  /** Stops the opening of the data. */
  signal?: AbortSignal;
}

/** An evaluation and the files that it wrote. */
export interface EvaluatedRun {
  /** As it is in the JSON. */
  evaluation: Evaluation;
  /** The JSON, and for images a grid of the nearest training images. */
  files: string[];
}

/** An evaluation, and the images that it shows. */
export interface MeasuredGenerator {
  evaluation: Evaluation;
  neighbors: NeighborImages | undefined;
}

/**
 * Measures an exported generator against its data; docs/measures.md explains each figure.
 * @param target a run's folder, name or number, `latest`, or a path that ends in `.onnx`
 * @throws {UserError} when the run, the file, the data or the extractor cannot be used or do not fit
 */
export async function evaluate(
  target: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { measured } = await measureTarget(target, options);
  const isWriter = (options.ranks?.rank ?? 0) === 0;
  if (options.out !== undefined && isWriter) await writeEvaluation(measured, options.out);
  return measured.evaluation;
}

/**
 * As {@linkcode evaluate}, and always writes the figures: to `out`, else to `evaluation.json` beside the
 * generator.
 */
export async function evaluateRun(
  target: string,
  options: EvaluateOptions = {},
): Promise<EvaluatedRun> {
  const { measured, model } = await measureTarget(target, options);
  const beside = `${model.slice(0, model.lastIndexOf("/") + 1)}evaluation.json`;
  const isWriter = (options.ranks?.rank ?? 0) === 0;
  const files = isWriter ? await writeEvaluation(measured, options.out ?? beside) : [];
  return { evaluation: measured.evaluation, files };
}

async function measureTarget(
  target: string,
  options: EvaluateOptions,
): Promise<{ measured: MeasuredGenerator; model: string }> {
  const { runsFolder = "runs" } = options;
  const { model, run } = await findGenerator(target, { runsFolder, purpose: "evaluate" });
  const config = run === undefined ? undefined : await readRunConfig(run);
  await using sampler = await Sampler.load(model, { assume: options.assume });
  const { spec, data } = await rankZeroFirst(
    options.ranks,
    () =>
      openComparison(model, sampler.info, {
        config,
        given: options.data,
        opening: {
          signal: options.signal,
          onProgress: options.onLoading,
          ...cacheOptions(options.cacheFolder, runsFolder),
        },
      }),
  );
  try {
    options.onData?.(data, model);
    const changed = config && options.data === undefined ? await changedData(model, data) : [];
    const measured = await evaluateSampler(sampler, { ...options, model, data, spec });
    measured.evaluation.warnings.unshift(...changed);
    return { measured, model };
  } finally {
    if (data !== options.data) data.close?.();
  }
}

/** What a sampler is compared with. */
export interface Comparison extends RunEvaluationOptions {
  /** Names the generator: its file, say. */
  model: string;
  data: DataSource;
  /** Where the data come from. */
  spec: DataSpec;
}

/**
 * Measures the samples of a sampler.
 * @throws {UserError} when they have another shape than the data, or an option does not fit the data
 */
export async function evaluateSampler(
  sampler: Sampler,
  comparison: Comparison,
): Promise<MeasuredGenerator> {
  const started = performance.now();
  const { model, data, spec, seed = 0, k = 5, count, features, onStage = () => {} } = comparison;
  checkShapes(model, sampler.info, data);
  if (features !== undefined && data.kind !== "image") {
    throw new UserError(
      `Cannot take features by ${features}: ${model} makes points of ${data.sampleSize} values, and ` +
        "an extractor is for images; leave --features away",
    );
  }
  const { label } = comparison;
  if (label !== undefined && data.kind !== "image") {
    throw new UserError(`Cannot evaluate ${model} with a label: points have none`);
  }
  const { ranks } = comparison;
  const setup = { sampler, data, spec, count, seed, k, features, label, onStage, ranks };
  const { figures, neighbors } = data.kind === "image"
    ? await evaluateImages(setup)
    : { figures: await evaluatePoints(setup), neighbors: undefined };
  const { name, threads } = sampler.device;
  const evaluation: Evaluation = {
    formatVersion: 1,
    model: {
      path: model,
      step: sampler.info.manifest?.step ?? null,
      preset: sampler.info.manifest?.preset ?? null,
      device: name === "wasm" ? `wasm, ${threads} threads` : "WebGPU",
    },
    data: {
      name: data.name,
      description: data.description,
      count: data.count,
      fingerprint: data.fingerprint,
    },
    ...figures,
    warnings: [...sampler.info.warnings, ...figures.warnings],
    seconds: Math.round((performance.now() - started) / 10) / 100,
  };
  return { evaluation, neighbors };
}

/** The data to compare with, opened. */
async function openComparison(
  model: string,
  info: GeneratorInfo,
  { config, given, opening }: {
    config: RunConfig | undefined;
    given: string | DataSource | undefined;
    opening: OpenOptions;
  },
): Promise<{ spec: DataSpec; data: DataSource }> {
  if (typeof given === "object") {
    return { spec: given.spec ?? { source: "memory" }, data: given };
  }
  const spec = await dataFor(model, info, { config, given });
  return { spec, data: await openDataSource(spec, opening) };
}

/** Which data to compare with. */
async function dataFor(
  model: string,
  { output }: GeneratorInfo,
  { config, given }: { config: RunConfig | undefined; given: string | undefined },
): Promise<DataSpec> {
  if (given === undefined) {
    if (config) return config.data;
    throw new UserError(
      `Cannot evaluate ${model} alone: name the data that it was trained on with --data PATH, or evaluate ` +
        "its run, whose config.json names them",
    );
  }
  const synthetic = [...TOY_SOURCES, "digits" as const].find((source) => source === given);
  const isSynthetic = synthetic !== undefined && !(await exists(given));
  if (isSynthetic && synthetic !== "digits") return { source: synthetic };
  const [channels, height, width] = output.shape;
  const shape: Pick<DataSpec, "size" | "channels"> = {};
  if (output.kind === "image") shape.size = shortSize([height, width]);
  if (output.kind === "image" && [1, 3, 4].includes(channels)) {
    shape.channels = channels as 1 | 3 | 4;
  }
  if (isSynthetic) return { source: "digits", ...shape, count: DEFAULTS.data.digitCount };
  if (config) return withDataPath(config.data, given);
  // Arrays of floats cannot be resized, and need not be: they say what they are.
  return { source: "auto", path: given, ...(/\.npy$/i.test(given) ? {} : shape) };
}

/** A warning if a run's data are no longer those that it was trained on. */
async function changedData(model: string, data: DataSource): Promise<string[]> {
  const run = model.slice(0, model.lastIndexOf("/"));
  if (!(await exists(`${run}/data.json`))) return [];
  const { fingerprint } = await readDataRecord(run);
  if (fingerprint === data.fingerprint) return [];
  return ["the data have changed since the generator was trained: their fingerprint is another"];
}

/** What a generator makes must have the shape of the data. */
function checkShapes(model: string, { output }: GeneratorInfo, data: DataSource): void {
  const { shape, kind } = output;
  const made = kind === "image" ? [shape[1], shape[2], shape[0]] : shape;
  const isSame = (kind === "image") === (data.kind === "image") &&
    made.length === data.shape.length && made.every((size, axis) => size === data.shape[axis]);
  if (isSame) return;
  const describe = (sizes: readonly number[], isImage: boolean): string =>
    isImage
      ? `images of ${sizes[1]} x ${sizes[0]} pixels, ${
        sizes[2] === 1 ? "gray" : `${sizes[2]} channels`
      }`
      : `points of ${sizes.join(" x ")} values`;
  throw new UserError(
    `Cannot evaluate ${model} against ${data.name}: it makes ${
      describe(made, kind === "image")
    }, and the data are ${
      describe(data.shape, data.kind === "image")
    }; name its own data with --data`,
  );
}

/**
 * Writes an evaluation as JSON, and the nearest images beside it.
 * @returns the files
 * @throws {UserError} when they cannot be written
 */
export async function writeEvaluation(
  { evaluation, neighbors }: MeasuredGenerator,
  file: string,
): Promise<string[]> {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  if (folder) await ensureFolder(folder);
  const files = [file];
  if (neighbors) {
    files.push(`${folder}neighbors.png`);
    await writeFileAtomically(files[1], await drawNeighbors(neighbors));
  }
  const text = JSON.stringify(evaluation, null, 2) + "\n"; // what is not finite becomes null
  await writeFileAtomically(file, new TextEncoder().encode(text));
  return files;
}

/** An image beside its neighbors must be seen: at least this many pixels wide. */
const MIN_NEIGHBOR_WIDTH = 72;

/** A row for each sample, with its seed; a column for each of its nearest training images. */
async function drawNeighbors({ images, columns, seeds }: NeighborImages): Promise<Uint8Array> {
  const nearest = Array.from(
    { length: columns - 1 },
    (_, i) => i === 0 ? "nearest" : `${i + 1}${["nd", "rd"][i - 1] ?? "th"}`,
  );
  return await labeledGrid(toRasters(images), {
    columns,
    columnNames: ["sample", ...nearest],
    rowNames: seeds.map((seed) => `seed ${seed}`),
    scale: Math.max(1, Math.ceil(MIN_NEIGHBOR_WIDTH / images.width)),
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
