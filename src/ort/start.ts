/**
 * Starts the WebAssembly of a build of onnxruntime-web, once in a process or page, and reports with how
 * many threads. Imports no build, so that the static entry can use it.
 */
import { isStrayThread, withThreadGuard } from "./thread_guard.ts";
import type { OrtModule } from "./types.ts";
import { withRoomyWasmMemory } from "./wasm_memory.ts";

/**
 * The number of threads that a build of onnxruntime-web has started with, or will start with because
 * somebody chose it; undefined where nobody has. ONNX Runtime keeps the number that it starts with in
 * `env.wasm.numThreads`, and later changes of that field have no effect.
 */
function threadsOf({ env }: OrtModule): number | undefined {
  return env.wasm.numThreads || undefined;
}

/** The options of {@linkcode startWeb}. */
export interface WebStartOptions {
  /** Threads to start with, where nothing has been started or chosen before. */
  threads: number;
  /** The bytes of the build's `.wasm`; ONNX Runtime reads them itself where there are none. */
  wasmBinary?: Uint8Array<ArrayBuffer>;
}

/** How a build's WebAssembly has started. */
export interface WebStart {
  /** Threads that all of its sessions have. */
  threads: number;
  /** Why threads could not be started; null where they could. */
  threadFault: string | null;
}

/** Starts that have begun, by the environment of their build. */
const starts = new WeakMap<object, Promise<WebStart>>();

/** Whether a build's WebAssembly has started, or is starting: it needs no `.wasm` any more. */
export function hasStarted(ort: OrtModule): boolean {
  return starts.has(ort.env);
}

/** `y = x`, as an ONNX file: a session of it starts a build and says nothing about any other model. */
const SMALLEST_MODEL = "CAg6OwoQCgF4EgF5IghJZGVudGl0eRIFc3RhcnRaDwoBeBIKCggIARIECgIIAWIPCgF5EgoK" +
  "CAgBEgQKAggBQgIQEQ==";

/**
 * Starts a build's WebAssembly, once in a process or page. Threads that cannot start leave one thread,
 * and a start that fails leaves no worker behind.
 * @throws {Error} as ONNX Runtime does; and in a worker that was meant to be one of its threads
 */
export async function startWeb(ort: OrtModule, options: WebStartOptions): Promise<WebStart> {
  let starting = starts.get(ort.env);
  if (starting === undefined) {
    starting = start(ort, options);
    starts.set(ort.env, starting);
    starting.catch(() => starts.delete(ort.env));
  }
  return await starting;
}

async function start(ort: OrtModule, options: WebStartOptions): Promise<WebStart> {
  if (isStrayThread()) {
    throw new Error("the app's file was started as a thread of ONNX Runtime; it ends here");
  }
  const { wasm } = ort.env;
  wasm.numThreads ||= options.threads;
  if (options.wasmBinary !== undefined) wasm.wasmBinary = options.wasmBinary;
  try {
    const model = Uint8Array.from(atob(SMALLEST_MODEL), (character) => character.charCodeAt(0));
    const { fault } = await withRoomyWasmMemory(() =>
      withThreadGuard(async () => {
        const session = await ort.InferenceSession.create(model, {
          executionProviders: ["wasm"],
          logSeverityLevel: 4,
        });
        await session.release();
      }, { useOneThread: () => wasm.numThreads = 1 })
    );
    return { threads: threadsOf(ort) ?? 1, threadFault: fault };
  } finally {
    wasm.wasmBinary = undefined; // not needed again, and large
  }
}
