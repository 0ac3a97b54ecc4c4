/**
 * A planned step with real buffers and bind groups: what is left to do for one step is to encode a
 * list of dispatches and to submit it.
 */
import { type GanforgeWebGpuBackend, TENSOR_USAGE } from "./backend.ts";
import type { Dispatch } from "./backend_types.ts";
import { elementwiseDispatch } from "./elementwise.ts";
import {
  mapBuffers,
  type Operation,
  readsOf,
  type StepGraph,
  type Value,
  writesOf,
} from "./graph.ts";
import type { Slot, StepPlan } from "./plan.ts";
import { reductionDispatch } from "./reduction.ts";

interface BoundDispatch {
  label: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: [number, number, number];
}

/** Part of a buffer. */
export interface BufferRange {
  /** The buffer, from its start. */
  buffer: GPUBuffer;
  /** How much of it. */
  sizeBytes: number;
}

/** A uniform block starts at a multiple of this (WebGPU's largest minUniformBufferOffsetAlignment). */
const UNIFORM_ALIGNMENT = 256;

/** The buffers of a step, and its work bound to them. */
export class StepExecutable {
  readonly #device: GPUDevice;
  readonly #dispatches: BoundDispatch[];
  readonly #buffers: GPUBuffer[] = [];
  readonly #copies: { from: GPUBuffer; to: GPUBuffer; sizeBytes: number }[];
  /** State, inputs, constants and the random address, by name. */
  readonly externals: Map<string, BufferRange> = new Map();
  /** Scalars by name. */
  readonly scalars: Map<string, BufferRange> = new Map();
  /** Bytes of all buffers. */
  readonly totalBytes: number;

  /** Creates buffers, pipelines and bind groups. */
  constructor(backend: GanforgeWebGpuBackend, graph: StepGraph, plan: StepPlan) {
    const { device } = backend;
    this.#device = device;
    const bufferOfSlot = new Map<Slot, GPUBuffer>();
    for (const slot of plan.slots) bufferOfSlot.set(slot, this.#create(slot));
    const real = (value: Value) => bufferOfSlot.get(plan.slotOf.get(value)!)!;
    const realOf = (standIn: GPUBuffer) => real(graph.valueOf(standIn));

    const work = plan.operations.map((operation, i): Dispatch => {
      const moved = mapBuffers(operation, realOf);
      if (moved.kind === "dispatch") return moved.work;
      if (moved.kind === "reduction") return reductionDispatch(backend, moved.work);
      return elementwiseDispatch(backend, moved.work, plan.inPlace.get(i));
    });
    const uniforms = this.#uniformBlocks(work);
    this.#dispatches = work.map((dispatch, i) => {
      const { label, pipeline, reads, writes, writesFirst, workgroups } = dispatch;
      const buffers = writesFirst ? [...writes, ...reads] : [...reads, ...writes];
      const sizeOf = boundSizes(plan.operations[i], graph, realOf);
      const resources: GPUBufferBinding[] = buffers.map((buffer) => ({
        buffer,
        size: sizeOf.get(buffer),
      }));
      if (uniforms[i]) resources.push(uniforms[i]);
      const bindGroup = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
      return { label, pipeline, bindGroup, workgroups };
    });
    this.#copies = plan.finalCopies.map(({ from, to }) => ({
      from: real(from),
      to: real(to),
      sizeBytes: to.sizeBytes,
    }));
    for (const value of graph.values) {
      if (value.source.kind !== "external") continue;
      this.externals.set(value.source.name, { buffer: real(value), sizeBytes: value.sizeBytes });
    }
    for (const [name, value] of plan.scalars) {
      this.scalars.set(name, { buffer: real(value), sizeBytes: value.sizeBytes });
    }
    this.totalBytes = this.#buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  }

  #create({ sizeBytes, source }: Slot): GPUBuffer {
    const isConstant = source.kind === "constant";
    const buffer = this.#device.createBuffer({
      size: sizeBytes,
      usage: TENSOR_USAGE,
      mappedAtCreation: isConstant,
    });
    if (isConstant) {
      const { data } = source;
      new Uint8Array(buffer.getMappedRange()).set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      buffer.unmap();
    }
    this.#buffers.push(buffer);
    return buffer;
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
    const buffer = this.#device.createBuffer({
      size: Math.max(end, UNIFORM_ALIGNMENT),
      usage: 0x40, // UNIFORM
      mappedAtCreation: true,
    });
    const bytes = new Uint8Array(buffer.getMappedRange());
    work.forEach(({ uniforms }, i) => {
      if (uniforms) bytes.set(new Uint8Array(uniforms), offsets[i]);
    });
    buffer.unmap();
    this.#buffers.push(buffer);
    return work.map(({ uniforms }, i) =>
      uniforms && { buffer, offset: offsets[i], size: uniforms.byteLength }
    ) as GPUBufferBinding[];
  }

  /** How many dispatches a step has. */
  get dispatchCount(): number {
    return this.#dispatches.length;
  }

  /**
   * Encodes the dispatches of one step.
   * @param before encodes what the same pass has to do first
   */
  encodeDispatches(
    encoder: GPUCommandEncoder,
    before?: (pass: GPUComputePassEncoder) => void,
  ): void {
    const pass = encoder.beginComputePass();
    before?.(pass);
    let current: GPUComputePipeline | undefined;
    for (const { pipeline, bindGroup, workgroups } of this.#dispatches) {
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
  }

  /** Encodes the copies of new state into the state's buffers. */
  encodeStateCopies(encoder: GPUCommandEncoder): void {
    for (const { from, to, sizeBytes } of this.#copies) {
      encoder.copyBufferToBuffer(from, 0, to, 0, sizeBytes);
    }
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

  /** Gives all buffers back. */
  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** How many bytes of each buffer an operation sees: a shared buffer may be longer than the value. */
function boundSizes(
  operation: Operation,
  graph: StepGraph,
  realOf: (standIn: GPUBuffer) => GPUBuffer,
): Map<GPUBuffer, number> {
  const standIns = [...readsOf(operation), ...writesOf(operation)];
  return new Map(
    standIns.map((standIn) => [realOf(standIn), graph.valueOf(standIn).sizeBytes] as const),
  );
}
