/**
 * The wasm build, imported statically: for service workers and browser extensions, where a dynamic
 * import is an error. It runs on one thread there, and needs its `.wasm` as bytes or at an address.
 */
import * as ort from "onnxruntime-web/wasm";
import type { OrtModule } from "./types.ts";

/** The build's module. */
export const staticWasmBuild: OrtModule = ort;
