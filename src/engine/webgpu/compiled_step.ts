/**
 * A step on the GPU, replayed: inputs are uploaded a chunk of steps at a time, the clock counts up on the
 * GPU, scalars collect in a ring that is read once a call. Many steps make one compute pass: every pass
 * and command buffer leaves an object behind that holds native memory until V8 next collects garbage.
 */
import { checkBatches, checkState, NO_COLLECTIVE } from "../checks.ts";
import { Lifecycle } from "../lifecycle.ts";
import { kindOf } from "../step_kinds.ts";
import type { CompiledStep, StepInputs, StepProgram } from "../types.ts";
import type { HostTensor, HostTensors, TensorSpec } from "../../tensor/types.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { StepExecutable } from "./executable.ts";
import { readMapped } from "./read_back.ts";
import { ADDRESS, stateKey } from "./recorder.ts";
import { ScalarRing } from "./scalar_ring.ts";
import type { StepInputFeed } from "./step_inputs.ts";
import type { BufferRange, StepMemory } from "./step_memory.ts";

/** Usage flags of a buffer that the host reads: MAP_READ | COPY_DST. */
const READ_BACK = 0x01 | 0x08;

/** Steps in one command buffer at most. */
const MAX_STEPS = 32;
/** A GPU is given work for so long at once: systems reset one that does not answer for 2 s. */
const MAX_SUBMIT_MS = 250;

/** What {@linkcode WebGpuStep} is made of. */
export interface WebGpuStepParts {
  /** Compiles the few programs that are not part of the step. */
  backend: GanforgeWebGpuBackend;
  /** Tells the kinds of steps. */
  program: StepProgram;
  /** Captures a kind; its externals are the state, the inputs, the constants and the clock. */
  capture(kind: string): Promise<StepExecutable>;
  /** The kind of step 0, captured. */
  first: StepExecutable;
  /** The buffers of all kinds; the step takes them over. */
  memory: StepMemory;
  /** Brings the inputs to the memory's buffers; the step takes it over. */
  inputs: StepInputFeed;
  /** Shapes and types of the state. */
  state: Record<string, TensorSpec>;
  /** Seed of the step's random numbers. */
  seed: number;
  /** Whether the adapter is software, which may work as long as it likes. */
  isSoftware: boolean;
  /** Throws what the device reported. */
  check(): void;
  /** Called once, when the step is disposed. */
  onDispose(): void;
}

/** A captured step; see the top of this file. */
export class WebGpuStep implements CompiledStep {
  readonly #parts: WebGpuStepParts;
  readonly #device: GPUDevice;
  readonly #clock: GPUBuffer;
  readonly #ring: ScalarRing;
  readonly #kinds = new Map<string, StepExecutable>();
  /** Milliseconds a step of the last chunk; at first nothing is known. */
  #stepMs = Infinity;
  readonly #readBacks = new Map<number, GPUBuffer>();
  readonly #life = new Lifecycle("step");

  /** Takes over what `parts` says. */
  constructor(parts: WebGpuStepParts) {
    this.#parts = parts;
    const { backend, first, program } = parts;
    this.#device = backend.device;
    this.#clock = first.externals.get(ADDRESS)!.buffer;
    this.#ring = new ScalarRing(backend, this.#clock);
    this.#addKind(kindOf(program, 0), first);
  }

  /** The buffers and dispatches of step 0's kind, for measurements. */
  get executable(): StepExecutable {
    return this.#parts.first;
  }

  /** How many dispatches a step of each kind has that was met so far, for measurements. */
  get dispatchCounts(): Record<string, number> {
    return Object.fromEntries(
      [...this.#kinds].map(([kind, { dispatchCount }]) => [kind, dispatchCount]),
    );
  }

  /** Bytes of data that stay on the device. */
  get residentBytes(): number {
    return this.#parts.inputs.residentBytes;
  }

  #addKind(kind: string, executable: StepExecutable): void {
    if (executable.exchanges.length > 0 && !this.#parts.program.collective) {
      throw new TypeError(NO_COLLECTIVE);
    }
    this.#kinds.set(kind, executable);
    this.#ring.addKind(kind, executable.scalars);
  }

  run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    return this.#life.use(() => {
      checkBatches(this.#parts.program.inputs, batches, firstStep);
      return this.#run(batches, firstStep);
    });
  }

  async #run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    const kinds = batches.map((_, index) => kindOf(this.#parts.program, firstStep + index));
    for (const kind of new Set(kinds)) {
      if (!this.#kinds.has(kind)) this.#addKind(kind, await this.#parts.capture(kind));
    }
    const { maxSteps } = this.#parts.inputs;
    const result: Record<string, Float32Array> = {};
    for (let start = 0; start < batches.length; start += maxSteps) {
      const scalars = await this.#runChunk(
        batches.slice(start, start + maxSteps),
        kinds.slice(start, start + maxSteps),
        firstStep + start,
      );
      for (const [name, values] of Object.entries(scalars)) {
        result[name] ??= new Float32Array(batches.length).fill(NaN);
        result[name].set(values, start);
      }
    }
    return result;
  }

  async #runChunk(
    batches: StepInputs[],
    kinds: string[],
    firstStep: number,
  ): Promise<Record<string, Float32Array>> {
    const { inputs, isSoftware, seed, check } = this.#parts;
    const startedAt = performance.now();
    const count = batches.length;
    inputs.write(batches);
    this.#ring.reserve(count);
    const clock = Uint32Array.of(seed, firstStep, 0, this.#ring.columnCount);
    this.#device.queue.writeBuffer(this.#clock, 0, clock);
    const maxSteps = isSoftware
      ? MAX_STEPS
      : Math.max(1, Math.min(MAX_STEPS, Math.floor(MAX_SUBMIT_MS / this.#stepMs)));
    if (kinds.some((kind) => this.#kinds.get(kind)!.exchanges.length > 0)) {
      await this.#runWithOthers(kinds);
      const scalars = await this.#ring.read(kinds, check);
      this.#stepMs = (performance.now() - startedAt) / count;
      return scalars;
    }
    // The first of several is short, so that the device need not wait for it.
    let size = count > maxSteps ? 1 : maxSteps;
    for (let start = 0, end; start < count; start = end, size = Math.min(4 * size, maxSteps)) {
      end = Math.min(start + size, count);
      const encoder = this.#device.createCommandEncoder();
      this.#encodeSteps(encoder, kinds, start, end);
      if (end === count) this.#ring.encodeReadBack(encoder, count);
      this.#device.queue.submit([encoder.finish()]);
    }
    const scalars = await this.#ring.read(kinds, check);
    this.#stepMs = (performance.now() - startedAt) / count;
    return scalars;
  }

  /** Runs steps that exchange values with other processes, and leaves the scalars to be read. */
  async #runWithOthers(kinds: string[]): Promise<void> {
    const { inputs } = this.#parts;
    for (const [index, kind] of kinds.entries()) {
      const executable = this.#kinds.get(kind)!;
      let from = 0;
      for (const { after, ...range } of executable.exchanges) {
        const encoder = this.#device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        if (from === 0) inputs.encode(pass);
        executable.encodeDispatches(pass, from, after);
        pass.end();
        await this.#exchange(encoder, range);
        from = after;
      }
      const encoder = this.#device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      if (from === 0) inputs.encode(pass);
      executable.encodeDispatches(pass, from);
      this.#ring.encode(pass, kind);
      executable.encodeStateCopies(pass);
      pass.end();
      if (index === kinds.length - 1) this.#ring.encodeReadBack(encoder, kinds.length);
      this.#device.queue.submit([encoder.finish()]);
    }
  }

  /** Ends a command buffer, and puts the mean over all processes in the place of what it has computed. */
  async #exchange(encoder: GPUCommandEncoder, { buffer, sizeBytes }: BufferRange): Promise<void> {
    const { check, program } = this.#parts;
    const collective = program.collective!;
    let at = performance.now();
    const measure = (phase: string) => {
      const now = performance.now();
      collective.onPhase?.(phase, now - at);
      at = now;
    };
    const readBack = this.#readBackFor(sizeBytes);
    encoder.copyBufferToBuffer(buffer, 0, readBack, 0, sizeBytes);
    this.#device.queue.submit([encoder.finish()]);
    const values = new Float32Array(await readMapped(readBack, sizeBytes, check));
    measure("compute");
    await collective.allReduceMean(values);
    measure("all-reduce");
    this.#device.queue.writeBuffer(buffer, 0, values);
    measure("copies");
  }

  /** A buffer that the host reads exchanges of this size from. */
  #readBackFor(sizeBytes: number): GPUBuffer {
    const known = this.#readBacks.get(sizeBytes);
    if (known) return known;
    const made = this.#device.createBuffer({ size: sizeBytes, usage: READ_BACK });
    this.#readBacks.set(sizeBytes, made);
    return made;
  }

  #encodeSteps(encoder: GPUCommandEncoder, kinds: string[], start: number, end: number): void {
    const { inputs } = this.#parts;
    const pass = encoder.beginComputePass();
    for (let step = start; step < end; step++) {
      const executable = this.#kinds.get(kinds[step])!;
      inputs.encode(pass);
      executable.encodeDispatches(pass);
      this.#ring.encode(pass, kinds[step]);
      executable.encodeStateCopies(pass);
    }
    pass.end();
  }

  readState(): Promise<HostTensors> {
    return this.#life.use(() => this.#readState());
  }

  async #readState(): Promise<HostTensors> {
    const { first, state, check } = this.#parts;
    const names = Object.keys(state);
    const encoder = this.#device.createCommandEncoder();
    const copies = names.map((name) => {
      const { buffer, sizeBytes } = first.externals.get(stateKey(name))!;
      const copy = this.#device.createBuffer({ size: Math.max(4, sizeBytes), usage: READ_BACK });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, sizeBytes);
      return { copy, sizeBytes };
    });
    this.#device.queue.submit([encoder.finish()]);
    const data = await Promise.all(
      copies.map(({ copy, sizeBytes }) => readMapped(copy, sizeBytes, check)),
    );
    copies.forEach(({ copy }) => copy.destroy());
    check();
    return Object.fromEntries(names.map((name, k): [string, HostTensor] => {
      const { shape, dtype } = state[name];
      return dtype === "int32"
        ? [name, { shape: [...shape], dtype, data: new Int32Array(data[k]) }]
        : [name, { shape: [...shape], dtype, data: new Float32Array(data[k]) }];
    }));
  }

  writeState(state: HostTensors): Promise<void> {
    return this.#life.use(async () => {
      const { first, state: specs, check } = this.#parts;
      checkState(specs, state);
      for (const name of Object.keys(specs)) {
        const data = state[name].data as Float32Array<ArrayBuffer>;
        this.#device.queue.writeBuffer(first.externals.get(stateKey(name))!.buffer, 0, data);
      }
      await this.#device.queue.onSubmittedWorkDone();
      check();
    });
  }

  dispose(): Promise<void> {
    return this.#life.dispose(() => {
      this.#ring.destroy();
      for (const buffer of this.#readBacks.values()) buffer.destroy();
      this.#parts.inputs.destroy();
      this.#parts.memory.destroy();
      this.#parts.onDispose();
    });
  }
}
