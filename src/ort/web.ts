/**
 * onnxruntime-web, the only place that imports it: which build runs where, and with how many threads
 * its WebAssembly started, which a process or page decides once. Nothing else is imported, so that the
 * sampler can use it in a page.
 *
 * - Deno and Node: the package's root entry, its "node" export, the one whose threads work there.
 * - A page: `/wasm`, which needs no `eval` and so lives with a strict Content-Security-Policy.
 * - WebGPU: `/webgpu`, imported only when it is chosen (its WebAssembly has 27 MB).
 */
import type { OrtModule, OrtSession } from "./types.ts";
import { withRoomyWasmMemory } from "./wasm_memory.ts";

/** Loads the build that computes on the CPU. @param place "files" in Deno and Node, "page" elsewhere */
export async function importWasmBuild(place: "files" | "page"): Promise<OrtModule> {
  // The comments keep bundlers for pages from following the import that only Deno and Node make.
  if (place === "files") {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ "onnxruntime-web");
  }
  return await import("onnxruntime-web/wasm");
}

/** Loads the build that computes on WebGPU. */
export async function importWebGpuBuild(): Promise<OrtModule> {
  return await import("onnxruntime-web/webgpu");
}

/**
 * The number of threads that a build of onnxruntime-web has started with, or will start with because
 * somebody chose it; undefined where nobody has. ONNX Runtime keeps the number that it starts with in
 * `env.wasm.numThreads`, and later changes of that field have no effect.
 */
function threadsOf({ env }: OrtModule): number | undefined {
  return env.wasm.numThreads || undefined;
}

/** What {@linkcode createWebSession} is told. */
export interface WebSessionOptions {
  /** Threads to start with, where nothing has been started or chosen before. */
  threads: number;
  /** Makes the session; the first one of a build starts its WebAssembly. */
  create(): Promise<OrtSession>;
}

/**
 * Makes a session, and tells how many threads it really has: those of the first session of its process
 * or page, whoever made that.
 */
export async function createWebSession(
  ort: OrtModule,
  { threads, create }: WebSessionOptions,
): Promise<{ session: OrtSession; threads: number }> {
  ort.env.wasm.numThreads ||= threads;
  const session = await withRoomyWasmMemory(create);
  return { session, threads: threadsOf(ort) ?? 1 }; // ONNX Runtime sets it to 1 where memory is not shared
}
