/** From a source to a generator that is ready to run, step by step and with progress. */
import {
  type Assumptions,
  type DescribedGenerator,
  describeGenerator,
  type GeneratorInfo,
  type OutputSpec,
  shapedOutput,
} from "./generator_info.ts";
import { readModelFile } from "./model_file.ts";
import { openRuntime, type Runtime, type RuntimeOptions, runZeros } from "./runtime.ts";
import { type ModelSource, readSource, type SourceOptions } from "./source.ts";

/** How far {@linkcode Sampler.load} is. */
export interface LoadProgress {
  /**
   * `"model"`: its bytes arrive; `"runtime"`: ONNX Runtime starts and makes a session; `"self-test"`;
   * `"ready"`.
   */
  stage: "model" | "runtime" | "self-test" | "ready";
  /** Bytes of the model that are here. */
  loadedBytes: number;
  /** Bytes of the model, or null where the server does not tell. */
  totalBytes: number | null;
}

/** Options of {@linkcode Sampler.load}. */
export interface LoadOptions extends SourceOptions, RuntimeOptions {
  /** Called as the load goes on. */
  onProgress?: (progress: LoadProgress) => void;
  /** Run the file's self-test and refuse a device that does not pass it. Default false. */
  selfTest?: boolean;
  /** What to assume of a file without a manifest. */
  assume?: Assumptions;
}

/**
 * Loads a generator.
 * @param build makes the sampler
 * @throws {UserError} as `Sampler.load`
 */
export async function loadGenerator<S extends { selfTest(): Promise<number> }>(
  source: ModelSource,
  options: LoadOptions,
  build: (info: GeneratorInfo, runtime: Runtime) => S,
): Promise<S> {
  const { signal, onProgress, assume = {} } = options;
  signal?.throwIfAborted();
  const { bytes, name, cache } = await readSource(
    source,
    options,
    (loadedBytes, totalBytes) => onProgress?.({ stage: "model", loadedBytes, totalBytes }),
    (bytes, name) => void describe(bytes, name, assume),
  );
  const report = (stage: LoadProgress["stage"]) =>
    onProgress?.({ stage, loadedBytes: bytes.length, totalBytes: bytes.length });
  signal?.throwIfAborted();
  report("runtime");
  const { input, info } = describe(bytes, name, assume);
  const runtime = await openRuntime(bytes, name, input, options);
  try {
    signal?.throwIfAborted();
    const output = await completeOutput({ info, input }, runtime, assume);
    const sampler = build({ ...info, output, cache }, runtime);
    if (options.selfTest === true) {
      report("self-test");
      await sampler.selfTest();
      signal?.throwIfAborted();
    }
    report("ready");
    return sampler;
  } catch (error) {
    await runtime.release();
    throw error;
  }
}

function describe(
  bytes: Uint8Array,
  name: string,
  assume: Assumptions,
): DescribedGenerator {
  return describeGenerator(readModelFile(bytes, name), name, bytes.length, assume);
}

/** Fills in what a file leaves open about its output, by running it once on zeros. */
async function completeOutput(
  { info, input }: DescribedGenerator,
  runtime: Runtime,
  assume: Assumptions,
): Promise<OutputSpec> {
  const { kind, shape, dtype, range } = info.output;
  if (kind !== undefined && shape !== undefined && dtype !== undefined && range !== undefined) {
    return { kind, shape, dtype, range };
  }
  const raw = await runZeros(runtime, input);
  const found = raw.data instanceof Uint8Array ? "uint8" : "float32";
  return { dtype: found, ...shapedOutput(raw.shape.slice(1), found, assume) };
}
