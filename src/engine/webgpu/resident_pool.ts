/**
 * A pool of samples that lies on the device: uploaded once (bytes stay bytes), from then on a step
 * uploads the numbers of its rows, and a kernel writes its batch.
 */
import { rowsPerStep } from "../sample_pool.ts";
import type { InputSpec, SamplePool } from "../types.ts";
import { type GanforgeWebGpuBackend, TENSOR_USAGE } from "./backend.ts";
import { gatherProgram } from "./kernels/gather.ts";
import type { BufferRange } from "./step_memory.ts";

/** The driver keeps a copy of what is written until it is submitted: so much at a time. */
const UPLOAD_BYTES = 32 << 20;

/** Bytes that a pool takes on the device, its table and the row numbers of a step included. */
export function poolBytes(spec: InputSpec, pool: SamplePool): number {
  return sizesOf(spec, pool).reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of the buffer of rows alone, the longest of them. */
export function rowBytes({ rows }: SamplePool): number {
  return Math.ceil(rows.byteLength / 4) * 4;
}

/** Sizes of the buffers: rows, row numbers, table where there is one. */
function sizesOf(spec: InputSpec, pool: SamplePool): number[] {
  const { byteValues } = pool;
  const table = byteValues ? [byteValues.byteLength] : [];
  return [rowBytes(pool), 4 * rowsPerStep(spec, pool), ...table];
}

/** A pool on the device, bound to the input that it fills. */
export class ResidentPool {
  readonly #buffers: GPUBuffer[];
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroup: GPUBindGroup;
  readonly #workgroups: [number, number, number];
  /** Holds the row numbers of the next step. */
  readonly numbers: BufferRange;
  /** Bytes of its buffers. */
  readonly totalBytes: number;

  private constructor(
    backend: GanforgeWebGpuBackend,
    buffers: GPUBuffer[],
    { spec, pool, target }: { spec: InputSpec; pool: SamplePool; target: GPUBuffer },
  ) {
    const { rowSize, rows, rowsPerSample = 1 } = pool;
    const { code, workgroups } = gatherProgram({
      picked: rowsPerStep(spec, pool),
      rowSize,
      rowsPerSample,
      isBytes: rows instanceof Uint8Array,
    });
    this.#buffers = buffers;
    this.#workgroups = workgroups;
    this.#pipeline = backend.pipeline("gather", code);
    this.#bindGroup = backend.device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [...buffers, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    this.numbers = { buffer: buffers[1], sizeBytes: 4 * rowsPerStep(spec, pool) };
    this.totalBytes = buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Puts a pool on the device.
   * @param given.target the buffer of the input
   * @returns undefined when the device has no memory for it
   */
  static async create(
    backend: GanforgeWebGpuBackend,
    given: { spec: InputSpec; pool: SamplePool; target: GPUBuffer },
  ): Promise<ResidentPool | undefined> {
    const { device } = backend;
    const { byteValues, rows } = given.pool;
    device.pushErrorScope("out-of-memory");
    const buffers = sizesOf(given.spec, given.pool).map((size) =>
      device.createBuffer({ size, usage: TENSOR_USAGE })
    );
    if (await device.popErrorScope()) {
      for (const buffer of buffers) buffer.destroy();
      return undefined;
    }
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    for (let start = 0; start < bytes.length; start += UPLOAD_BYTES) {
      const piece = wholeWords(bytes.subarray(start, start + UPLOAD_BYTES));
      device.queue.writeBuffer(buffers[0], start, piece as Uint8Array<ArrayBuffer>);
      device.queue.submit([]);
      await device.queue.onSubmittedWorkDone();
    }
    if (byteValues) {
      device.queue.writeBuffer(buffers[2], 0, byteValues as Float32Array<ArrayBuffer>);
    }
    return new ResidentPool(backend, buffers, given);
  }

  /** Encodes the making of a batch from the row numbers. */
  encode(pass: GPUComputePassEncoder): void {
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    const [x, y, z] = this.#workgroups;
    pass.dispatchWorkgroups(x, y, z);
  }

  /** Gives the buffers back. */
  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}

/** WebGPU writes words of four bytes: the last one is filled up with zeros. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
