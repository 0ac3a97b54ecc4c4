/**
 * The scalars of replayed steps: each step ends by putting its own into a row of a buffer on the device,
 * which the host reads once a call.
 */
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { readMapped } from "./read_back.ts";
import type { BufferRange } from "./step_memory.ts";
import { collectProgram } from "./transfer_programs.ts";

/** Every device can bind eight storage buffers at once; two are the clock and the ring. */
const MAX_SCALARS = 6;

/** Usage flags of a buffer that the host reads: MAP_READ | COPY_DST. */
const READ_BACK = 0x01 | 0x08;
/** Usage flags of the ring: STORAGE | COPY_SRC. */
const RING = 0x80 | 0x04;

interface BoundCollect {
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
}

/** The scalars of all kinds of a step. A scalar has the same column in each of them. */
export class ScalarRing {
  readonly #backend: GanforgeWebGpuBackend;
  readonly #clock: GPUBuffer;
  readonly #columns = new Map<string, number>();
  readonly #scalarsOf = new Map<string, Map<string, BufferRange>>();
  readonly #collects = new Map<string, BoundCollect[]>();
  #buffers: { ring: GPUBuffer; readBack: GPUBuffer } | undefined;

  /** @param clock see transfer_programs.ts */
  constructor(backend: GanforgeWebGpuBackend, clock: GPUBuffer) {
    this.#backend = backend;
    this.#clock = clock;
  }

  /** How many columns a row has. */
  get columnCount(): number {
    return this.#columns.size;
  }

  /** Takes the scalars of another kind of step in. */
  addKind(kind: string, scalars: Map<string, BufferRange>): void {
    for (const name of scalars.keys()) {
      if (!this.#columns.has(name)) this.#columns.set(name, this.#columns.size);
    }
    this.#scalarsOf.set(kind, scalars);
    this.#collects.delete(kind);
  }

  /** Makes room for a number of steps. */
  reserve(steps: number): void {
    const size = Math.max(16, 4 * steps * this.#columns.size);
    if (!this.#buffers || this.#buffers.ring.size < size) {
      this.destroy();
      const { device } = this.#backend;
      this.#buffers = {
        ring: device.createBuffer({ size, usage: RING }),
        readBack: device.createBuffer({ size, usage: READ_BACK }),
      };
      this.#collects.clear();
    }
    for (const [kind, scalars] of this.#scalarsOf) {
      if (!this.#collects.has(kind)) this.#collects.set(kind, this.#bind(scalars));
    }
  }

  #bind(scalars: Map<string, BufferRange>): BoundCollect[] {
    const { device } = this.#backend;
    const all = [...scalars];
    const groups = Array.from(
      { length: Math.max(1, Math.ceil(all.length / MAX_SCALARS)) },
      (_, k) => all.slice(MAX_SCALARS * k, MAX_SCALARS * (k + 1)),
    );
    return groups.map((group, k) => {
      const columns = group.map(([name]) => this.#columns.get(name)!);
      const { code } = collectProgram(columns, k === groups.length - 1);
      const pipeline = this.#backend.pipeline("collect", code);
      const buffers = [...group.map(([, { buffer }]) => buffer), this.#clock, this.#buffers!.ring];
      // A program without scalars does not use the ring, and its layout does not have it.
      const used = group.length > 0 ? buffers : [this.#clock];
      const bindGroup = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: used.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      return { pipeline, bindGroup };
    });
  }

  /** Encodes what stores the scalars of a step of this kind; moves the clock on. */
  encode(pass: GPUComputePassEncoder, kind: string): void {
    for (const { pipeline, bindGroup } of this.#collects.get(kind)!) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1, 1, 1);
    }
  }

  /** Encodes the copy that {@linkcode read} waits for, after the last step of a run. */
  encodeReadBack(encoder: GPUCommandEncoder, steps: number): void {
    const { ring, readBack } = this.#buffers!;
    const sizeBytes = 4 * steps * this.#columns.size;
    if (sizeBytes > 0) encoder.copyBufferToBuffer(ring, 0, readBack, 0, sizeBytes);
  }

  /**
   * Waits for the scalars of steps.
   * @param kinds of each step
   * @returns for each scalar of any of them, its value at each; NaN where a step has no such scalar
   */
  async read(kinds: string[], check: () => void): Promise<Record<string, Float32Array>> {
    const width = this.#columns.size;
    if (width === 0) await this.#backend.device.queue.onSubmittedWorkDone();
    const data = width === 0
      ? new ArrayBuffer(0)
      : await readMapped(this.#buffers!.readBack, 4 * kinds.length * width, check);
    check();
    const values = new Float32Array(data);
    const result: Record<string, Float32Array> = {};
    kinds.forEach((kind, step) => {
      for (const name of this.#scalarsOf.get(kind)!.keys()) {
        result[name] ??= new Float32Array(kinds.length).fill(NaN);
        result[name][step] = values[step * width + this.#columns.get(name)!];
      }
    });
    return result;
  }

  /** Gives the buffers back. */
  destroy(): void {
    this.#buffers?.ring.destroy();
    this.#buffers?.readBack.destroy();
    this.#buffers = undefined;
  }
}
