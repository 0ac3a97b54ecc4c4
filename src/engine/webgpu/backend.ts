/**
 * TensorFlow.js's WebGPU backend with two things added: errors of the device are thrown when a tensor
 * is read, and all GPU work passes through one place, where a recorder may take it instead of the
 * queue (see recorder.ts).
 */
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tfTypes from "@tensorflow/tfjs";
import type { GroupingBackend } from "../../tensor/grouped_conv.ts";
import { tf } from "../../tensor/tf.ts";
import type {
  BackendInternals,
  DataId,
  HostValues,
  StockProgram,
  UniformField,
} from "./backend_types.ts";
import { elementwiseMember } from "./elementwise.ts";
import { type ProgramContext, programDispatch, type ProgramMember } from "./expression_program.ts";
import { reductionMember } from "./reduction.ts";
import type { KernelTuning } from "./tuning.ts";
import { packStockUniforms } from "./uniforms.ts";
import type { Dispatch, ElementwiseWork, ReductionWork, WorkRecorder } from "./work.ts";

const StockBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => BackendInternals & tfTypes.KernelBackend;

/** Buffers that hold tensors: what TensorFlow.js asks for. */
export const TENSOR_USAGE: number = 0x80 | 0x08 | 0x04; // STORAGE | COPY_DST | COPY_SRC

/** The backend that `openWebGpu` registers. */
export class GanforgeWebGpuBackend extends StockBackend implements GroupingBackend {
  /** Takes all work while it is set. */
  recorder: WorkRecorder | undefined;
  /** Sizes of tiles; may be replaced between steps. */
  tuning: KernelTuning;
  readonly #check: () => void;
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  /**
   * Takes a device over.
   * @param options.tuning sizes of tiles
   * @param options.check throws when the device has reported an error
   */
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

  /** Our kernels for groups of channels are for GPUs. */
  get groupsConvolutions(): boolean {
    return this.tuning.family === "workgroup";
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
    else this.#runProgram((context) => elementwiseMember(this, { work }, context), tensors);
  }

  /** Queues a reduction; see {@linkcode dispatch} for `tensors`. */
  reduction(work: ReductionWork, tensors: tfTypes.TensorInfo[]): void {
    if (this.recorder) this.recorder.reduction(work);
    else this.#runProgram((context) => reductionMember(this, work, context), tensors);
  }

  #runProgram(
    make: (context: ProgramContext) => ProgramMember,
    tensors: tfTypes.TensorInfo[],
  ): void {
    this.dispatch(programDispatch(this, [make]), tensors);
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

  /** Queues one of TensorFlow.js's own programs, or hands it to the recorder. */
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

  /** Gives a tensor's data a buffer. */
  override uploadToGPU(id: DataId): void {
    const data = this.tensorMap.get(id);
    if (!this.recorder || data.resource) return super.uploadToGPU(id);
    data.resource = data.values
      ? this.recorder.upload(data)
      : this.recorder.allocate(4 * tf.util.sizeFromShape(data.shape));
    data.external = true; // the recorder owns it: TensorFlow.js has nothing to release
  }

  /** Gives values that are on the host. @throws Error when they are on the GPU */
  override readSync(id: DataId): HostValues {
    const data = this.tensorMap.get(id);
    if (data.values) return data.values;
    throw new Error(
      `Cannot read a tensor of shape [${data.shape}] synchronously from the GPU: use await data()`,
    );
  }

  /** Copies values to the host. @throws Error when the device reported one, or while recording */
  override async read(id: DataId): Promise<HostValues> {
    if (this.recorder) {
      throw new Error("Cannot read a tensor on the host inside a step: the step is being recorded");
    }
    const values = await super.read(id) as HostValues;
    this.#check();
    return values;
  }
}
