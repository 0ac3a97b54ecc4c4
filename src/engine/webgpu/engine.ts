/**
 * The WebGPU engine: a step is recorded once through TensorFlow.js (its operations, gradients and
 * all), shortened, fused, given memory, and from then on replayed without TensorFlow.js.
 */
import { tf } from "../../tensor/tf.ts";
import type { CompiledFunction, CompiledStep, Engine, StepProgram } from "../types.ts";
import type { HostTensors, TensorFunction, TensorMap, TensorSpec } from "../../tensor/types.ts";
import { checkProgram, checkStepResult, specsOf } from "../checks.ts";
import { OpenItems } from "../lifecycle.ts";
import { kindOf } from "../step_kinds.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { type Capture, capture } from "./capture.ts";
import { WebGpuFunction } from "./compiled_function.ts";
import { WebGpuStep } from "./compiled_step.ts";
import { openWebGpu, type WebGpu } from "./device.ts";
import type { StepExecutable } from "./executable.ts";
import { registerOwnKernels } from "./kernels/mod.ts";
import { availableGpuBytes } from "./memory.ts";
import { ADDRESS, inputKey, stateKey } from "./recorder.ts";
import { StepInputFeed } from "./step_inputs.ts";
import { StepMemory } from "./step_memory.ts";
import type { KernelTuning } from "./tuning.ts";

/** How the engine works. */
export interface WebGpuEngineOptions {
  /** Join elementwise operations into one kernel each. Default true. */
  fuse?: boolean;
  /**
   * The most bytes that a step may take on the device, and its data with it: those that do not fit are
   * streamed. Default: the machine's free memory for a software adapter; for a GPU only its limits
   * count.
   */
  memoryBytes?: number;
  /** Sizes of tiles. Default: by the adapter (tuning.ts). */
  tuning?: KernelTuning;
}

/**
 * Opens the device and makes the engine.
 * @throws Error when there is no WebGPU adapter
 */
export async function createWebGpuEngine(options: WebGpuEngineOptions = {}): Promise<Engine> {
  const gpu = await openWebGpu();
  if (!gpu) throw new Error("Cannot make the WebGPU engine: there is no WebGPU adapter");
  registerOwnKernels();
  return new WebGpuEngine(gpu, options);
}

class WebGpuEngine implements Engine {
  readonly name = "webgpu";
  readonly description: string;
  readonly #gpu: WebGpu;
  readonly #options: WebGpuEngineOptions;
  readonly #items = new OpenItems();

  constructor(gpu: WebGpu, options: WebGpuEngineOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.description = `WebGPU, step captured and replayed, on ${gpu.description}`;
  }

  async compileStep(program: StepProgram, state: HostTensors, seed: number): Promise<CompiledStep> {
    this.#items.checkUsable();
    checkProgram(program, state);
    const specs = specsOf(state);
    const constants = program.constants ?? {};
    const externals = {
      ...renamed(specs, stateKey),
      ...renamed(program.inputs, inputKey),
      ...renamed(specsOf(constants), inputKey),
      [ADDRESS]: { shape: [4], dtype: "int32" as const }, // and the rest of the clock
    };
    const inputNames = [...Object.keys(program.inputs), ...Object.keys(constants)];
    const memory = new StepMemory(this.#gpu.device);
    const captureKind = (kind: string) =>
      this.#capture(memory, {
        externals,
        fn(given, random) {
          const before = pick(given, Object.keys(specs), stateKey);
          const inputs = pick(given, inputNames, inputKey);
          const result = program.step(before, inputs, random, kind);
          checkStepResult(result, specs);
          return { state: renamed(result.state, stateKey), scalars: result.scalars };
        },
      });
    const first = await captureKind(kindOf(program, 0)).catch((error) => {
      memory.destroy();
      throw error;
    });
    const bufferOf = (key: string) => first.externals.get(key)!.buffer;
    for (const [name, { data }] of Object.entries(constants)) {
      const values = data as Float32Array<ArrayBuffer>;
      this.#gpu.device.queue.writeBuffer(bufferOf(inputKey(name)), 0, values);
    }
    const budget = this.#budgetBytes(memory);
    const inputs = await StepInputFeed.create({
      backend: this.#backend,
      inputs: program.inputs,
      rangeOf: (name) => first.externals.get(inputKey(name))!,
      clock: bufferOf(ADDRESS),
      spareBytes: budget === undefined ? undefined : budget - memory.totalBytes,
    });
    const step: WebGpuStep = new WebGpuStep({
      backend: this.#backend,
      program,
      capture: captureKind,
      first,
      memory,
      inputs,
      state: specs,
      seed,
      isSoftware: this.#gpu.isSoftware,
      check: () => this.#gpu.check(),
      onDispose: () => this.#items.remove(step),
    });
    this.#items.add(step);
    await step.writeState(state);
    return step;
  }

  async compileFunction(
    fn: TensorFunction,
    inputs: Record<string, TensorSpec>,
  ): Promise<CompiledFunction> {
    this.#items.checkUsable();
    const specs: Record<string, TensorSpec> = {};
    const externals = {
      ...renamed(inputs, inputKey),
      [ADDRESS]: { shape: [2], dtype: "int32" as const },
    };
    const memory = new StepMemory(this.#gpu.device);
    const executable = await this.#capture(memory, {
      externals,
      fn(given) {
        const outputs = fn(pick(given, Object.keys(inputs), inputKey));
        for (const [name, { shape, dtype }] of Object.entries(outputs)) {
          specs[name] = { shape: [...shape], dtype: dtype === "float32" ? "float32" : "int32" };
        }
        return { state: {}, scalars: outputs };
      },
    }).catch((error) => {
      memory.destroy();
      throw error;
    });
    const compiled: WebGpuFunction = new WebGpuFunction({
      device: this.#gpu.device,
      executable,
      memory,
      inputs,
      outputs: specs,
      check: () => this.#gpu.check(),
      onDispose: () => this.#items.remove(compiled),
    });
    return this.#items.add(compiled);
  }

  dispose(): Promise<void> {
    return this.#items.dispose();
  }

  get #backend(): GanforgeWebGpuBackend {
    return tf.engine().findBackend("webgpu") as unknown as GanforgeWebGpuBackend;
  }

  /** The most bytes that a step may have, what it has included; undefined where nobody knows. */
  #budgetBytes(memory: StepMemory): number | undefined {
    const { memoryBytes } = this.#options;
    if (memoryBytes !== undefined) return memoryBytes;
    const available = availableGpuBytes(this.#gpu);
    return available === undefined ? undefined : available + memory.totalBytes;
  }

  /** Captures with this engine's options; leaves TensorFlow.js's backend as it was. */
  async #capture(memory: StepMemory, what: Capture): Promise<StepExecutable> {
    const before = tf.getBackend();
    await tf.setBackend("webgpu");
    const { fuse = true, tuning } = this.#options;
    try {
      return await capture({
        gpu: this.#gpu,
        backend: this.#backend,
        tuning,
        fuse,
        memory,
        budgetBytes: this.#budgetBytes(memory),
      }, what);
    } finally {
      await tf.setBackend(before || "cpu");
    }
  }
}

function renamed<T>(map: Record<string, T>, key: (name: string) => string): Record<string, T> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [key(name), value]));
}

function pick(given: TensorMap, names: string[], key: (name: string) => string): TensorMap {
  return Object.fromEntries(names.map((name) => [name, given[key(name)]]));
}
