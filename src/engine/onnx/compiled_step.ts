/**
 * A training step that ONNX Runtime runs: a session for each kind of step, between which the state goes
 * to and fro as it is.
 */
import { arrange, inverse, permuteData } from "../../graph/lower/layout.ts";
import { kindOf, kindStretches } from "../step_kinds.ts";
import type { CompiledStep, StepInputs, StepProgram } from "../types.ts";
import type { HostTensors, TensorSpec } from "../../tensor/types.ts";
import { checkFits } from "./memory.ts";
import type { OnnxRuntime } from "../../ort/runtime.ts";
import type { OrtTensor } from "../../ort/types.ts";
import { buildStepModel, type StateSlot } from "./step_graph.ts";
import { StepSession } from "./step_session.ts";

/** Where steps run. */
export interface StepSetup {
  /** What runs them. */
  runtime: OnnxRuntime;
  /** The most bytes that a step may take; undefined where nobody knows. */
  availableBytes: number | undefined;
}

/** Runs the steps of a program. */
export class OnnxStep implements CompiledStep {
  readonly #setup: StepSetup;
  readonly #program: StepProgram;
  readonly #specs: Record<string, TensorSpec>;
  readonly #seed: number;
  readonly #sessions = new Map<string, StepSession>();
  readonly #state = new Map<string, OrtTensor>();
  /** The state in the layouts of the first kind, which all others take on. */
  #slots: StateSlot[] = [];
  #isDisposed = false;

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
    const specs = Object.fromEntries(
      Object.entries(state).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
    );
    const step = new OnnxStep(setup, program, specs, seed);
    const first = await step.#sessionOf(kindOf(program, 0));
    step.#slots = first.plan.state;
    await step.writeState(state);
    return step;
  }

  /** How many nodes a step of each kind has that was met so far, for measurements. */
  get nodeCounts(): Record<string, number> {
    return Object.fromEntries(
      [...this.#sessions].map(([kind, { plan }]) => [kind, plan.nodeCount]),
    );
  }

  async #sessionOf(kind: string): Promise<StepSession> {
    const known = this.#sessions.get(kind);
    if (known) return known;
    const { runtime, availableBytes } = this.#setup;
    const model = buildStepModel(this.#program, this.#specs, { kind, like: this.#slots });
    checkFits(runtime, { leastBytes: model.leastBytes, availableBytes });
    const session = await StepSession.open(runtime, model, this.#seed);
    this.#sessions.set(kind, session);
    return session;
  }

  async run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    this.#checkUsable();
    const result: Record<string, Float32Array> = {};
    for (const { kind, start, count } of kindStretches(this.#program, firstStep, batches.length)) {
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
    this.#checkUsable();
    const result: HostTensors = {};
    for (const { name, shape, dtype, order } of this.#slots) {
      const stored = this.#state.get(name)!.data as Float32Array | Int32Array;
      const moved = permuteData(stored, arrange(shape, order), inverse(order));
      result[name] = { shape, dtype, data: moved === stored ? stored.slice() : moved };
    }
    return Promise.resolve(result);
  }

  writeState(state: HostTensors): Promise<void> {
    this.#checkUsable();
    for (const { name, shape, dtype } of this.#slots) {
      const given = state[name];
      if (given?.dtype !== dtype || given.shape.join() !== shape.join()) {
        const found = given ? `${given.dtype} [${given.shape}]` : "nothing";
        throw new TypeError(
          `Cannot set state ${name}: the step has ${dtype} [${shape}], given is ${found}`,
        );
      }
    }
    for (const { name, shape, dtype, order } of this.#slots) {
      const moved = permuteData(state[name].data, shape, order);
      this.#state.set(name, this.#tensor(moved, order, { shape, dtype }));
    }
    return Promise.resolve();
  }

  #tensor(
    data: Float32Array | Int32Array,
    order: readonly number[],
    { shape, dtype }: Pick<StateSlot, "shape" | "dtype">,
  ): OrtTensor {
    const dims = arrange(shape, order);
    return new this.#setup.runtime.ort.Tensor(dtype, data.slice() as Float32Array, dims);
  }

  #checkUsable(): void {
    if (this.#isDisposed) throw new Error("Cannot use a step that was disposed");
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#state.clear();
    for (const session of this.#sessions.values()) await session.release();
    this.#sessions.clear();
  }
}
