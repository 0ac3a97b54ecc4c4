/**
 * TensorFlow.js's WebGPU backend with two things added: errors of the device are thrown when a tensor
 * is read, and all GPU work passes through one place, where a recorder may take it instead of the
 * queue (see recorder.ts). This file is also the one typed view of the backend's private parts
 * (version 4.22.0, which deno.json pins).
 */
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../tf.ts";
import { elementwiseDispatch, type ElementwiseWork } from "./elementwise.ts";
import { reductionDispatch, type ReductionWork } from "./reduction.ts";
import type { KernelTuning } from "./tuning.ts";
import { packStockUniforms } from "./uniforms.ts";

/** Key of a tensor's data in the backend. */
export type DataId = tfTypes.TensorInfo["dataId"];

/** A tensor's values on the host. */
export type HostValues = Float32Array | Int32Array | Uint8Array;

/** What the backend knows about a tensor's data: values on the host, or a buffer on the GPU. */
export interface TensorData {
  values: HostValues | null;
  dtype: tfTypes.DataType;
  shape: number[];
  refCount: number;
  resource?: GPUBuffer | null;
  external?: boolean;
}

/** A field of a stock program's uniform block. */
export interface UniformField {
  type: string;
  data: number[];
}

/** The parts of a stock program (WebGPUProgram of TensorFlow.js) that recording needs. */
export interface StockProgram {
  pipeline: GPUComputePipeline;
  shaderKey: string;
  dispatch: [number, number, number];
  outputShape: number[];
  outputComponent?: number;
  size?: boolean;
  atomic?: boolean;
  constructor: { name: string };
}

/** One dispatch: the bindings are `reads`, then `writes`, then the uniform block where there is one. */
export interface Dispatch {
  label: string;
  pipeline: GPUComputePipeline;
  reads: GPUBuffer[];
  writes: GPUBuffer[];
  /** Stock programs bind their output first. */
  writesFirst?: boolean;
  uniforms?: ArrayBuffer;
  workgroups: [number, number, number];
  /** The written buffers' former contents matter (atomic adds, scatter). */
  accumulates?: boolean;
}

/** Takes the GPU's work while a step is being recorded. */
export interface WorkRecorder {
  /** Stands for the buffer of a tensor that some dispatch will write. */
  allocate(sizeBytes: number): GPUBuffer;
  /** Stands for the buffer of a tensor whose values are on the host. */
  upload(data: TensorData): GPUBuffer;
  dispatch(work: Dispatch): void;
  elementwise(work: ElementwiseWork): void;
  reduction(work: ReductionWork): void;
}

interface Internals {
  device: GPUDevice;
  queue: GPUQueue;
  tensorMap: { get(id: DataId): TensorData; has(id: DataId): boolean };
  bufferManager: {
    acquireBuffer(size: number, usage: number): GPUBuffer;
    releaseBuffer(buffer: GPUBuffer): void;
    numBytesUsed: number;
    numBytesAllocated: number;
  };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<DataId>;
  uniformPendingDisposal: GPUBuffer[];
  dispatchCountInPass: number;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(id: DataId): void;
  disposeData(id: DataId, force?: boolean): boolean;
  releaseResource(id: DataId): void;
  incRef(id: DataId): void;
  makeTensorInfo(
    shape: number[],
    dtype: tfTypes.DataType,
    values?: HostValues,
  ): tfTypes.TensorInfo;
  recordAndSubmit(
    program: StockProgram,
    output: tfTypes.TensorInfo,
    inputs: tfTypes.TensorInfo[],
    uniforms?: UniformField[],
  ): void;
  createTensorFromGPUData(
    data: { buffer: GPUBuffer; zeroCopy: boolean },
    shape: number[],
    dtype: tfTypes.DataType,
  ): tfTypes.Tensor;
}

const StockBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => Internals & tfTypes.KernelBackend;

/** Buffers that hold tensors: what TensorFlow.js asks for. */
export const TENSOR_USAGE: number = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC

/** The backend that {@linkcode openWebGpu} registers. */
export class GanforgeWebGpuBackend extends StockBackend {
  /** Takes all work while it is set. */
  recorder: WorkRecorder | undefined;
  /** Sizes of tiles; may be replaced between steps. */
  tuning: KernelTuning;
  readonly #check: () => void;
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  /** @param check throws when the device has reported an error */
  constructor(
    device: GPUDevice,
    info: GPUAdapterInfo,
    options: { tuning: KernelTuning; check: () => void },
  ) {
    super(device, info);
    const { tuning, check } = options;
    this.tuning = tuning;
    this.#check = check;
  }

  /** Compiles a WGSL module with the entry point `main`, once for each text. */
  pipeline(label: string, code: string): GPUComputePipeline {
    let pipeline = this.#pipelines.get(code);
    if (!pipeline) {
      const module = this.device.createShaderModule({ code, label });
      pipeline = this.device.createComputePipeline({
        layout: "auto",
        compute: { module, entryPoint: "main" },
        label,
      });
      this.#pipelines.set(code, pipeline);
    }
    return pipeline;
  }

  /** The buffer of a tensor; uploads values that are still on the host. */
  bufferOf(tensor: tfTypes.TensorInfo): GPUBuffer {
    this.uploadToGPU(tensor.dataId);
    return this.tensorMap.get(tensor.dataId).resource!;
  }

  /** A new tensor whose buffer some dispatch will fill. */
  allocate(
    shape: number[],
    dtype: "float32" | "int32" | "bool" = "float32",
  ): tfTypes.TensorInfo {
    const info = this.makeTensorInfo(shape, dtype);
    this.uploadToGPU(info.dataId);
    return info;
  }

  /** The same data under another shape, as a kernel may return it. */
  view(tensor: tfTypes.TensorInfo, shape: number[]): tfTypes.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
  }

  /**
   * Queues one dispatch of a kernel of ours, in order with TensorFlow.js's own.
   * @param tensors all tensors whose buffers it binds, so that none is reused before the submit
   */
  dispatch(work: Dispatch, tensors: tfTypes.TensorInfo[]): void {
    if (this.recorder) {
      this.recorder.dispatch(work);
      return;
    }
    const resources: GPUBindingResource[] = [...work.reads, ...work.writes].map((buffer) => ({
      buffer,
    }));
    if (work.uniforms) resources.push({ buffer: this.#uniformBuffer(work.uniforms) });
    const bindGroup = this.device.createBindGroup({
      layout: work.pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    for (const tensor of tensors) this.commandQueueOwnedIds.add(tensor.dataId);
    this.ensureCommandEncoderReady();
    this.computePassEncoder ??= this.commandEncoder!.beginComputePass();
    this.computePassEncoder.setPipeline(work.pipeline);
    this.computePassEncoder.setBindGroup(0, bindGroup);
    this.computePassEncoder.dispatchWorkgroups(...work.workgroups);
    this.dispatchCountInPass++;
    if (this.dispatchCountInPass >= tf.env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) {
      this.flush();
    }
  }

  /** Queues an elementwise kernel; see {@linkcode dispatch} for `tensors`. */
  elementwise(work: ElementwiseWork, tensors: tfTypes.TensorInfo[]): void {
    if (this.recorder) this.recorder.elementwise(work);
    else this.dispatch(elementwiseDispatch(this, work), tensors);
  }

  /** Queues a reduction; see {@linkcode dispatch} for `tensors`. */
  reduction(work: ReductionWork, tensors: tfTypes.TensorInfo[]): void {
    if (this.recorder) this.recorder.reduction(work);
    else this.dispatch(reductionDispatch(this, work), tensors);
  }

  /** Submits everything that is still being encoded. */
  flush(): void {
    this.endComputePassEncoder();
    if (this.commandEncoder) this.submitQueue();
  }

  #uniformBuffer(data: ArrayBuffer): GPUBuffer {
    const buffer = this.bufferManager.acquireBuffer(data.byteLength, 0x40 | 0x08); // UNIFORM | COPY_DST
    this.queue.writeBuffer(buffer, 0, data);
    this.uniformPendingDisposal.push(buffer); // reused only after the next submit
    return buffer;
  }

  override recordAndSubmit(
    program: StockProgram,
    output: tfTypes.TensorInfo,
    inputs: tfTypes.TensorInfo[],
    uniforms?: UniformField[],
  ): void {
    if (!this.recorder) return super.recordAndSubmit(program, output, inputs, uniforms);
    this.recorder.dispatch({
      label: program.constructor.name,
      pipeline: program.pipeline,
      reads: inputs.map((input) => this.bufferOf(input)),
      writes: [this.bufferOf(output)],
      writesFirst: true,
      uniforms: packStockUniforms(program, output, inputs, uniforms),
      workgroups: [...program.dispatch],
      accumulates: program.atomic,
    });
  }

  override uploadToGPU(id: DataId): void {
    const data = this.tensorMap.get(id);
    if (!this.recorder || data.resource) return super.uploadToGPU(id);
    data.resource = data.values
      ? this.recorder.upload(data)
      : this.recorder.allocate(4 * tf.util.sizeFromShape(data.shape));
    data.external = true; // the recorder owns it: TensorFlow.js has nothing to release
  }

  override readSync(id: DataId): HostValues {
    const data = this.tensorMap.get(id);
    if (data.values) return data.values;
    throw new Error(
      `Cannot read a tensor of shape [${data.shape}] synchronously from the GPU: use await data()`,
    );
  }

  override async read(id: DataId): Promise<HostValues> {
    if (this.recorder) {
      throw new Error("Cannot read a tensor on the host inside a step: the step is being recorded");
    }
    const values = await super.read(id) as HostValues;
    this.#check();
    return values;
  }
}
