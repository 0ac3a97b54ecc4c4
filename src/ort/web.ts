/**
 * onnxruntime-web's builds, imported when they are needed, and which runs where. Their start: start.ts.
 * Nothing else is imported, so that the sampler can use it in a page.
 *
 * - Deno and Node: the package's root entry, its "node" export, the one whose threads work there.
 * - A page: `/wasm`, which needs no `eval` and so lives with a strict Content-Security-Policy.
 * - WebGPU: `/webgpu`, imported only when it is chosen (its WebAssembly has 27 MB).
 */
import { startWeb, type WebStart, type WebStartOptions } from "./start.ts";
import type { OrtModule, OrtSession } from "./types.ts";

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

/** The options of {@linkcode createWebSession}. */
export interface WebSessionOptions extends WebStartOptions {
  /** Makes the session. */
  create(): Promise<OrtSession>;
}

/**
 * Makes a session, and reports how many threads it really has: those of the first session of its process
 * or page, whoever made that.
 */
export async function createWebSession(
  ort: OrtModule,
  { create, ...options }: WebSessionOptions,
): Promise<WebStart & { session: OrtSession }> {
  const started = await startWeb(ort, options);
  return { ...started, session: await create() };
}
