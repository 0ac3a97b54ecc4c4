/**
 * Finds an ONNX Runtime: onnxruntime-node where its package can be loaded, which is native and fast,
 * else onnxruntime-web, which is WebAssembly and always there.
 */
import type * as Ort from "onnxruntime-web";
import { UserError } from "../../errors.ts";
import { encodeModel } from "../../onnx/protobuf.ts";
import { withRoomyWasmMemory } from "../../wasm_memory.ts";

/** ONNX Runtime's module; both packages have the same API. */
export type OrtModule = typeof Ort;

/** Which ONNX Runtime to use; `"auto"` takes onnxruntime-node where it is there. */
export type RuntimeChoice = "auto" | "node" | "web";

/** A loaded ONNX Runtime. */
export interface OnnxRuntime {
  ort: OrtModule;
  kind: "node" | "web";
  /** Threads that one session uses. */
  threads: number;
  sessionOptions: Ort.InferenceSession.SessionOptions;
  /** For the person at the terminal. */
  description: string;
}

/** Options of {@linkcode loadRuntime}. */
export interface RuntimeOptions {
  /** Default "auto". */
  runtime?: RuntimeChoice;
  /** Default: the number of cores. */
  threads?: number;
}

/**
 * Loads an ONNX Runtime.
 * @throws {UserError} when `runtime: "node"` is asked for and cannot be loaded
 */
export async function loadRuntime(options: RuntimeOptions = {}): Promise<OnnxRuntime> {
  const { runtime = "auto" } = options;
  const threads = options.threads ?? navigator.hardwareConcurrency ?? 1;
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

/** onnxruntime-node, or why it cannot be loaded. */
async function loadNative(): Promise<OrtModule | string> {
  const permission = await Deno.permissions.query({ name: "ffi" });
  if (permission.state !== "granted") return "it needs --allow-ffi";
  // Not a literal, so that nothing downloads the package (hundreds of megabytes) for those without it.
  const specifier = ["onnxruntime", "node"].join("-");
  try {
    return await import(specifier);
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}
