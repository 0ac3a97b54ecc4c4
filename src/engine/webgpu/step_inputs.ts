/**
 * How the inputs of replayed steps reach the device: those of many steps at once (upload_group.ts). Of an
 * input whose pool lies on the device these are row numbers.
 */
import { inputValues, isBytes, takeBytes } from "../sample_pool.ts";
import type { InputSpec, SamplePool, StepInputs } from "../types.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { poolFits } from "./memory.ts";
import { poolBytes, ResidentPool, rowBytes } from "./resident_pool.ts";
import type { BufferRange } from "./step_memory.ts";
import { groupInputs, type UploadData, UploadGroup } from "./upload_group.ts";

/** Steps are cut into chunks whose inputs stay below this (one step's always fit). */
const MAX_UPLOAD_BYTES = 16 << 20;

interface Slot {
  name: string;
  spec: InputSpec;
  /** Where a step expects what is uploaded: the input itself, or its row numbers. */
  target: BufferRange;
  /** Set where the pool, or one step's rows of it, lie on the device. */
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
  /** Tells steps their place in an upload; see transfer_programs.ts. */
  clock: GPUBuffer;
  /** The most bytes that pools may take; undefined where nobody knows. */
  spareBytes: number | undefined;
}

/** Brings inputs to the device. Holds the pools that lie there. */
export class StepInputFeed {
  readonly #slots: Slot[];
  readonly #groups: { upload: UploadGroup; slots: Slot[] }[];
  /** Bytes that one step uploads. */
  readonly stepBytes: number;
  /** Bytes of the pools on the device. */
  readonly residentBytes: number;

  private constructor(backend: GanforgeWebGpuBackend, slots: Slot[], clock: GPUBuffer) {
    this.#slots = slots;
    const uploaded = slots.filter(({ target }) => target.sizeBytes > 0);
    this.#groups = groupInputs(uploaded, MAX_UPLOAD_BYTES).map((slots) => ({
      slots,
      upload: new UploadGroup(backend, slots.map(({ target }) => target), clock),
    }));
    this.stepBytes = slots.reduce((sum, { target }) => sum + target.sizeBytes, 0);
    this.residentBytes = slots.reduce(
      (sum, { resident }) => sum + (resident && !resident.isStreamed ? resident.totalBytes : 0),
      0,
    );
  }

  /**
   * Puts the pools that fit on the device. Of other pools of bytes a step's rows are uploaded; batches of
   * other pools of floats are filled on the host.
   */
  static async create(parts: FeedParts): Promise<StepInputFeed> {
    const { backend, clock, inputs, rangeOf, spareBytes } = parts;
    const { device } = backend;
    const slots: Slot[] = [];
    let spare = spareBytes;
    for (const [name, spec] of Object.entries(inputs)) {
      const range = rangeOf(name);
      const resident = spec.pool && await settle(spec, spec.pool, range.buffer);
      slots.push({ name, spec, resident, target: resident?.upload ?? range });
    }
    return new StepInputFeed(backend, slots, clock);

    async function settle(spec: InputSpec, pool: SamplePool, target: GPUBuffer) {
      const sizes = { largestBytes: rowBytes(pool), totalBytes: poolBytes(spec, pool) };
      const fits = poolFits(device.limits, sizes, spare);
      const place = { spec, pool, target };
      const resident = (fits ? await ResidentPool.create(backend, place) : undefined) ??
        (isBytes(pool) ? await ResidentPool.stream(backend, place) : undefined);
      if (resident && spare !== undefined) spare -= resident.totalBytes;
      return resident;
    }
  }

  /** How many steps' inputs are uploaded together at most. */
  get maxSteps(): number {
    return Math.max(1, Math.floor(MAX_UPLOAD_BYTES / Math.max(1, this.stepBytes)));
  }

  /**
   * Uploads the inputs of steps, at most {@linkcode maxSteps}, which were checked.
   */
  write(batches: StepInputs[]): void {
    for (const { slots, upload } of this.#groups) {
      upload.reserve(batches.length);
      for (let place = 0; place < batches.length; place++) {
        for (let index = 0; index < slots.length; index++) {
          const slot = slots[index];
          upload.set(place, index, dataOf(slot, batches[place][slot.name]));
        }
      }
      upload.write(batches.length);
    }
  }

  /** Encodes what brings a step its inputs: copies out of the upload, and batches out of pools. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { upload } of this.#groups) upload.encode(pass);
    for (const { resident } of this.#slots) resident?.encode(pass);
  }

  /** Gives all memory back. */
  destroy(): void {
    for (const { upload } of this.#groups) upload.destroy();
    for (const { resident } of this.#slots) resident?.destroy();
  }
}

/** What is uploaded of an input, which was checked. */
function dataOf({ spec, resident }: Slot, given: StepInputs[string]): UploadData {
  if (!resident) return inputValues(spec, given);
  return resident.isStreamed ? wordsOf(takeBytes(spec.pool!, given as Uint32Array)) : given;
}

/** Bytes as words; the last one is filled up with zeros. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
