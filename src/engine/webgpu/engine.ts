/**
 * The WebGPU engine: a step is recorded once through TensorFlow.js (its operations, gradients and
 * all), shortened, fused, given memory, and from then on replayed without TensorFlow.js.
 */
import { tf } from "../tf.ts";
import type {
  CompiledFunction,
  CompiledStep,
  Engine,
  HostTensor,
  HostTensors,
  StepProgram,
  TensorFunction,
  TensorMap,
  TensorSpec,
} from "../types.ts";
import { checkPools } from "../sample_pool.ts";
import { kindOf } from "../step_kinds.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { WebGpuFunction } from "./compiled_function.ts";
import { WebGpuStep } from "./compiled_step.ts";
import { openWebGpu, type WebGpu } from "./device.ts";
import { StepExecutable } from "./executable.ts";
import { fuseElementwise } from "./fusion.ts";
import { findDifference, type StepGraph } from "./graph.ts";
import { registerOwnKernels } from "./kernels/mod.ts";
import { availableBytes, checkFits, tooLarge } from "./memory.ts";
import { dropUnusedWork, shareRepeatedWork } from "./passes.ts";
import { planStep } from "./plan.ts";
import { ADDRESS, inputKey, record, type RecordedResult, stateKey } from "./recorder.ts";
import { StepInputFeed } from "./step_inputs.ts";
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

/** Functions in one fused kernel at most. */
const MAX_FUSED_NODES = 96;
/** Storage buffers in one fused kernel at most, where the device allows as many. */
const MAX_FUSED_BINDINGS = 16;

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
  readonly #compiled = new Set<{ dispose(): Promise<void> }>();

  constructor(gpu: WebGpu, options: WebGpuEngineOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.description = `WebGPU, step captured and replayed, on ${gpu.description}`;
  }

  async compileStep(program: StepProgram, state: HostTensors, seed: number): Promise<CompiledStep> {
    checkPools(program.inputs);
    await tf.setBackend("webgpu");
    const specs = mapValues(state, specOf);
    const constants = program.constants ?? {};
    const externals = {
      ...renamed(specs, stateKey),
      ...renamed(program.inputs, inputKey),
      ...renamed(mapValues(constants, specOf), inputKey),
      [ADDRESS]: { shape: [2], dtype: "int32" as const },
    };
    const executable = await this.#build(externals, (given, random) => {
      const before = pick(given, Object.keys(specs), stateKey);
      const inputNames = [...Object.keys(program.inputs), ...Object.keys(constants)];
      const given2 = pick(given, inputNames, inputKey);
      const result = program.step(before, given2, random, kindOf(program, 0));
      checkResult(result, specs);
      return { state: renamed(result.state, stateKey), scalars: result.scalars };
    });
    for (const [name, { data }] of Object.entries(constants)) {
      const { buffer } = executable.externals.get(inputKey(name))!;
      this.#gpu.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    }
    const budget = this.#memoryBytes;
    const inputs = await StepInputFeed.create({
      backend: this.#backend,
      inputs: program.inputs,
      rangeOf: (name) => executable.externals.get(inputKey(name))!,
      spareBytes: budget === undefined ? undefined : budget - executable.totalBytes,
    });
    const step: WebGpuStep = new WebGpuStep({
      backend: this.#backend,
      executable,
      inputs,
      state: specs,
      seed,
      check: () => this.#gpu.check(),
      onDispose: () => this.#compiled.delete(step),
    });
    this.#compiled.add(step);
    await step.writeState(state);
    return step;
  }

  async compileFunction(
    fn: TensorFunction,
    inputs: Record<string, TensorSpec>,
  ): Promise<CompiledFunction> {
    await tf.setBackend("webgpu");
    const specs: Record<string, TensorSpec> = {};
    const externals = {
      ...renamed(inputs, inputKey),
      [ADDRESS]: { shape: [2], dtype: "int32" as const },
    };
    const executable = await this.#build(externals, (given) => {
      const outputs = fn(pick(given, Object.keys(inputs), inputKey));
      for (const [name, { shape, dtype }] of Object.entries(outputs)) {
        specs[name] = { shape: [...shape], dtype: dtype === "float32" ? "float32" : "int32" };
      }
      return { state: {}, scalars: outputs };
    });
    const compiled: WebGpuFunction = new WebGpuFunction({
      device: this.#gpu.device,
      executable,
      inputs,
      outputs: specs,
      check: () => this.#gpu.check(),
      onDispose: () => this.#compiled.delete(compiled),
    });
    this.#compiled.add(compiled);
    return compiled;
  }

  async dispose(): Promise<void> {
    for (const compiled of [...this.#compiled]) await compiled.dispose();
  }

  get #backend(): GanforgeWebGpuBackend {
    return tf.engine().findBackend("webgpu") as unknown as GanforgeWebGpuBackend;
  }

  /** The most bytes that there are for a step; undefined where nobody knows. */
  get #memoryBytes(): number | undefined {
    return this.#options.memoryBytes ?? availableBytes(this.#gpu);
  }

  /** {@linkcode WebGpuEngine.#buildTuned} with this engine's tiles. */
  async #build(
    externals: Record<string, TensorSpec>,
    fn: Parameters<typeof record>[2],
  ): Promise<StepExecutable> {
    const backend = this.#backend;
    const before = backend.tuning;
    backend.tuning = this.#options.tuning ?? before;
    try {
      return await this.#buildTuned(externals, fn);
    } finally {
      backend.tuning = before;
    }
  }

  /** Records twice, compares, shortens, fuses, plans and allocates. */
  async #buildTuned(
    externals: Record<string, TensorSpec>,
    fn: Parameters<typeof record>[2],
  ): Promise<StepExecutable> {
    const graph = record(this.#backend, externals, fn);
    const difference = findDifference(graph, record(this.#backend, externals, fn));
    if (difference) {
      throw new Error(
        `Cannot capture the step, as two runs of it differ: ${difference}. A step may use no ` +
          `randomness but \`random\`, and no values of the host that change.`,
      );
    }
    const shortened = this.#optimize(graph);
    const plan = planStep(shortened);
    checkFits(this.#gpu, plan, this.#memoryBytes);
    const { device } = this.#gpu;
    device.pushErrorScope("out-of-memory");
    const executable = new StepExecutable(this.#backend, shortened, plan);
    const outOfMemory = await device.popErrorScope();
    if (outOfMemory) {
      executable.destroy();
      throw tooLarge(this.#gpu, plan);
    }
    return executable;
  }

  #optimize(graph: StepGraph): StepGraph {
    const shortened = dropUnusedWork(shareRepeatedWork(graph));
    if (this.#options.fuse === false) return shortened;
    const { maxStorageBuffersPerShaderStage } = this.#gpu.device.limits;
    return fuseElementwise(shortened, {
      bindings: Math.min(MAX_FUSED_BINDINGS, maxStorageBuffersPerShaderStage),
      nodes: MAX_FUSED_NODES,
    });
  }
}

function checkResult({ state, scalars }: RecordedResult, specs: Record<string, TensorSpec>): void {
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const next = state[name];
    if (!next) throw new Error(`The step does not return the state "${name}"`);
    if (next.dtype === dtype && next.shape.join() === shape.join()) continue;
    throw new Error(
      `The step returns the state "${name}" as ${next.dtype} [${next.shape}]: ` +
        `it was ${dtype} [${shape}]`,
    );
  }
  for (const name of Object.keys(state)) {
    if (!(name in specs)) throw new Error(`The step returns the state "${name}", which it had not`);
  }
  for (const [name, { size, dtype }] of Object.entries(scalars)) {
    if (size === 1 && dtype === "float32") continue;
    throw new Error(`The step returns the scalar "${name}" with ${size} numbers of ${dtype}`);
  }
}

function specOf({ shape, dtype }: HostTensor): TensorSpec {
  return { shape, dtype };
}

function mapValues<A, B>(map: Record<string, A>, fn: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, fn(value)]));
}

function renamed<T>(map: Record<string, T>, key: (name: string) => string): Record<string, T> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [key(name), value]));
}

function pick(given: TensorMap, names: string[], key: (name: string) => string): TensorMap {
  return Object.fromEntries(names.map((name) => [name, given[key(name)]]));
}
