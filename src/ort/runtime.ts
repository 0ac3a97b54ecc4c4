/**
 * Opens an ONNX Runtime for everything but the sampler: onnxruntime-node where a person has installed
 * it, which is native and fast, else onnxruntime-web, which is WebAssembly and always there.
 */
import { UserError } from "../errors.ts";
import { loadNative } from "./native.ts";
import type { OrtModule, OrtSessionOptions } from "./types.ts";
import { startWeb } from "./start.ts";
import { importWasmBuild } from "./web.ts";

/** Which ONNX Runtime to use; `"auto"` takes onnxruntime-node where it is there. */
export type RuntimeChoice = "auto" | "node" | "web";

/** A loaded ONNX Runtime. */
export interface OnnxRuntime {
  /** The package's module. */
  ort: OrtModule;
  /** Which package it is. */
  kind: "node" | "web";
  /** Threads that one session uses. */
  threads: number;
  /** For each session. */
  sessionOptions: OrtSessionOptions;
  /** For the person at the terminal: package, version, threads. */
  description: string;
  /** Why an installed onnxruntime-node was not taken; undefined where none is installed. */
  notTaken?: string;
}

/** Steps of a GAN of ordinary size are cut into too small pieces for more threads to help. */
const MAX_THREADS = 16;

/** Options of {@linkcode loadRuntime}. */
export interface LoadRuntimeOptions {
  /** Default "auto". */
  runtime?: RuntimeChoice;
  /**
   * Default: the number of cores, at most 16. onnxruntime-web keeps those that it was started with in
   * this process.
   */
  threads?: number;
}

/**
 * Loads an ONNX Runtime.
 * @throws {UserError} when `runtime: "node"` is asked for and cannot be loaded
 */
export async function loadRuntime(options: LoadRuntimeOptions = {}): Promise<OnnxRuntime> {
  const { runtime = "auto" } = options;
  const threads = options.threads ?? Math.min(MAX_THREADS, navigator.hardwareConcurrency ?? 1);
  let notTaken: string | undefined;
  if (runtime !== "web") {
    const native = await loadNative();
    if ("ort" in native) return describe(native.ort, "node", threads);
    if (runtime === "node") throw new UserError(`Cannot load onnxruntime-node: ${native.missing}`);
    if (native.isInstalled) notTaken = `onnxruntime-node is not used: ${native.missing}`;
  }
  const ort = await importWasmBuild("files");
  const { threads: started } = await startWeb(ort, { threads });
  return { ...describe(ort, "web", started), notTaken };
}

function describe(ort: OrtModule, kind: "node" | "web", threads: number): OnnxRuntime {
  ort.env.logLevel = "error";
  const version = ort.env.versions[kind] ?? ort.env.versions.common;
  return {
    ort,
    kind,
    threads,
    sessionOptions: {
      logSeverityLevel: 3,
      graphOptimizationLevel: "all",
      ...(kind === "node" ? { intraOpNumThreads: threads } : {}),
    },
    description: `onnxruntime-${kind} ${version}, ${threads} thread${threads === 1 ? "" : "s"}`,
  };
}

/**
 * Runs `body`; where ONNX Runtime gets no memory, says so in a sentence.
 * @throws {UserError} in that case; other errors pass
 */
export async function sayingMemory<T>(runtime: OnnxRuntime, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!/failed to allocate|allocation failed|bad_alloc|out of memory|SafeInt/i.test(message)) {
      throw error;
    }
    const bytes = /buffer of size (\d+)/.exec(message)?.[1];
    const wanted = bytes === undefined ? "enough memory" : `${bytes} bytes of memory`;
    throw new UserError(
      `Cannot compute this on the CPU: ${runtime.description} could not get ${wanted}; take a ` +
        "smaller batch or network" +
        (runtime.kind === "web"
          ? ", or install onnxruntime-node, which may use more than 4 GiB"
          : ""),
      { cause: error },
    );
  }
}
