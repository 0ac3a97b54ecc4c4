/**
 * Inputs that go to the device together: those of many steps are gathered on the host, written at once,
 * and each step copies its own out of them.
 */
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { BufferRange } from "./step_memory.ts";
import { feedProgram } from "./transfer_programs.ts";

/** Every device can bind eight storage buffers at once; two are the clock and the upload. */
const MAX_INPUTS = 6;

/** Usage flags of the upload: STORAGE | COPY_DST. */
const UPLOAD = 0x80 | 0x08;

/** Numbers that are uploaded as they are. */
export type UploadData = Float32Array | Int32Array | Uint32Array;

/**
 * Cuts inputs into groups that a kernel can bind.
 * @param maxBytes of a group; a larger input is one by itself
 */
export function groupInputs<T extends { target: BufferRange }>(
  inputs: T[],
  maxBytes: number,
): T[][] {
  const groups: T[][] = [];
  let bytes = Infinity;
  for (const input of inputs) {
    const { sizeBytes } = input.target;
    const last = groups.at(-1);
    if (last && last.length < MAX_INPUTS && bytes + sizeBytes <= maxBytes) {
      last.push(input);
      bytes += sizeBytes;
    } else {
      groups.push([input]);
      bytes = sizeBytes;
    }
  }
  return groups;
}

/** See the top of this file. */
export class UploadGroup {
  readonly #device: GPUDevice;
  readonly #clock: GPUBuffer;
  readonly #targets: BufferRange[];
  readonly #pipeline: GPUComputePipeline;
  readonly #workgroups: [number, number, number];
  /** Words of one step. */
  readonly #words: number;
  /** The host's copy, as each of the types that it takes. */
  #staging: { bytes: ArrayBuffer; float32: Float32Array; int32: Int32Array; uint32: Uint32Array };
  #upload: GPUBuffer | undefined;
  #bindGroup: GPUBindGroup | undefined;

  /**
   * @param targets where a step expects its inputs
   * @param clock see transfer_programs.ts
   */
  constructor(backend: GanforgeWebGpuBackend, targets: BufferRange[], clock: GPUBuffer) {
    this.#device = backend.device;
    this.#clock = clock;
    this.#targets = targets;
    const sizes = targets.map(({ sizeBytes }) => sizeBytes / 4);
    const { code, workgroups } = feedProgram(sizes);
    this.#pipeline = backend.pipeline("feed", code);
    this.#workgroups = workgroups;
    this.#words = sizes.reduce((sum, size) => sum + size, 0);
    this.#staging = staging(0);
  }

  /** Makes room for a number of steps. */
  reserve(steps: number): void {
    const sizeBytes = 4 * steps * this.#words;
    if (this.#upload && this.#upload.size >= sizeBytes) return;
    this.destroy();
    this.#staging = staging(sizeBytes);
    this.#upload = this.#device.createBuffer({ size: sizeBytes, usage: UPLOAD });
    const buffers = [this.#clock, this.#upload, ...this.#targets.map(({ buffer }) => buffer)];
    this.#bindGroup = this.#device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /** Takes in an input of the step at this place. @param index of the input within the group */
  set(place: number, index: number, data: UploadData): void {
    let offset = place * this.#words;
    for (let k = 0; k < index; k++) offset += this.#targets[k].sizeBytes / 4;
    if (data instanceof Float32Array) this.#staging.float32.set(data, offset);
    else if (data instanceof Int32Array) this.#staging.int32.set(data, offset);
    else this.#staging.uint32.set(data, offset);
  }

  /** Sends what a number of steps were given. */
  write(steps: number): void {
    const { bytes } = this.#staging;
    this.#device.queue.writeBuffer(this.#upload!, 0, bytes, 0, 4 * steps * this.#words);
  }

  /** Encodes the copies for the step at the clock's place. */
  encode(pass: GPUComputePassEncoder): void {
    const [x, y, z] = this.#workgroups;
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup!);
    pass.dispatchWorkgroups(x, y, z);
  }

  /** Gives the upload's memory back. */
  destroy(): void {
    this.#upload?.destroy();
    this.#upload = undefined;
  }
}

function staging(sizeBytes: number) {
  const bytes = new ArrayBuffer(sizeBytes);
  return {
    bytes,
    float32: new Float32Array(bytes),
    int32: new Int32Array(bytes),
    uint32: new Uint32Array(bytes),
  };
}
