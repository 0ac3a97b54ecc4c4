/** One kind of a training step in ONNX Runtime: its session, and the inputs of a call. */
import { elementCount } from "../../bytes.ts";
import { arrange } from "../../graph/lower/layout.ts";
import { fillInput } from "../sample_pool.ts";
import type { StepInputs } from "../types.ts";
import { firstName, lastName, stackedName, STEP_COUNT } from "./loop_graph.ts";
import { fillRandomInput } from "./random_input.ts";
import { type OnnxRuntime, sayingMemory } from "../../ort/runtime.ts";
import type { OrtSession, OrtTensor } from "../../ort/types.ts";
import type { StepModel } from "./step_graph.ts";
import {
  programInput,
  type RandomInput,
  scalarOutput,
  stateInput,
  stateOutput,
  type TracedStep,
} from "./step_trace.ts";

/** One call's inputs may take this much memory: more steps a call save little beyond it. */
const MAX_INPUT_BYTES = 2 ** 26;

/** More steps a call save nothing: the state's copies are spread thin enough. */
const MAX_STEPS = 64;

/** Tensors of ONNX Runtime by name. */
type Feeds = Record<string, OrtTensor>;

/** A step's model without its bytes, which the session has read. */
export type StepModelInfo = Omit<StepModel, "bytes">;

/** The steps of one call. */
export interface SessionCall {
  /** The inputs of each. */
  batches: StepInputs[];
  /** The number of the first. */
  firstStep: number;
  /** The state before them, which is replaced by that after them. */
  state: Map<string, OrtTensor>;
}

/** What runs the steps of one kind, in one model or in segments. */
export interface StepRunner {
  /** What the step takes and gives. */
  readonly plan: Pick<TracedStep, "state"> & { nodeCount: number };
  /** How many steps a call may have. */
  readonly maxSteps: number;
  /** Runs at most {@linkcode maxSteps} steps. @returns for each scalar, its value at each step */
  run(call: SessionCall): Promise<Record<string, Float32Array>>;
  /** Gives the memory back. */
  release(): Promise<void>;
}

/** Runs steps of one kind. */
export class StepSession implements StepRunner {
  readonly #runtime: OnnxRuntime;
  readonly #session: OrtSession;
  readonly #seed: number;
  /** Filled anew for each call: fresh memory would cost more than the numbers. */
  readonly #randomBuffers = new Map<string, Float32Array>();
  /** What the model takes and gives. */
  readonly plan: StepModelInfo;
  /** How many steps a call may have. */
  readonly maxSteps: number;

  private constructor(
    runtime: OnnxRuntime,
    plan: StepModelInfo,
    session: OrtSession,
    seed: number,
  ) {
    this.#runtime = runtime;
    this.plan = plan;
    this.#session = session;
    this.#seed = seed;
    const shapes = [
      ...plan.inputs.map(({ spec }) => spec.shape),
      ...plan.random.map((r) => r.shape),
    ];
    const stepBytes = shapes.reduce((sum, shape) => sum + 4 * elementCount(shape), 4);
    this.maxSteps = Math.max(1, Math.min(MAX_STEPS, Math.floor(MAX_INPUT_BYTES / stepBytes)));
  }

  /** Opens a session for the model. */
  static async open(runtime: OnnxRuntime, model: StepModel, seed: number): Promise<StepSession> {
    const { bytes, ...plan } = model;
    const session = await sayingMemory(
      runtime,
      () => runtime.ort.InferenceSession.create(bytes, runtime.sessionOptions),
    );
    return new StepSession(runtime, plan, session, seed);
  }

  /** Runs at most {@linkcode maxSteps} steps. @returns for each scalar, its value at each step */
  async run({ batches, firstStep, state }: SessionCall): Promise<Record<string, Float32Array>> {
    const { ort } = this.#runtime;
    const { inputs, random, scalars, state: slots } = this.plan;
    const feeds: Feeds = {
      [STEP_COUNT]: new ort.Tensor("int64", BigInt64Array.of(BigInt(batches.length)), []),
    };
    for (const { name, spec } of inputs) {
      const size = elementCount(spec.shape);
      const data = new (spec.dtype === "int32" ? Int32Array : Float32Array)(size * batches.length);
      batches.forEach((batch, index) =>
        fillInput(data.subarray(index * size, (index + 1) * size), spec, batch[name])
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
    for (const { name, changes } of slots) {
      const graphName = changes ? firstName(stateInput(name)) : stateInput(name);
      if (this.#session.inputNames.includes(graphName)) feeds[graphName] = state.get(name)!;
    }
    const outputs = await sayingMemory(this.#runtime, () => this.#session.run(feeds)) as Feeds;
    for (const { name, changes } of slots) {
      if (changes) state.set(name, outputs[lastName(stateOutput(name))]);
    }
    return Object.fromEntries(scalars.map((name) => [
      name,
      outputs[stackedName(scalarOutput(name))].data as Float32Array,
    ]));
  }

  /** The random numbers of several steps, stacked; see `StepRandom`. */
  #draw(input: RandomInput, steps: number, firstStep: number): Float32Array {
    const size = elementCount(input.shape);
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

  /** Closes the session. */
  async release(): Promise<void> {
    this.#randomBuffers.clear();
    await this.#session.release();
  }
}
