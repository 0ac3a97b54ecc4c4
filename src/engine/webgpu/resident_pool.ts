/**
 * A pool of samples that lies on the device: uploaded once (bytes stay bytes), from then on a step
 * uploads the numbers of its rows, and a kernel writes its batch. Of a pool of bytes that does not fit
 * the device holds one step's rows: a step uploads those, a quarter of what its batch takes.
 */
import { isBytes, rowCount, rowsPerStep } from "../sample_pool.ts";
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
export function rowBytes(pool: SamplePool): number {
  return bytesOfRows(pool, rowCount(pool));
}

function bytesOfRows(pool: SamplePool, rows: number): number {
  return Math.ceil(rows * pool.rowSize * (isBytes(pool) ? 1 : 4) / 4) * 4;
}

/** Sizes of the buffers: rows, row numbers, table where there is one. */
function sizesOf(spec: InputSpec, pool: SamplePool, rows = rowCount(pool)): number[] {
  const { byteValues } = pool;
  const table = byteValues ? [byteValues.byteLength] : [];
  return [bytesOfRows(pool, rows), 4 * rowsPerStep(spec, pool), ...table];
}

/** A pool on the device, bound to the input that it fills. */
export class ResidentPool {
  readonly #buffers: GPUBuffer[];
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroup: GPUBindGroup;
  readonly #workgroups: [number, number, number];
  /** What a step uploads: the numbers of its rows, or the rows. */
  readonly upload: BufferRange;
  /** Whether it holds one step's rows only. */
  readonly isStreamed: boolean;
  /** Bytes of its buffers. */
  readonly totalBytes: number;

  private constructor(
    backend: GanforgeWebGpuBackend,
    buffers: GPUBuffer[],
    { spec, pool, target, isStreamed }: PoolPlace & { isStreamed: boolean },
  ) {
    const { rowSize, rowsPerSample = 1 } = pool;
    const { code, workgroups } = gatherProgram({
      picked: rowsPerStep(spec, pool),
      rowSize,
      rowsPerSample,
      isBytes: isBytes(pool),
    });
    this.#buffers = buffers;
    this.#workgroups = workgroups;
    this.#pipeline = backend.pipeline("gather", code);
    this.#bindGroup = backend.device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [...buffers, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    this.isStreamed = isStreamed;
    const uploaded = isStreamed ? buffers[0] : buffers[1];
    this.upload = { buffer: uploaded, sizeBytes: uploaded.size };
    this.totalBytes = buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Puts a pool on the device.
   * @param given.target the buffer of the input
   * @returns undefined when the device has no memory for it
   */
  static async create(
    backend: GanforgeWebGpuBackend,
    given: PoolPlace,
  ): Promise<ResidentPool | undefined> {
    const { device } = backend;
    const { spec, pool } = given;
    const buffers = await allocate(device, sizesOf(spec, pool));
    if (!buffers) return undefined;
    for (const { start, bytes } of piecesOf(pool)) {
      const piece = wholeWords(bytes);
      device.queue.writeBuffer(buffers[0], start, piece as Uint8Array<ArrayBuffer>);
      device.queue.submit([]);
      await device.queue.onSubmittedWorkDone();
    }
    writeTable(device, buffers[2], pool);
    return new ResidentPool(backend, buffers, { ...given, isStreamed: false });
  }

  /**
   * Makes room on the device for one step's rows of a pool of bytes.
   * @param given.target the buffer of the input
   * @returns undefined when the device has no memory for it
   */
  static async stream(
    backend: GanforgeWebGpuBackend,
    given: PoolPlace,
  ): Promise<ResidentPool | undefined> {
    const { device } = backend;
    const { spec, pool } = given;
    const rows = rowsPerStep(spec, pool);
    const buffers = await allocate(device, sizesOf(spec, pool, rows));
    if (!buffers) return undefined;
    const numbers = Uint32Array.from({ length: rows }, (_, row) => row);
    device.queue.writeBuffer(buffers[1], 0, numbers);
    writeTable(device, buffers[2], pool);
    return new ResidentPool(backend, buffers, { ...given, isStreamed: true });
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

/** A pool and the buffer of the input that it fills. */
interface PoolPlace {
  spec: InputSpec;
  pool: SamplePool;
  target: GPUBuffer;
}

/** Buffers of these sizes, or none where there is no memory. */
async function allocate(device: GPUDevice, sizes: number[]): Promise<GPUBuffer[] | undefined> {
  device.pushErrorScope("out-of-memory");
  const buffers = sizes.map((size) => device.createBuffer({ size, usage: TENSOR_USAGE }));
  if (!(await device.popErrorScope())) return buffers;
  for (const buffer of buffers) buffer.destroy();
  return undefined;
}

function writeTable(device: GPUDevice, buffer: GPUBuffer, { byteValues }: SamplePool): void {
  if (byteValues) device.queue.writeBuffer(buffer, 0, byteValues as Float32Array<ArrayBuffer>);
}

/** All rows of a pool as bytes, some at a time; each piece begins at a whole word. */
function* piecesOf(pool: SamplePool): Generator<{ start: number; bytes: Uint8Array }> {
  const { rows, rowSize } = pool;
  if (!("count" in rows)) {
    const all = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    for (let start = 0; start < all.length; start += UPLOAD_BYTES) {
      yield { start, bytes: all.subarray(start, start + UPLOAD_BYTES) };
    }
    return;
  }
  const together = 4 * Math.max(1, Math.floor(UPLOAD_BYTES / 4 / rowSize));
  for (let first = 0; first < rows.count; first += together) {
    const length = Math.min(together, rows.count - first);
    const numbers = Uint32Array.from({ length }, (_, k) => first + k);
    yield { start: first * rowSize, bytes: rows.read(numbers) };
  }
}

/** WebGPU writes words of four bytes: the last one is filled up with zeros. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}
