/**
 * The reference engine: runs steps through TensorFlow.js as they are written, one kernel at a time, on
 * its `cpu` or `webgpu` backend. Slow, and right: the other engines must give its numbers.
 */
import { tf } from "../../tensor/tf.ts";
import { fillNormal, fillUniform } from "../../random/counter_random.ts";
import {
  checkBatches,
  checkFunctionInputs,
  checkProgram,
  checkState,
  checkStepResult,
  specsOf,
} from "../checks.ts";
import { Lifecycle, OpenItems } from "../lifecycle.ts";
import { inputValues } from "../sample_pool.ts";
import { kindOf } from "../step_kinds.ts";
import type { CompiledFunction, CompiledStep, Engine, StepInputs, StepProgram } from "../types.ts";
import type {
  HostTensor,
  HostTensors,
  StepRandom,
  TensorFunction,
  TensorMap,
  TensorSpec,
} from "../../tensor/types.ts";

/**
 * Runs on a TensorFlow.js backend.
 * @param backend the backend's name; for "webgpu" open the device first
 * @param description for the person at the terminal
 */
export function createEagerEngine(backend: "cpu" | "webgpu", description: string): Engine {
  const items = new OpenItems();
  const onDispose = (item: CompiledStep | CompiledFunction) => items.remove(item);
  return {
    name: `tfjs-${backend}`,
    description,
    async compileStep(program, state, seed): Promise<CompiledStep> {
      items.checkUsable();
      checkProgram(program, state);
      await tf.setBackend(backend);
      return items.add(new EagerStep({ backend, onDispose }, program, state, seed));
    },
    async compileFunction(fn, inputs): Promise<CompiledFunction> {
      items.checkUsable();
      await tf.setBackend(backend);
      return items.add(eagerFunction({ backend, onDispose }, fn, inputs));
    },
    dispose: () => items.dispose(),
  };
}

/** Where steps and functions run. */
interface Setup {
  /** TensorFlow.js's backend. */
  backend: string;
  /** Called once, when one is disposed. */
  onDispose(item: CompiledStep | CompiledFunction): void;
}

/** Uploads a host tensor. Copies it: the `cpu` backend would go on with the caller's array. */
function toTensor(host: HostTensor): tf.Tensor {
  return tf.tensor(host.data.slice(), host.shape, host.dtype);
}

/** Uploads host tensors. */
export function toTensors(host: HostTensors): TensorMap {
  return Object.fromEntries(Object.entries(host).map(([name, value]) => [name, toTensor(value)]));
}

/** Copies a tensor to the host; booleans become int32. */
async function toHost(tensor: tf.Tensor): Promise<HostTensor> {
  const values = await tensor.data();
  return tensor.dtype === "float32"
    ? { shape: [...tensor.shape], dtype: "float32", data: Float32Array.from(values) }
    : { shape: [...tensor.shape], dtype: "int32", data: Int32Array.from(values) };
}

/** Copies tensors to the host, all at once: on WebGPU one wait serves them all. */
export async function toHosts(tensors: TensorMap): Promise<HostTensors> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) =>
    [name, await toHost(tensor)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The values that one step draws, made on the host; see {@linkcode StepRandom}. */
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
  readonly #setup: Setup;
  readonly #program: StepProgram;
  readonly #specs: Record<string, TensorSpec>;
  readonly #seed: number;
  readonly #constants: TensorMap;
  readonly #life = new Lifecycle("step");
  #state: TensorMap;

  constructor(setup: Setup, program: StepProgram, state: HostTensors, seed: number) {
    this.#setup = setup;
    this.#program = program;
    this.#specs = specsOf(state);
    this.#seed = seed;
    this.#constants = toTensors(program.constants ?? {});
    this.#state = toTensors(state);
  }

  run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    return this.#life.use(async () => {
      checkBatches(this.#program.inputs, batches, firstStep);
      await tf.setBackend(this.#setup.backend);
      const perStep: TensorMap[] = [];
      const result: Record<string, Float32Array> = {};
      try {
        batches.forEach((batch, index) => perStep.push(this.#runOne(batch, firstStep + index)));
        await Promise.all(
          perStep.flatMap((scalars, index) =>
            Object.entries(scalars).map(async ([name, scalar]) => {
              result[name] ??= new Float32Array(batches.length).fill(NaN);
              result[name][index] = (await scalar.data())[0];
            })
          ),
        );
      } finally {
        tf.dispose(perStep);
      }
      return result;
    });
  }

  #runOne(batch: StepInputs, step: number): TensorMap {
    const before = this.#state;
    const { state, scalars } = tf.tidy(() => {
      const inputs: TensorMap = { ...this.#constants };
      for (const [name, spec] of Object.entries(this.#program.inputs)) {
        const data = inputValues(spec, batch[name]);
        inputs[name] = toTensor({ data, shape: spec.shape, dtype: spec.dtype });
      }
      const random = new HostStepRandom(this.#seed, step);
      const result = this.#program.step(before, inputs, random, kindOf(this.#program, step));
      checkStepResult(result, this.#specs);
      return result;
    });
    this.#state = state;
    const kept = new Set(Object.values(state));
    for (const old of Object.values(before)) if (!kept.has(old)) old.dispose();
    return scalars;
  }

  readState(): Promise<HostTensors> {
    return this.#life.use(() => toHosts(this.#state));
  }

  writeState(state: HostTensors): Promise<void> {
    return this.#life.use(async () => {
      checkState(this.#specs, state);
      await tf.setBackend(this.#setup.backend);
      tf.dispose(this.#state);
      this.#state = toTensors(state);
    });
  }

  dispose(): Promise<void> {
    return this.#life.dispose(() => {
      this.#setup.onDispose(this);
      tf.dispose(this.#state);
      tf.dispose(this.#constants);
    });
  }
}

function eagerFunction(
  { backend, onDispose }: Setup,
  fn: TensorFunction,
  specs: Record<string, TensorSpec>,
): CompiledFunction {
  const life = new Lifecycle("function");
  async function run(inputs: HostTensors): Promise<HostTensors> {
    checkFunctionInputs(specs, inputs);
    await tf.setBackend(backend);
    const uploaded = toTensors(inputs);
    const outputs = tf.tidy(() => fn(uploaded));
    const result = await toHosts(outputs);
    tf.dispose([uploaded, outputs]);
    return result;
  }
  const compiled: CompiledFunction = {
    run: (inputs) => life.use(() => run(inputs)),
    dispose: () => life.dispose(() => onDispose(compiled)),
  };
  return compiled;
}
