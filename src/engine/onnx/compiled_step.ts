/**
 * A training step that ONNX Runtime runs: a session for each kind of step, between which the state goes
 * to and fro as it is.
 */
import { arrange, inverse, permuteData } from "../../graph/lower/layout.ts";
import { checkBatches, checkProgram, checkState, NO_COLLECTIVE, specsOf } from "../checks.ts";
import { Lifecycle } from "../lifecycle.ts";
import { kindOf, kindRuns } from "../step_kinds.ts";
import type { CompiledStep, StepInputs, StepProgram } from "../types.ts";
import type { HostTensors, TensorSpec } from "../../tensor/types.ts";
import { checkRuntimeMemory } from "./memory.ts";
import type { OnnxRuntime } from "../../ort/runtime.ts";
import type { OrtTensor } from "../../ort/types.ts";
import { SegmentedSession } from "./segmented_session.ts";
import { buildStepModel } from "./step_graph.ts";
import { buildSegments, isCut } from "./step_segments.ts";
import { type StepRunner, StepSession } from "./step_session.ts";
import { type StateSlot, traceStep } from "./step_trace.ts";

/** Where steps run. */
export interface StepSetup {
  /** What runs them. */
  runtime: OnnxRuntime;
  /** The most bytes that a step may take; undefined where nobody knows. */
  availableBytes: number | undefined;
  /** Called once, when the step is disposed. */
  onDispose(step: CompiledStep): void;
}

/** Runs the steps of a program. */
export class OnnxStep implements CompiledStep {
  readonly #setup: StepSetup;
  readonly #program: StepProgram;
  readonly #specs: Record<string, TensorSpec>;
  readonly #seed: number;
  readonly #sessions = new Map<string, StepRunner>();
  readonly #state = new Map<string, OrtTensor>();
  /** The state in the layouts of the first kind, which all others take on. */
  #slots: StateSlot[] = [];
  readonly #life = new Lifecycle("step");

  private constructor(
    setup: StepSetup,
    program: StepProgram,
    specs: Record<string, TensorSpec>,
    seed: number,
  ) {
    this.#setup = setup;
    this.#program = program;
    this.#specs = specs;
    this.#seed = seed;
  }

  /**
   * Opens a session for the first step's kind, with the state at its start.
   * @throws {UserError} when the step is not pure, or does not fit into memory
   */
  static async create(
    setup: StepSetup,
    program: StepProgram,
    state: HostTensors,
    seed: number,
  ): Promise<OnnxStep> {
    checkProgram(program, state);
    const step = new OnnxStep(setup, program, specsOf(state), seed);
    const first = await step.#sessionOf(kindOf(program, 0));
    step.#slots = first.plan.state;
    step.#setState(state);
    return step;
  }

  /** How many nodes a step of each kind has that was met so far, for measurements. */
  get nodeCounts(): Record<string, number> {
    return Object.fromEntries(
      [...this.#sessions].map(([kind, { plan }]) => [kind, plan.nodeCount]),
    );
  }

  async #sessionOf(kind: string): Promise<StepRunner> {
    const known = this.#sessions.get(kind);
    if (known) return known;
    const session = await this.#open(kind);
    this.#sessions.set(kind, session);
    return session;
  }

  async #open(kind: string): Promise<StepRunner> {
    const { runtime, availableBytes } = this.#setup;
    const { collective } = this.#program;
    const traced = traceStep(this.#program, this.#specs, { kind, like: this.#slots });
    if (!isCut(traced)) {
      const model = buildStepModel(traced);
      checkRuntimeMemory(runtime, { minBytes: model.minBytes, availableBytes });
      return await StepSession.open(runtime, model, this.#seed);
    }
    if (!collective) throw new TypeError(NO_COLLECTIVE);
    const model = buildSegments(traced);
    checkRuntimeMemory(runtime, { minBytes: model.minBytes, availableBytes });
    return await SegmentedSession.open(runtime, model, { collective, seed: this.#seed });
  }

  run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    return this.#life.use(() => {
      checkBatches(this.#program.inputs, batches, firstStep);
      return this.#run(batches, firstStep);
    });
  }

  async #run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    const result: Record<string, Float32Array> = {};
    for (const { kind, start, count } of kindRuns(this.#program, firstStep, batches.length)) {
      const session = await this.#sessionOf(kind);
      for (let at = start; at < start + count; at += session.maxSteps) {
        const end = Math.min(at + session.maxSteps, start + count);
        const scalars = await session.run({
          batches: batches.slice(at, end),
          firstStep: firstStep + at,
          state: this.#state,
        });
        for (const [name, values] of Object.entries(scalars)) {
          result[name] ??= new Float32Array(batches.length).fill(NaN);
          result[name].set(values, at);
        }
      }
    }
    return result;
  }

  readState(): Promise<HostTensors> {
    return this.#life.use(() => {
      const result: HostTensors = {};
      for (const { name, shape, dtype, order } of this.#slots) {
        const stored = this.#state.get(name)!.data as Float32Array | Int32Array;
        const moved = permuteData(stored, arrange(shape, order), inverse(order));
        result[name] = {
          shape: [...shape],
          dtype,
          data: moved === stored ? stored.slice() : moved,
        };
      }
      return result;
    });
  }

  writeState(state: HostTensors): Promise<void> {
    return this.#life.use(() => {
      checkState(this.#specs, state);
      this.#setState(state);
    });
  }

  #setState(state: HostTensors): void {
    for (const { name, shape, dtype, order } of this.#slots) {
      const moved = permuteData(state[name].data, shape, order);
      this.#state.set(name, this.#tensor(moved, order, { shape, dtype }));
    }
  }

  #tensor(
    data: Float32Array | Int32Array,
    order: readonly number[],
    { shape, dtype }: Pick<StateSlot, "shape" | "dtype">,
  ): OrtTensor {
    const dims = arrange(shape, order);
    return new this.#setup.runtime.ort.Tensor(dtype, data.slice() as Float32Array, dims);
  }

  dispose(): Promise<void> {
    return this.#life.dispose(async () => {
      this.#setup.onDispose(this);
      this.#state.clear();
      for (const session of this.#sessions.values()) await session.release();
      this.#sessions.clear();
    });
  }
}
