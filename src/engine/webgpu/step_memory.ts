/**
 * The buffers of a step. Its kinds share them: state, inputs, constants and the clock, which have names,
 * and temporaries, in which nothing stays from one step to the next.
 */
import { TENSOR_USAGE } from "./backend.ts";
import type { Slot, StepPlan } from "./plan.ts";

/** Part of a buffer. */
export interface BufferRange {
  /** The buffer, from its start. */
  buffer: GPUBuffer;
  /** How much of it. */
  sizeBytes: number;
}

/** Owns the buffers of all kinds of a step. */
export class StepMemory {
  readonly #device: GPUDevice;
  readonly #buffers: GPUBuffer[] = [];
  readonly #externals = new Map<string, GPUBuffer>();
  readonly #temporaries: GPUBuffer[] = [];

  /** Owns nothing yet. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Bytes of all buffers. */
  get totalBytes(): number {
    return this.#buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes of all buffers once a plan has its own among them. */
  bytesWith(plan: StepPlan): number {
    const found = this.#find(plan);
    return plan.slots.reduce(
      (sum, slot) => found.has(slot) ? sum : sum + slot.sizeBytes,
      this.totalBytes,
    );
  }

  /** Gives each slot of a plan a buffer: one that is there already where it can. */
  place(plan: StepPlan): Map<Slot, GPUBuffer> {
    const placed = this.#find(plan);
    for (const slot of plan.slots) {
      if (placed.has(slot)) continue;
      const { sizeBytes, source } = slot;
      const buffer = this.create(
        sizeBytes,
        TENSOR_USAGE,
        source.kind === "constant" ? source.data : undefined,
      );
      if (source.kind === "external") this.#externals.set(source.name, buffer);
      if (source.kind === "temporary") this.#temporaries.push(buffer);
      placed.set(slot, buffer);
    }
    return placed;
  }

  /** Externals by their names; of the others the smallest that is large enough, large slots first. */
  #find(plan: StepPlan): Map<Slot, GPUBuffer> {
    const found = new Map<Slot, GPUBuffer>();
    const free = this.#temporaries.toSorted((a, b) => a.size - b.size);
    for (const slot of plan.slots.toSorted((a, b) => b.sizeBytes - a.sizeBytes)) {
      const { sizeBytes, source } = slot;
      if (source.kind === "external") {
        const buffer = this.#externals.get(source.name);
        if (buffer) found.set(slot, buffer);
      }
      if (source.kind !== "temporary") continue;
      const index = free.findIndex(({ size }) => size >= sizeBytes);
      if (index >= 0) found.set(slot, free.splice(index, 1)[0]);
    }
    return found;
  }

  /** A buffer of its own, with contents if any are given. */
  create(size: number, usage: number, contents?: ArrayBufferView): GPUBuffer {
    const buffer = this.#device.createBuffer({ size, usage, mappedAtCreation: !!contents });
    if (contents) {
      const { byteLength, byteOffset } = contents;
      new Uint8Array(buffer.getMappedRange())
        .set(new Uint8Array(contents.buffer, byteOffset, byteLength));
      buffer.unmap();
    }
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Gives all buffers back. */
  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}
