/**
 * A planned step with real buffers and bind groups: what is left to do for one step is to encode a
 * list of dispatches.
 */
import { ALL_REDUCE } from "../../tensor/all_reduce.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { dispatchesOf } from "./dispatches.ts";
import type { StepGraph, Value } from "./graph.ts";
import type { StepPlan } from "./plan.ts";
import type { BufferRange, StepMemory } from "./step_memory.ts";
import { copyProgram } from "./transfer_programs.ts";
import type { Dispatch } from "./work.ts";

/** A dispatch that is ready to be encoded. */
interface BoundDispatch {
  label: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: [number, number, number];
}

/** A uniform block starts at a multiple of this (WebGPU's largest minUniformBufferOffsetAlignment). */
const UNIFORM_ALIGNMENT = 256;

/** The work of a step, bound to its buffers. */
export class StepExecutable {
  readonly #device: GPUDevice;
  readonly #memory: StepMemory;
  readonly #dispatches: BoundDispatch[];
  readonly #copies: BoundDispatch[];
  /** State, inputs, constants and the random address, by name. */
  readonly externals: Map<string, BufferRange> = new Map();
  /** Scalars by name. */
  readonly scalars: Map<string, BufferRange> = new Map();
  /** Where the step exchanges values with other processes: after how many dispatches, and which. */
  readonly exchanges: readonly (BufferRange & { after: number })[];

  /** Creates pipelines and bind groups, and what buffers `memory` does not have yet. */
  constructor(
    backend: GanforgeWebGpuBackend,
    graph: StepGraph,
    { plan, memory }: { plan: StepPlan; memory: StepMemory },
  ) {
    const { device } = backend;
    this.#device = device;
    this.#memory = memory;
    const bufferOfSlot = memory.place(plan);
    const real = (value: Value) => bufferOfSlot.get(plan.slotOf.get(value)!)!;
    const rangeOf = (standIn: GPUBuffer): BufferRange => {
      const value = graph.valueOf(standIn);
      return { buffer: real(value), sizeBytes: value.sizeBytes };
    };
    const work = dispatchesOf(backend, plan, rangeOf);
    const uniforms = this.#uniformBlocks(work);
    this.exchanges = work.flatMap(({ label, writes: [buffer], sizeOf }, i) =>
      label === ALL_REDUCE ? [{ after: i + 1, buffer, sizeBytes: sizeOf.get(buffer)! }] : []
    );
    this.#dispatches = work.map((dispatch, i) => {
      const { label, pipeline, reads, writes, writesFirst, workgroups } = dispatch;
      const buffers = writesFirst ? [...writes, ...reads] : [...reads, ...writes];
      const resources: GPUBufferBinding[] = buffers.map((buffer) => ({
        buffer,
        size: dispatch.sizeOf.get(buffer),
      }));
      if (uniforms[i]) resources.push(uniforms[i]);
      return { label, pipeline, bindGroup: bind(device, pipeline, resources), workgroups };
    });
    const copies = plan.finalCopies.filter(({ to }) => to.sizeBytes > 0);
    this.#copies = copies.map(({ from, to }) => {
      const { code, workgroups } = copyProgram(to.sizeBytes / 4);
      const pipeline = backend.pipeline("copy", code);
      const resources = [from, to].map((value) => ({ buffer: real(value), size: to.sizeBytes }));
      return { label: "copy", pipeline, bindGroup: bind(device, pipeline, resources), workgroups };
    });
    for (const value of graph.values) {
      if (value.source.kind !== "external") continue;
      this.externals.set(value.source.name, { buffer: real(value), sizeBytes: value.sizeBytes });
    }
    for (const [name, value] of plan.scalars) {
      this.scalars.set(name, { buffer: real(value), sizeBytes: value.sizeBytes });
    }
  }

  /** Bytes of all buffers, those of the step's other kinds included. */
  get totalBytes(): number {
    return this.#memory.totalBytes;
  }

  /** Puts all uniform blocks into one buffer. */
  #uniformBlocks(work: Dispatch[]): GPUBufferBinding[] {
    let end = 0;
    const offsets = work.map(({ uniforms }) => {
      const offset = end;
      if (uniforms) {
        end += Math.ceil(uniforms.byteLength / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
      }
      return offset;
    });
    const bytes = new Uint8Array(Math.max(end, UNIFORM_ALIGNMENT));
    work.forEach(({ uniforms }, i) => {
      if (uniforms) bytes.set(new Uint8Array(uniforms), offsets[i]);
    });
    const buffer = this.#memory.create(bytes.length, 0x40, bytes); // UNIFORM
    return work.map(({ uniforms }, i) =>
      uniforms && { buffer, offset: offsets[i], size: uniforms.byteLength }
    ) as GPUBufferBinding[];
  }

  /** How many dispatches a step has, without copies of state. */
  get dispatchCount(): number {
    return this.#dispatches.length;
  }

  /** How many copies of state end a step. */
  get copyCount(): number {
    return this.#copies.length;
  }

  /** The workgroups of each dispatch, for measurements. */
  get workgroups(): [number, number, number][] {
    return this.#dispatches.map(({ workgroups }) => workgroups);
  }

  /** Encodes the dispatches of one step, or some of them. */
  encodeDispatches(pass: GPUComputePassEncoder, from = 0, to = this.#dispatches.length): void {
    const isWhole = from === 0 && to === this.#dispatches.length;
    encode(pass, isWhole ? this.#dispatches : this.#dispatches.slice(from, to));
  }

  /** Encodes the copies of new state into the state's buffers: what ends a step. */
  encodeStateCopies(pass: GPUComputePassEncoder): void {
    encode(pass, this.#copies);
  }

  /**
   * Runs the dispatches of one step with a pair of time stamps each.
   * @returns label, milliseconds and workgroups of each dispatch
   */
  async profile(): Promise<{ label: string; ms: number; workgroups: number[] }[]> {
    const count = this.#dispatches.length;
    const querySet = this.#device.createQuerySet({ type: "timestamp", count: 2 * count });
    const encoder = this.#device.createCommandEncoder();
    this.#dispatches.forEach(({ pipeline, bindGroup, workgroups }, i) => {
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    });
    const resolved = this.#device.createBuffer({ size: 16 * count, usage: 0x200 | 0x04 });
    const readable = this.#device.createBuffer({ size: 16 * count, usage: 0x01 | 0x08 });
    encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16 * count);
    this.#device.queue.submit([encoder.finish()]);
    await readable.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(readable.getMappedRange().slice(0));
    for (const thing of [querySet, resolved, readable]) thing.destroy();
    return this.#dispatches.map(({ label, workgroups }, i) => ({
      label,
      ms: Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6,
      workgroups,
    }));
  }
}

function bind(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  resources: GPUBindingResource[],
): GPUBindGroup {
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: resources.map((resource, binding) => ({ binding, resource })),
  });
}

function encode(pass: GPUComputePassEncoder, dispatches: BoundDispatch[]): void {
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, bindGroup, workgroups: [x, y, z] } of dispatches) {
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(x, y, z);
  }
}
