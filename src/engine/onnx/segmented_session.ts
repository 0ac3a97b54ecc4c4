/** One kind of a step of several processes in ONNX Runtime: a session for each segment, one step at a time. */
import { elementCount } from "../../bytes.ts";
import { arrange } from "../../graph/lower/layout.ts";
import { type OnnxRuntime, sayingMemory } from "../../ort/runtime.ts";
import type { OrtSession, OrtTensor } from "../../ort/types.ts";
import { inputValues } from "../sample_pool.ts";
import type { Collective, StepInputs } from "../types.ts";
import { fillRandomInput } from "./random_input.ts";
import { reducedInput, reduceOutput, type SegmentedModel } from "./step_segments.ts";
import type { SessionCall, StepRunner } from "./step_session.ts";
import { programInput, scalarOutput, stateInput, stateOutput } from "./step_trace.ts";

/** A segment that is ready to run. */
interface OpenSegment {
  session: OrtSession | undefined;
  outputs: readonly string[];
}

/** Runs steps of one kind, and exchanges values with the other processes in between. */
export class SegmentedSession implements StepRunner {
  readonly #runtime: OnnxRuntime;
  readonly #segments: readonly OpenSegment[];
  readonly #collective: Collective;
  readonly #seed: number;
  readonly plan: SegmentedModel;
  readonly maxSteps = 1;

  private constructor(
    runtime: OnnxRuntime,
    plan: SegmentedModel,
    { segments, collective, seed }: {
      segments: OpenSegment[];
      collective: Collective;
      seed: number;
    },
  ) {
    this.#runtime = runtime;
    this.plan = plan;
    this.#segments = segments;
    this.#collective = collective;
    this.#seed = seed;
  }

  /** Opens a session for each segment. */
  static async open(
    runtime: OnnxRuntime,
    model: SegmentedModel,
    { collective, seed }: { collective: Collective; seed: number },
  ): Promise<SegmentedSession> {
    const segments: OpenSegment[] = [];
    for (const { bytes, outputs } of model.segments) {
      const session = bytes && await sayingMemory(
        runtime,
        () => runtime.ort.InferenceSession.create(bytes, runtime.sessionOptions),
      );
      segments.push({ session, outputs });
    }
    const plan = {
      ...model,
      segments: model.segments.map((segment) => ({ ...segment, bytes: undefined })),
    };
    return new SegmentedSession(runtime, plan, { segments, collective, seed });
  }

  async run({ batches, firstStep, state }: SessionCall): Promise<Record<string, Float32Array>> {
    const [batch] = batches;
    const { scalars, state: slots } = this.plan;
    const { onPhase } = this.#collective;
    let at = performance.now();
    const measure = (phase: string) => {
      const now = performance.now();
      onPhase?.(phase, now - at);
      at = now;
    };
    const values = this.#inputs(batch, firstStep, state);
    measure("inputs");
    for (const [segment, { session, outputs }] of this.#segments.entries()) {
      if (session) {
        const feeds: Record<string, OrtTensor> = {};
        for (const name of session.inputNames) feeds[name] = values.get(name)!;
        const given = await sayingMemory(this.#runtime, () => session.run(feeds));
        for (const name of outputs) values.set(name, given[name] as OrtTensor);
        measure("compute");
      }
      const reduce = values.get(reduceOutput(segment));
      if (!reduce || segment === this.#segments.length - 1) continue;
      const means = reduce.data as Float32Array<ArrayBuffer>;
      await this.#collective.allReduceMean(means);
      values.set(reducedInput(segment), reduce);
      measure("all-reduce");
    }
    for (const { name, changes } of slots) {
      if (changes) state.set(name, values.get(stateOutput(name))!);
    }
    return Object.fromEntries(
      scalars.map((
        name,
      ) => [name, (values.get(scalarOutput(name))!.data as Float32Array).slice(0, 1)]),
    );
  }

  /** The inputs of the step by the graph's names. */
  #inputs(
    batch: StepInputs,
    step: number,
    state: ReadonlyMap<string, OrtTensor>,
  ): Map<string, OrtTensor> {
    const { ort } = this.#runtime;
    const { inputs, random, state: slots } = this.plan;
    const values = new Map<string, OrtTensor>();
    for (const { name, spec } of inputs) {
      const data = inputValues(spec, batch[name]) as Float32Array;
      values.set(programInput(name), new ort.Tensor(spec.dtype, data, spec.shape));
    }
    for (const input of random) {
      const data = new Float32Array(elementCount(input.shape));
      fillRandomInput(data, input, { seed: this.#seed, stream: input.stream, step });
      const dims = arrange(input.shape, input.order);
      values.set(input.name, new ort.Tensor("float32", data, dims));
    }
    for (const { name } of slots) values.set(stateInput(name), state.get(name)!);
    return values;
  }

  async release(): Promise<void> {
    for (const { session } of this.#segments) await session?.release();
  }
}
