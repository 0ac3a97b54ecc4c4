/**
 * The one typed view of TensorFlow.js's WebGPU backend, its private parts included (version 4.22.0,
 * which deno.json pins), and of the work that goes through it.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import type { ElementwiseWork } from "./elementwise.ts";
import type { ReductionWork } from "./reduction.ts";

/** Key of a tensor's data in the backend. */
export type DataId = tfTypes.TensorInfo["dataId"];

/** A tensor's values on the host. */
export type HostValues = Float32Array | Int32Array | Uint8Array;

/** What the backend knows about a tensor's data: values on the host, or a buffer on the GPU. */
export interface TensorData {
  /** Null once they are on the GPU. */
  values: HostValues | null;
  /** Booleans and int32 take 4 bytes too. */
  dtype: tfTypes.DataType;
  /** The shape of the tensor that was made first; views have their own. */
  shape: number[];
  /** Tensors that share the data. */
  refCount: number;
  /** The buffer, once there is one. */
  resource?: GPUBuffer | null;
  /** TensorFlow.js does not release the buffer. */
  external?: boolean;
}

/** A field of a stock program's uniform block. */
export interface UniformField {
  /** "int32", "uint32" or "float32". */
  type: string;
  /** 1 to 6 numbers. */
  data: number[];
}

/** The parts of a stock program (WebGPUProgram of TensorFlow.js) that recording needs. */
export interface StockProgram {
  /** Compiled by TensorFlow.js before it records. */
  pipeline: GPUComputePipeline;
  /** Workgroups. */
  dispatch: [number, number, number];
  /** Shape of the output. */
  outputShape: number[];
  /** Numbers that a thread writes at once. */
  outputComponent?: number;
  /** The uniform block has the output's size. */
  size?: boolean;
  /** It adds to its output. */
  atomic?: boolean;
  /** Its class, which names it in profiles. */
  constructor: { name: string };
}

/** One dispatch: the bindings are `reads`, then `writes`, then the uniform block where there is one. */
export interface Dispatch {
  /** For profiles and messages. */
  label: string;
  /** The program. */
  pipeline: GPUComputePipeline;
  /** Buffers that it reads. */
  reads: GPUBuffer[];
  /** Buffers that it writes. */
  writes: GPUBuffer[];
  /** Stock programs bind their output first. */
  writesFirst?: boolean;
  /** The uniform block. */
  uniforms?: ArrayBuffer;
  /** Workgroups along x, y and z. */
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
  /** Takes a kernel whose inside it does not know. */
  dispatch(work: Dispatch): void;
  /** Takes an elementwise kernel. */
  elementwise(work: ElementwiseWork): void;
  /** Takes a reduction. */
  reduction(work: ReductionWork): void;
}

/** The parts of WebGPUBackend (private ones too) that this project uses or overrides. */
export interface BackendInternals {
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
