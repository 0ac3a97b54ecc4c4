/** Where the `.wasm` of the WebGPU build may lie; see wasm_file.ts. */
import { beside, usable } from "./wasm_file.ts";

/** The file's name in the package. */
export const WEBGPU_FILE = "ort-wasm-simd-threaded.asyncify.wasm";

/** Addresses to try, best first. */
export function webGpuAddresses(): string[] {
  return usable([
    resolved("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm"),
    new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm", import.meta.url).href,
    beside(import.meta.url, WEBGPU_FILE),
  ]);
}

function resolved(specifier: string): string | null {
  try {
    return import.meta.resolve?.(specifier) ?? null;
  } catch {
    return null;
  }
}
