/** A training step that ONNX Runtime runs. */
import type * as Ort from "onnxruntime-web";
import { arrange, inverse, permuteData } from "../../onnx/lower/layout.ts";
import { sizeOf } from "../../onnx/trace/kernel_graph.ts";
import { fillInput } from "../sample_pool.ts";
import type { CompiledStep, HostTensors, StepInputs } from "../types.ts";
import { firstName, lastName, stackedName, STEP_COUNT } from "./loop_graph.ts";
import { fillRandomInput } from "./random_input.ts";
import { type OnnxRuntime, sayingMemory } from "./runtime.ts";
import {
  programInput,
  type RandomInput,
  scalarOutput,
  stateInput,
  stateOutput,
  type StateSlot,
  type StepModel,
} from "./step_graph.ts";

/** One call's inputs may take this much memory: more steps a call save little beyond it. */
const MAX_INPUT_BYTES = 2 ** 26;

/** More steps a call save nothing: the state's copies are spread thin enough. */
const MAX_STEPS = 64;

type Feeds = Record<string, Ort.Tensor>;

/** A step's model without its bytes, which the session has read. */
type StepPlan = Omit<StepModel, "bytes">;

/** Runs the steps of a {@linkcode StepModel}. */
export class OnnxStep implements CompiledStep {
  readonly #runtime: OnnxRuntime;
  readonly #model: StepPlan;
  readonly #session: Ort.InferenceSession;
  readonly #seed: number;
  readonly #state = new Map<string, Ort.Tensor>();
  readonly #maxSteps: number;
  /** Filled anew for each call: fresh memory would cost more than the numbers. */
  readonly #randomBuffers = new Map<string, Float32Array>();

  private constructor(
    runtime: OnnxRuntime,
    model: StepPlan,
    session: Ort.InferenceSession,
    seed: number,
  ) {
    this.#runtime = runtime;
    this.#model = model;
    this.#session = session;
    this.#seed = seed;
    const shapes = [
      ...model.inputs.map(({ spec }) => spec.shape),
      ...model.random.map((r) => r.shape),
    ];
    const stepBytes = shapes.reduce((sum, shape) => sum + 4 * sizeOf(shape), 4);
    this.#maxSteps = Math.max(1, Math.min(MAX_STEPS, Math.floor(MAX_INPUT_BYTES / stepBytes)));
  }

  /** Opens a session for the model, with the state at its start. */
  static async create(
    runtime: OnnxRuntime,
    model: StepModel,
    state: HostTensors,
    seed: number,
  ): Promise<OnnxStep> {
    const { bytes, ...plan } = model;
    const session = await sayingMemory(
      runtime,
      () => runtime.ort.InferenceSession.create(bytes, runtime.sessionOptions),
    );
    const step = new OnnxStep(runtime, plan, session, seed);
    await step.writeState(state);
    return step;
  }

  async run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    const { scalars } = this.#model;
    const result: Record<string, Float32Array> = Object.fromEntries(
      scalars.map((name) => [name, new Float32Array(batches.length)]),
    );
    for (let at = 0; at < batches.length; at += this.#maxSteps) {
      const outputs = await this.#runSome(batches.slice(at, at + this.#maxSteps), firstStep + at);
      for (const name of scalars) {
        result[name].set(outputs[stackedName(scalarOutput(name))].data as Float32Array, at);
      }
    }
    return result;
  }

  async #runSome(batches: StepInputs[], firstStep: number): Promise<Feeds> {
    const { ort } = this.#runtime;
    const { inputs, random, state } = this.#model;
    const feeds: Feeds = {
      [STEP_COUNT]: new ort.Tensor("int64", BigInt64Array.of(BigInt(batches.length)), []),
    };
    for (const { name, spec } of inputs) {
      const size = sizeOf(spec.shape);
      const data = new (spec.dtype === "int32" ? Int32Array : Float32Array)(size * batches.length);
      batches.forEach((batch, index) =>
        fillInput(data.subarray(index * size, (index + 1) * size), {
          name,
          spec,
          given: batch[name],
        })
      );
      const stacked = stackedName(programInput(name));
      feeds[stacked] = new ort.Tensor(spec.dtype, data as Float32Array, [
        batches.length,
        ...spec.shape,
      ]);
    }
    for (const input of random) {
      const data = this.#draw(input, batches.length, firstStep);
      feeds[stackedName(input.name)] = new ort.Tensor("float32", data, [
        batches.length,
        ...arrange(input.shape, input.order),
      ]);
    }
    for (const { name, changes } of state) {
      const tensor = this.#state.get(name)!;
      const graphName = changes ? firstName(stateInput(name)) : stateInput(name);
      if (this.#session.inputNames.includes(graphName)) feeds[graphName] = tensor;
    }
    const outputs = await sayingMemory(this.#runtime, () => this.#session.run(feeds)) as Feeds;
    for (const { name, changes } of state) {
      if (changes) this.#state.set(name, outputs[lastName(stateOutput(name))]);
    }
    return outputs;
  }

  /** The random numbers of several steps, stacked; see `StepRandom`. */
  #draw(input: RandomInput, steps: number, firstStep: number): Float32Array {
    const size = sizeOf(input.shape);
    let buffer = this.#randomBuffers.get(input.name);
    if (buffer === undefined || buffer.length < size * steps) {
      buffer = new Float32Array(size * steps);
      this.#randomBuffers.set(input.name, buffer);
    }
    const data = buffer.subarray(0, size * steps);
    for (let index = 0; index < steps; index++) {
      const part = data.subarray(index * size, (index + 1) * size);
      fillRandomInput(part, input, {
        seed: this.#seed,
        stream: input.stream,
        step: firstStep + index,
      });
    }
    return data;
  }

  readState(): Promise<HostTensors> {
    const result: HostTensors = {};
    for (const { name, shape, dtype, order } of this.#model.state) {
      const stored = this.#state.get(name)!.data as Float32Array | Int32Array;
      const moved = permuteData(stored, arrange(shape, order), inverse(order));
      result[name] = { shape, dtype, data: moved === stored ? stored.slice() : moved };
    }
    return Promise.resolve(result);
  }

  writeState(state: HostTensors): Promise<void> {
    for (const { name, shape, dtype, order } of this.#model.state) {
      const given = state[name];
      if (given?.dtype !== dtype || given.shape.join() !== shape.join()) {
        const found = given ? `${given.dtype} [${given.shape}]` : "nothing";
        throw new TypeError(
          `Cannot set state ${name}: the step has ${dtype} [${shape}], given is ${found}`,
        );
      }
      this.#state.set(
        name,
        this.#tensor(permuteData(given.data, shape, order), order, { shape, dtype }),
      );
    }
    return Promise.resolve();
  }

  #tensor(
    data: Float32Array | Int32Array,
    order: readonly number[],
    { shape, dtype }: Pick<StateSlot, "shape" | "dtype">,
  ): Ort.Tensor {
    const dims = arrange(shape, order);
    return new this.#runtime.ort.Tensor(dtype, data.slice() as Float32Array, dims);
  }

  async dispose(): Promise<void> {
    this.#state.clear();
    this.#randomBuffers.clear();
    await this.#session.release();
  }
}
