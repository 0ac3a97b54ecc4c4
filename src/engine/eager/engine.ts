/**
 * The reference engine: runs steps through TensorFlow.js as they are written, one kernel at a time, on
 * its `cpu` or `webgpu` backend. Slow, and right: the other engines must give its numbers.
 */
import { tf } from "../../tensor/tf.ts";
import { fillNormal, fillUniform } from "../../random/counter_random.ts";
import { checkPools, inputValues } from "../sample_pool.ts";
import { kindOf } from "../step_kinds.ts";
import type { CompiledFunction, CompiledStep, Engine, StepInputs, StepProgram } from "../types.ts";
import type {
  HostTensor,
  HostTensors,
  StepRandom,
  TensorFunction,
  TensorMap,
} from "../../tensor/types.ts";

/**
 * Runs on a TensorFlow.js backend.
 * @param backend the backend's name; for "webgpu" open the device first
 * @param description for the person at the terminal
 */
export function createEagerEngine(backend: "cpu" | "webgpu", description: string): Engine {
  return {
    name: `tfjs-${backend}`,
    description,
    async compileStep(program, state, seed): Promise<CompiledStep> {
      checkPools(program.inputs);
      await tf.setBackend(backend);
      return new EagerStep(backend, program, state, seed);
    },
    async compileFunction(fn): Promise<CompiledFunction> {
      await tf.setBackend(backend);
      return eagerFunction(backend, fn);
    },
    dispose: () => Promise.resolve(),
  };
}

/** Uploads a host tensor. */
export function toTensor(host: HostTensor): tf.Tensor {
  return tf.tensor(host.data, host.shape, host.dtype);
}

/** Uploads host tensors. */
export function toTensors(host: HostTensors): TensorMap {
  return Object.fromEntries(Object.entries(host).map(([name, value]) => [name, toTensor(value)]));
}

/** Copies a tensor to the host. */
async function toHost(tensor: tf.Tensor): Promise<HostTensor> {
  const values = await tensor.data();
  return tensor.dtype === "int32"
    ? { shape: [...tensor.shape], dtype: "int32", data: Int32Array.from(values) }
    : { shape: [...tensor.shape], dtype: "float32", data: Float32Array.from(values) };
}

/** Copies tensors to the host, all at once: on WebGPU one wait serves them all. */
export async function toHosts(tensors: TensorMap): Promise<HostTensors> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) =>
    [name, await toHost(tensor)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The numbers that one step draws, made on the host; see {@linkcode StepRandom}. */
export class HostStepRandom implements StepRandom {
  readonly #seed: number;
  readonly #step: number;
  #stream = 0;

  constructor(seed: number, step: number) {
    this.#seed = seed;
    this.#step = step;
  }

  #address() {
    return { seed: this.#seed, stream: this.#stream++, step: this.#step };
  }

  uniform(shape: number[]): tf.Tensor {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    return tf.tensor(fillUniform(values, this.#address()), shape, "float32");
  }

  normal(shape: number[]): tf.Tensor {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    return tf.tensor(fillNormal(values, this.#address()), shape, "float32");
  }
}

class EagerStep implements CompiledStep {
  readonly #backend: string;
  readonly #program: StepProgram;
  readonly #seed: number;
  readonly #constants: TensorMap;
  #state: TensorMap;

  constructor(backend: string, program: StepProgram, state: HostTensors, seed: number) {
    this.#backend = backend;
    this.#program = program;
    this.#seed = seed;
    this.#constants = toTensors(program.constants ?? {});
    this.#state = toTensors(state);
  }

  async run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    await tf.setBackend(this.#backend);
    const perStep = batches.map((batch, index) => this.#runOne(batch, firstStep + index));
    const result: Record<string, Float32Array> = {};
    await Promise.all(
      perStep.flatMap((scalars, index) =>
        Object.entries(scalars).map(async ([name, scalar]) => {
          result[name] ??= new Float32Array(batches.length).fill(NaN);
          result[name][index] = (await scalar.data())[0];
        })
      ),
    );
    perStep.forEach((scalars) => tf.dispose(scalars));
    return result;
  }

  #runOne(batch: StepInputs, step: number): TensorMap {
    const before = this.#state;
    const { state, scalars } = tf.tidy(() => {
      const inputs: TensorMap = { ...this.#constants };
      for (const [name, spec] of Object.entries(this.#program.inputs)) {
        const values = inputValues({ name, spec, given: batch[name] });
        inputs[name] = tf.tensor(values, spec.shape, spec.dtype);
      }
      const random = new HostStepRandom(this.#seed, step);
      return this.#program.step(before, inputs, random, kindOf(this.#program, step));
    });
    this.#state = state;
    const kept = new Set(Object.values(state));
    for (const old of Object.values(before)) if (!kept.has(old)) old.dispose();
    return scalars;
  }

  readState(): Promise<HostTensors> {
    return toHosts(this.#state);
  }

  writeState(state: HostTensors): Promise<void> {
    tf.dispose(this.#state);
    this.#state = toTensors(state);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    tf.dispose(this.#state);
    tf.dispose(this.#constants);
    return Promise.resolve();
  }
}

function eagerFunction(backend: string, fn: TensorFunction): CompiledFunction {
  return {
    async run(inputs: HostTensors): Promise<HostTensors> {
      await tf.setBackend(backend);
      const uploaded = toTensors(inputs);
      const outputs = tf.tidy(() => fn(uploaded));
      const result = await toHosts(outputs);
      tf.dispose([uploaded, outputs]);
      return result;
    },
    dispose: () => Promise.resolve(),
  };
}
