/**
 * The CPU engine: a training step becomes an ONNX graph once, and ONNX Runtime runs it. Randomness and
 * data come from the host; parameters and optimizer state stay in ONNX Runtime's layout between calls.
 */
import { OpenItems } from "../lifecycle.ts";
import type { CompiledFunction, CompiledStep, Engine } from "../types.ts";
import { compileOnnxFunction } from "./compiled_function.ts";
import { OnnxStep } from "./compiled_step.ts";
import { availableRuntimeBytes } from "./memory.ts";
import { loadRuntime, type LoadRuntimeOptions, type RuntimeChoice } from "../../ort/runtime.ts";

export type { RuntimeChoice };

/** Options of {@linkcode createOnnxEngine}. */
export interface OnnxEngineOptions extends LoadRuntimeOptions {
  /** The most bytes that a step may take. Default: what the runtime can get, where that is known. */
  memoryBytes?: number;
}

/**
 * Opens the engine.
 *
 * @param options.runtime "node" (native; needs the package onnxruntime-node and `--allow-ffi`), "web"
 * (WebAssembly), or "auto": the native one where it can be loaded. Default "auto".
 * @param options.threads threads of a session; default the number of cores, at most 16
 * @param options.memoryBytes the most bytes that a step may take; default what the runtime can get
 * @throws {UserError} when `runtime: "node"` is asked for and cannot be loaded
 */
export async function createOnnxEngine(options: OnnxEngineOptions = {}): Promise<Engine> {
  const runtime = await loadRuntime(options);
  const items = new OpenItems();
  const onDispose = (item: CompiledStep | CompiledFunction) => items.remove(item);
  return {
    name: `onnx-${runtime.kind}`,
    description: `CPU through ${runtime.description}` +
      (runtime.notTaken ? ` (${runtime.notTaken})` : ""),
    async compileStep(program, state, seed) {
      items.checkUsable();
      const available = options.memoryBytes ?? availableRuntimeBytes(runtime);
      const setup = { runtime, availableBytes: available, onDispose };
      return items.add(await OnnxStep.create(setup, program, state, seed));
    },
    async compileFunction(fn, inputs) {
      items.checkUsable();
      return items.add(await compileOnnxFunction({ runtime, onDispose }, fn, inputs));
    },
    dispose: () => items.dispose(),
  };
}
