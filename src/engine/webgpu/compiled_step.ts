/**
 * A step on the GPU, replayed: inputs are uploaded a chunk of steps at a time (step_inputs.ts), the
 * random address counts up on the GPU, scalars collect in a buffer that is read once a call.
 */
import type { CompiledStep, HostTensor, HostTensors, StepInputs, TensorSpec } from "../types.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { StepExecutable } from "./executable.ts";
import { ADDRESS, stateKey } from "./recorder.ts";
import type { StepInputFeed } from "./step_inputs.ts";

/** Adds one to the step in the random address `[seed, step]`. */
const NEXT_STEP = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> address: array<u32>;
@compute @workgroup_size(1) fn main() { address[1] += 1u; }`;

/** Usage flags of a buffer that the host reads: MAP_READ | COPY_DST. */
const READ_BACK = 0x01 | 0x08;
/** Usage flags of a buffer between host and inputs, and of the scalars' ring: COPY_SRC | COPY_DST. */
const TRANSFER = 0x04 | 0x08;

/** Longer runs are cut, so that the inputs in transfer stay below this (one step's always fit). */
const MOST_UPLOAD_BYTES = 64 << 20;

/** What {@linkcode WebGpuStep} is made of. */
export interface WebGpuStepParts {
  /** Compiles the few programs that are not part of the step. */
  backend: GanforgeWebGpuBackend;
  /** The step; its externals are the state, the inputs, the constants and the random address. */
  executable: StepExecutable;
  /** Brings the inputs to the executable's buffers; the step takes it over. */
  inputs: StepInputFeed;
  /** Shapes and types of the state. */
  state: Record<string, TensorSpec>;
  /** Seed of the step's random numbers. */
  seed: number;
  /** Throws what the device reported. */
  check(): void;
  /** Called once, when the step is disposed. */
  onDispose(): void;
}

/** A captured step; see the top of this file. */
export class WebGpuStep implements CompiledStep {
  readonly #parts: WebGpuStepParts;
  readonly #device: GPUDevice;
  readonly #nextStep: { pipeline: GPUComputePipeline; bindGroup: GPUBindGroup };
  /** Grow with the longest chunk that was asked for. */
  #transfer: { upload: GPUBuffer; ring: GPUBuffer; readBack: GPUBuffer; steps: number } | undefined;
  #disposed = false;
  #running = false;

  /** Takes the executable over. */
  constructor(parts: WebGpuStepParts) {
    this.#parts = parts;
    const { backend, executable } = parts;
    this.#device = backend.device;
    const pipeline = backend.pipeline("nextStep", NEXT_STEP);
    const { buffer } = executable.externals.get(ADDRESS)!;
    this.#nextStep = {
      pipeline,
      bindGroup: this.#device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      }),
    };
  }

  /** The buffers and dispatches, for measurements. */
  get executable(): StepExecutable {
    return this.#parts.executable;
  }

  /** Bytes of data that stay on the device. */
  get residentBytes(): number {
    return this.#parts.inputs.residentBytes;
  }

  async run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>> {
    this.#checkUsable();
    if (this.#running) throw new Error("Cannot run a step while an earlier call is running");
    this.#running = true;
    try {
      const { stepBytes } = this.#parts.inputs;
      const most = Math.max(1, Math.floor(MOST_UPLOAD_BYTES / Math.max(1, stepBytes)));
      const chunks: Record<string, Float32Array>[] = [];
      for (let start = 0; start < batches.length; start += most) {
        chunks.push(await this.#runChunk(batches.slice(start, start + most), firstStep + start));
      }
      return joined(chunks);
    } finally {
      this.#running = false;
    }
  }

  async #runChunk(
    batches: StepInputs[],
    firstStep: number,
  ): Promise<Record<string, Float32Array>> {
    const { executable, inputs, seed, check } = this.#parts;
    const names = [...executable.scalars.keys()];
    const { upload, ring, readBack } = this.#transferBuffers(batches.length);
    inputs.write(batches, upload);
    const address = Uint32Array.of(seed, firstStep);
    this.#device.queue.writeBuffer(executable.externals.get(ADDRESS)!.buffer, 0, address);
    const stepBytes = 4 * names.length;
    for (let step = 0; step < batches.length; step++) {
      const encoder = this.#device.createCommandEncoder();
      inputs.encodeCopies(encoder, upload, step);
      executable.encodeDispatches(encoder, (pass) => inputs.encodeGathers(pass));
      names.forEach((name, k) => {
        const { buffer } = executable.scalars.get(name)!;
        encoder.copyBufferToBuffer(buffer, 0, ring, step * stepBytes + 4 * k, 4);
      });
      executable.encodeStateCopies(encoder);
      const pass = encoder.beginComputePass();
      pass.setPipeline(this.#nextStep.pipeline);
      pass.setBindGroup(0, this.#nextStep.bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      if (step === batches.length - 1 && stepBytes > 0) {
        encoder.copyBufferToBuffer(ring, 0, readBack, 0, batches.length * stepBytes);
      }
      this.#device.queue.submit([encoder.finish()]);
    }
    const values = stepBytes > 0
      ? new Float32Array(await readMapped(readBack, batches.length * stepBytes, check))
      : new Float32Array(0);
    if (stepBytes === 0) await this.#device.queue.onSubmittedWorkDone();
    check();
    return Object.fromEntries(names.map((name, k) => [
      name,
      Float32Array.from(batches, (_, step) => values[step * names.length + k]),
    ]));
  }

  #transferBuffers(steps: number) {
    if (this.#transfer && this.#transfer.steps >= steps) return this.#transfer;
    this.#releaseTransfer();
    const uploadBytes = Math.max(4, steps * this.#parts.inputs.stepBytes);
    const ringBytes = Math.max(4, steps * 4 * this.#parts.executable.scalars.size);
    this.#transfer = {
      upload: this.#device.createBuffer({ size: uploadBytes, usage: TRANSFER }),
      ring: this.#device.createBuffer({ size: ringBytes, usage: TRANSFER }),
      readBack: this.#device.createBuffer({ size: ringBytes, usage: READ_BACK }),
      steps,
    };
    return this.#transfer;
  }

  #releaseTransfer(): void {
    this.#transfer?.upload.destroy();
    this.#transfer?.ring.destroy();
    this.#transfer?.readBack.destroy();
    this.#transfer = undefined;
  }

  async readState(): Promise<HostTensors> {
    this.#checkUsable();
    const { executable, state, check } = this.#parts;
    const names = Object.keys(state);
    const encoder = this.#device.createCommandEncoder();
    const copies = names.map((name) => {
      const { buffer, sizeBytes } = executable.externals.get(stateKey(name))!;
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

  async writeState(state: HostTensors): Promise<void> {
    this.#checkUsable();
    const { executable, state: specs, check } = this.#parts;
    for (const [name, { shape, dtype }] of Object.entries(specs)) {
      const given = state[name];
      const fits = given?.dtype === dtype && given.shape.join() === shape.join();
      if (!fits) {
        throw new RangeError(
          `Cannot write the state: "${name}" must be ${dtype} [${shape}], found ` +
            (given ? `${given.dtype} [${given.shape}]` : "nothing"),
        );
      }
    }
    for (const name of Object.keys(specs)) {
      const data = state[name].data as Float32Array<ArrayBuffer>;
      this.#device.queue.writeBuffer(executable.externals.get(stateKey(name))!.buffer, 0, data);
    }
    await this.#device.queue.onSubmittedWorkDone();
    check();
  }

  dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      this.#releaseTransfer();
      this.#parts.inputs.destroy();
      this.#parts.executable.destroy();
      this.#parts.onDispose();
    }
    return Promise.resolve();
  }

  #checkUsable(): void {
    if (this.#disposed) throw new Error("Cannot use a step that was disposed");
  }
}

/** Scalars of one run after another's. */
function joined(chunks: Record<string, Float32Array>[]): Record<string, Float32Array> {
  if (chunks.length === 1) return chunks[0];
  const names = Object.keys(chunks[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, Float32Array.from(chunks.flatMap((chunk) => [...chunk[name]]))]),
  );
}

/**
 * Waits for a buffer's contents and copies them.
 * @param check throws what the device reported, which explains a failure better than the failure
 */
export async function readMapped(
  buffer: GPUBuffer,
  sizeBytes: number,
  check: () => void,
): Promise<ArrayBuffer> {
  try {
    await buffer.mapAsync(GPUMapMode.READ, 0, sizeBytes);
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve)); // until the device has told its loss
    check();
    throw error;
  }
  const data = buffer.getMappedRange(0, sizeBytes).slice(0);
  buffer.unmap();
  return data;
}
