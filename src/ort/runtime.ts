/**
 * Finds an ONNX Runtime: onnxruntime-node where a person has installed it, which is native and fast,
 * else onnxruntime-web, which is WebAssembly and always there.
 */
import type * as Ort from "onnxruntime-web";
import { UserError } from "../errors.ts";
import { encodeModel } from "../graph/protobuf.ts";
import { withRoomyWasmMemory } from "./wasm_memory.ts";

/** ONNX Runtime's module; both packages have the same API. */
export type OrtModule = typeof Ort;

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
  sessionOptions: Ort.InferenceSession.SessionOptions;
  /** For the person at the terminal. */
  description: string;
}

/** Steps of a GAN of ordinary size are cut into too small pieces for more threads to help. */
const MAX_THREADS = 16;

/** Options of {@linkcode loadRuntime}. */
export interface RuntimeOptions {
  /** Default "auto". */
  runtime?: RuntimeChoice;
  /** Default: the number of cores, at most 16. */
  threads?: number;
}

/**
 * Loads an ONNX Runtime.
 * @throws {UserError} when `runtime: "node"` is asked for and cannot be loaded
 */
export async function loadRuntime(options: RuntimeOptions = {}): Promise<OnnxRuntime> {
  const { runtime = "auto" } = options;
  const threads = options.threads ?? Math.min(MAX_THREADS, navigator.hardwareConcurrency ?? 1);
  if (runtime !== "web") {
    const native = await loadNative();
    if (typeof native !== "string") return describe(native, "node", threads);
    if (runtime === "node") throw new UserError(`Cannot load onnxruntime-node: ${native}`);
  }
  const ort = await import("onnxruntime-web");
  const { wasm } = ort.env;
  if (!webStarted) {
    wasm.numThreads = threads;
    // The first session starts the threads, and fixes their number for this process.
    await withRoomyWasmMemory(() => ort.InferenceSession.create(emptyModel()));
    webStarted = true;
  }
  return describe(ort, "web", wasm.numThreads ?? threads);
}

let webStarted = false;

/** The smallest model: it gives its input back. */
function emptyModel(): Uint8Array {
  const value = (name: string) => ({ name, dtype: "float32" as const, dims: [1] });
  return encodeModel({
    graph: {
      name: "empty",
      nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
      inputs: [value("x")],
      outputs: [value("y")],
      initializers: [],
    },
    opset: 17,
    irVersion: 8,
    producer: "ganforge",
    producerVersion: "",
  });
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
 * onnxruntime-node, or why it cannot be loaded.
 *
 * It is looked for in `node_modules` folders only, beside this file and in the working directory, and
 * is no dependency of this project: named in an import map, a lock file or a dynamic import, Deno would
 * download its 290 MB for everyone.
 */
async function loadNative(): Promise<OrtModule | string> {
  const { createRequire } = await import("node:module");
  let reason = "there is no such package";
  for (const place of [() => import.meta.url, () => `file://${Deno.cwd()}/`]) {
    try {
      return createRequire(place())("onnxruntime-node");
    } catch (error) {
      const message = (error as Error).message.split("\n")[0];
      if (!/^Cannot find module|must be a file URL/.test(message)) reason = message;
    }
  }
  return `${reason}; npm install --no-save --ignore-scripts onnxruntime-node@${NATIVE_VERSION} makes it ` +
    "available, and it needs --allow-ffi"; // its script fetches CUDA's part, which is of no use here
}

/** The version that this project is tested with: the web package's. */
const NATIVE_VERSION = "1.30.0";

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
      `Cannot compute this on the processor: ${runtime.description} could not get ${wanted}; take a ` +
        "smaller batch or network" +
        (runtime.kind === "web"
          ? ", or install onnxruntime-node, which may use more than 4 GiB"
          : ""),
      { cause: error },
    );
  }
}
