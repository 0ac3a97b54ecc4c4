/** From a source to a generator that is ready to run, step by step and with progress. */
import { isTranslatorManifest } from "../model_manifest.ts";
import type { Assumptions, OutputPlan } from "./assumptions.ts";
import type { FeedSpec, GeneratorInputSpec } from "./generator_inputs.ts";
import {
  type DescribedGenerator,
  describeGenerator,
  type GeneratorInfo,
  type OutputSpec,
  readManifest,
  shapedOutput,
} from "./generator_info.ts";
import { UserError } from "../errors.ts";
import { sha256Hex } from "../bytes.ts";
import { type ModelFile, readModelFile } from "./model_file.ts";
import { openRuntime, type RuntimeOptions } from "./runtime.ts";
import { type ModelBytes, type RawOutput, type Runtime, runZeros } from "./session.ts";
import { type LoadedSource, type ModelSource, readSource, type SourceOptions } from "./source.ts";

import { runBlack, trialSize } from "./translate/trial.ts";
import type { Translator } from "./translate/translate.ts";
import {
  type DescribedTranslator,
  describeForeignTranslator,
  describeOwnTranslator,
  looksLikeTranslator,
  outputOfRun,
  type TranslatorInfo,
} from "./translate/translator_info.ts";

/** WebAssembly's memory ends here; protobuf's limit is none of files of plain weights. */
const MAX_BYTES_WITH_WEIGHTS = 2 ** 32;

/** How far {@linkcode Sampler.load} is. */
export interface LoadProgress {
  /**
   * `"model"`: its bytes arrive; `"runtime"`: those of ONNX Runtime's `.wasm` do, which the first load of
   * a process or page fetches; `"start"`: ONNX Runtime starts and makes a session; `"self-test"`;
   * `"ready"`.
   */
  stage: "model" | "runtime" | "start" | "self-test" | "ready";
  /** Bytes that are here: of the `.wasm` at `"runtime"`, of the model otherwise. */
  loadedBytes: number;
  /** All bytes of the same file, or null where the server does not tell. */
  totalBytes: number | null;
}

/** Options of {@linkcode Sampler.load}. */
export interface LoadOptions extends SourceOptions, RuntimeOptions {
  /** Called as the load goes on. */
  onProgress?: (progress: LoadProgress) => void;
  /**
   * Whether to run the file's self-test before the sampler is handed out. By default on WebGPU alone,
   * where the file has one. On device "auto", wasm takes the place of a WebGPU that does not pass.
   */
  selfTest?: boolean;
  /** What to assume of a file without a manifest. */
  assume?: Assumptions;
}

/** A generator that is ready: what a sampler is made of. */
export interface LoadedGenerator {
  /** How its inputs are fed. */
  input: GeneratorInputSpec;
  /** How its output becomes samples. */
  plan: OutputPlan;
  /** Inputs besides latent and label. */
  feeds: readonly FeedSpec[];
  /** Their values where a request gives none. */
  defaults: DescribedGenerator["defaults"];
}

/** A file that is ready: what a sampler is made of. */
export interface LoadedFile {
  info: GeneratorInfo;
  runtime: Runtime;
  /** One of the two, and null. */
  generator: LoadedGenerator | null;
  translator: Translator | null;
}

/**
 * Loads a file.
 * @param build makes the sampler
 * @throws {UserError} as `Sampler.load`
 */
export async function loadFile<S extends { selfTest(): Promise<number> }>(
  source: ModelSource,
  options: LoadOptions,
  build: (loaded: LoadedFile) => S,
): Promise<S> {
  const { signal, onProgress, assume = {} } = options;
  signal?.throwIfAborted();
  const loaded = await readSource(
    source,
    options,
    (loadedBytes, totalBytes) => onProgress?.({ stage: "model", loadedBytes, totalBytes }),
    (bytes, name) => void describe(bytes, name, assume),
  );
  const { bytes, name, cache } = loaded;
  const { file, described } = describe(bytes, name, assume);
  const { weightFiles } = file;
  let sizeBytes = bytes.length;
  const model: ModelBytes = { bytes, weights: await readWeights(loaded, weightFiles, options) };
  sizeBytes = model.weights.reduce((sum, { data }) => sum + data.length, bytes.length);
  const report = (stage: LoadProgress["stage"]) =>
    onProgress?.({ stage, loadedBytes: sizeBytes, totalBytes: sizeBytes });
  signal?.throwIfAborted();
  const open = async (device: RuntimeOptions["device"], reason: string | null) => {
    const runtime = await openRuntime(model, name, (made) => tryOut(described, made), {
      ...options,
      device,
      onBytes: (loadedBytes, totalBytes) =>
        onProgress?.({ stage: "runtime", loadedBytes, totalBytes }),
      onStart: () => report("start"),
    }, reason);
    try {
      signal?.throwIfAborted();
      const loadedModel = "input" in described
        ? await completeGenerator(described, runtime, { assume, cache, sizeBytes })
        : await completeTranslator(described, runtime, { assume, cache, sizeBytes, file, name });
      const sampler = build(loadedModel);
      const { manifest, translator } = loadedModel.info;
      const hasTest = manifest !== null || (translator?.manifest ?? null) !== null;
      const isDue = options.selfTest ?? (runtime.device.name === "webgpu" && hasTest);
      if (isDue) {
        report("self-test");
        await sampler.selfTest();
        signal?.throwIfAborted();
      }
      return sampler;
    } catch (error) {
      await runtime.release();
      const isReplaceable = device === "auto" && runtime.device.name === "webgpu";
      if (!isReplaceable || signal?.aborted) throw error;
      return await open("wasm", `WebGPU fails: ${(error as Error).message}`);
    }
  };
  const sampler = await open(options.device ?? "auto", null);
  report("ready");
  return sampler;
}

function describe(
  bytes: Uint8Array,
  name: string,
  assume: Assumptions,
): { file: ModelFile; described: DescribedGenerator | DescribedTranslator } {
  const file = readModelFile(bytes, name);
  const manifest = readManifest(file, name);
  if (isTranslatorManifest(manifest)) {
    return { file, described: describeOwnTranslator(file, name, manifest) };
  }
  const isForeign = manifest === null && assume.latent === undefined && looksLikeTranslator(file);
  return {
    file,
    described: isForeign
      ? describeForeignTranslator(file, name, assume)
      : describeGenerator(file, name, bytes.length, assume),
  };
}

/** A first run, which shows whether a device can. */
async function tryOut(
  described: DescribedGenerator | DescribedTranslator,
  runtime: Runtime,
): Promise<RawOutput> {
  return "input" in described
    ? await runZeros(runtime, described.input)
    : await runBlack(runtime, described);
}

/** The files beside a model that hold its weights ("external data"), got from where the model was. */
async function readWeights(
  { name, bytes, beside }: LoadedSource,
  files: ModelFile["weightFiles"],
  options: LoadOptions,
): Promise<ModelBytes["weights"]> {
  const weights: ModelBytes["weights"] = [];
  if (files.size === 0) return weights;
  const { sha256: _ofTheModel, maxBytes = MAX_BYTES_WITH_WEIGHTS, ...rest } = options;
  // Where there is no hash there is no cache either.
  const model = options.cache === undefined ? undefined : await sha256Hex(bytes).catch(() => "");
  let before = bytes.length;
  for (const [path, minBytes] of files) {
    if (beside === null) {
      throw new UserError(
        `Cannot load ${name}: its weights lie in another file, ${path}; load the model by its path or ` +
          "URL, with that file beside it, or save it as one file",
      );
    }
    const progress = (loadedBytes: number, totalBytes: number | null) =>
      options.onProgress?.({
        stage: "model",
        loadedBytes: before + loadedBytes,
        totalBytes: totalBytes === null ? null : before + totalBytes,
      });
    const ofWeights = { ...rest, maxBytes: maxBytes - before, model };
    const { bytes: data } = await readSource(beside(path), ofWeights, progress, (found, file) => {
      if (found.length >= minBytes) return;
      throw new UserError(
        `Cannot load ${file}: it has ${found.length} bytes, and ${name} needs ${minBytes} of it`,
      );
    });
    weights.push({ path, data });
    before += data.length;
  }
  return weights;
}

/** Fills in what a file leaves open about its output, by running it once on zeros. */
async function completeGenerator(
  { info, input, plan, defaults }: DescribedGenerator,
  runtime: Runtime,
  { assume, cache, sizeBytes }: { assume: Assumptions; cache: string; sizeBytes: number },
): Promise<LoadedFile> {
  const complete = (output: OutputSpec, ofRun: OutputPlan, guesses: string[]): LoadedFile => ({
    info: { ...info, sizeBytes, output, warnings: [...info.warnings, ...guesses], cache },
    runtime,
    generator: { input, plan: ofRun, feeds: input.feeds, defaults },
    translator: null,
  });
  const { kind, shape, dtype, range } = info.output;
  const isKnown = kind !== undefined && shape !== undefined && dtype !== undefined;
  if (isKnown && range !== undefined && plan !== null) {
    return complete({ kind, shape, dtype, range }, plan, []);
  }
  const raw = await runZeros(runtime, input);
  const found = raw.data instanceof Uint8Array ? "uint8" : "float32";
  const { spec, plan: ofRun, guesses } = shapedOutput(raw.shape.slice(1), found, {
    name: info.name,
    assume,
  });
  return complete({ dtype: found, ...spec }, ofRun, guesses);
}

/** Fills in what a file of another program leaves open about its output, by running it once on black. */
async function completeTranslator(
  described: DescribedTranslator,
  runtime: Runtime,
  { assume, cache, sizeBytes, file, name }: {
    assume: Assumptions;
    cache: string;
    sizeBytes: number;
    file: ModelFile;
    name: string;
  },
): Promise<LoadedFile> {
  const { info: { input, output: known, reach, manifest }, plan, warnings } = described;
  const found = known !== null
    ? { output: known, outputLast: false }
    : outputOfRun((await runBlack(runtime, described)).shape, trialSize(described.info), {
      name,
      range: assume.range ?? input.range,
      last: plan.outputLast,
    });
  const translator: TranslatorInfo = { input, output: found.output, reach, manifest };
  const { channels, factor, range } = found.output;
  return {
    runtime,
    generator: null,
    translator: {
      name,
      info: translator,
      plan: { ...plan, outputLast: found.outputLast },
      runtime,
    },
    info: {
      name,
      sizeBytes,
      producer: manifest?.producer ?? file.producer,
      opset: file.opset,
      latent: { dimension: 0, distribution: "normal" },
      noise: plan.noise?.size ?? 0,
      output: {
        kind: "image",
        shape: [channels, factor * (input.height ?? 0), factor * (input.width ?? 0)],
        dtype: "float32",
        range,
      },
      conditional: false,
      classNames: null,
      feeds: [],
      fixedBatch: plan.fixedBatch,
      warnings,
      manifest: null,
      translator,
      table: null,
      vocabulary: null,
      cache,
    },
  };
}
