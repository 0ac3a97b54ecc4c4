/**
 * How the inputs of replayed steps reach the device: those of many steps go into one buffer, from which
 * each step copies its own. Of an input whose pool lies on the device these are row numbers.
 */
import { checkedRows, fillInput } from "../sample_pool.ts";
import type { InputSpec, SamplePool, StepInputs } from "../types.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { BufferRange } from "./executable.ts";
import { poolFits } from "./memory.ts";
import { poolBytes, ResidentPool, rowBytes } from "./resident_pool.ts";

interface Slot {
  name: string;
  spec: InputSpec;
  /** Where a step expects what is uploaded: the input itself, or its row numbers. */
  target: BufferRange;
  /** Set where the pool lies on the device. */
  resident?: ResidentPool;
}

/** What {@linkcode StepInputFeed} is made for. */
export interface FeedParts {
  /** Owns the device, and compiles the kernel that gathers. */
  backend: GanforgeWebGpuBackend;
  /** The inputs as the step declares them. */
  inputs: Record<string, InputSpec>;
  /** The buffer of an input. */
  rangeOf(name: string): BufferRange;
  /** The most bytes that pools may take; undefined where nobody knows. */
  spareBytes: number | undefined;
}

/** Brings inputs to the device. Holds the pools that lie there. */
export class StepInputFeed {
  readonly #device: GPUDevice;
  readonly #slots: Slot[];
  /** Bytes that one step uploads. */
  readonly stepBytes: number;
  /** Bytes of the pools on the device. */
  readonly residentBytes: number;

  private constructor(device: GPUDevice, slots: Slot[]) {
    this.#device = device;
    this.#slots = slots;
    this.stepBytes = slots.reduce((sum, { target }) => sum + target.sizeBytes, 0);
    this.residentBytes = slots.reduce((sum, slot) => sum + (slot.resident?.totalBytes ?? 0), 0);
  }

  /** Puts the pools that fit on the device; batches of the others are filled on the host. */
  static async create({ backend, inputs, rangeOf, spareBytes }: FeedParts): Promise<StepInputFeed> {
    const { device } = backend;
    const slots: Slot[] = [];
    let spare = spareBytes;
    for (const [name, spec] of Object.entries(inputs)) {
      const range = rangeOf(name);
      const resident = spec.pool && await settle(spec, spec.pool, range.buffer);
      slots.push({ name, spec, resident, target: resident?.numbers ?? range });
    }
    return new StepInputFeed(device, slots);

    async function settle(spec: InputSpec, pool: SamplePool, target: GPUBuffer) {
      const sizes = { largestBytes: rowBytes(pool), totalBytes: poolBytes(spec, pool) };
      if (!poolFits(device.limits, sizes, spare)) return undefined;
      const resident = await ResidentPool.create(backend, { spec, pool, target });
      if (resident && spare !== undefined) spare -= resident.totalBytes;
      return resident;
    }
  }

  /**
   * Writes the inputs of all steps one after another.
   * @param upload has room for {@linkcode stepBytes} of each
   * @throws {TypeError | RangeError} when an input is not what the step declares
   */
  write(batches: StepInputs[], upload: GPUBuffer): void {
    let offset = 0;
    for (const batch of batches) {
      for (const slot of this.#slots) {
        const data = dataOf(slot, batch[slot.name]);
        this.#device.queue.writeBuffer(upload, offset, data as Float32Array<ArrayBuffer>);
        offset += slot.target.sizeBytes;
      }
    }
  }

  /** Encodes the copies of what was written for the step of this index. */
  encodeCopies(encoder: GPUCommandEncoder, upload: GPUBuffer, index: number): void {
    let offset = index * this.stepBytes;
    for (const { target: { buffer, sizeBytes } } of this.#slots) {
      encoder.copyBufferToBuffer(upload, offset, buffer, 0, sizeBytes);
      offset += sizeBytes;
    }
  }

  /** Encodes the batches that are made on the device, for a step whose copies came before. */
  encodeGathers(pass: GPUComputePassEncoder): void {
    for (const { resident } of this.#slots) resident?.encode(pass);
  }

  /** Gives the pools' memory back. */
  destroy(): void {
    for (const { resident } of this.#slots) resident?.destroy();
  }
}

/** What is uploaded of an input. */
function dataOf({ name, spec, target, resident }: Slot, given: StepInputs[string]) {
  const { dtype, pool, shape } = spec;
  if (pool) {
    const input = { name, spec, given };
    if (resident) return checkedRows(input, pool);
    const values = new Float32Array(target.sizeBytes / 4);
    fillInput(values, input);
    return values;
  }
  const Type = dtype === "float32" ? Float32Array : Int32Array;
  if (given instanceof Type && given.byteLength === target.sizeBytes) return given;
  throw new TypeError(
    `Cannot run the step: input "${name}" must be a ${Type.name} of ${target.sizeBytes / 4} ` +
      `numbers ([${shape}]), found ${given?.constructor.name} of ${given?.length}`,
  );
}
