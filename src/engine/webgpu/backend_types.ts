/**
 * The one typed view of TensorFlow.js's WebGPU backend, its private parts included (version 4.22.0,
 * which deno.json pins). The work that goes through it is in work.ts.
 */
import type * as tfTypes from "@tensorflow/tfjs";

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
