/**
 * Records a step: TensorFlow.js runs it once, and the backend hands all GPU work over to here, where
 * buffers are only stand-ins. Nothing is computed while recording.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import type { DrawRows } from "../../random/draw_rows.ts";
import { tf } from "../../tensor/tf.ts";
import type { StepRandom, TensorMap, TensorSpec } from "../../tensor/types.ts";
import { type GanforgeWebGpuBackend, TENSOR_USAGE } from "./backend.ts";
import type { TensorData } from "./backend_types.ts";
import type { InitialValue, Operation, StepGraph, Value } from "./graph.ts";
import { drawRandom } from "./kernels/elementwise.ts";
import type { Dispatch, ElementwiseWork, ReductionWork, WorkRecorder } from "./work.ts";

/** The name of the external value that holds `[seed, step]`. */
export const ADDRESS = "random address";

/** The name of a state tensor as an external value. */
export function stateKey(name: string): string {
  return `state ${name}`;
}

/** The name of an input or constant as an external value. */
export function inputKey(name: string): string {
  return `input ${name}`;
}

/** What a recorded function gives back: state by external names, scalars (or outputs) by any. */
export interface RecordedResult {
  /** The new value of each external that is state. */
  state: TensorMap;
  /** What else is read. */
  scalars: TensorMap;
}

/**
 * Runs `fn` once on stand-ins and returns the work that it queued.
 * @param externals the tensors that come from outside, by name
 * @param fn gets them as tensors; runs inside `tf.tidy`
 * @throws Error when `fn` reads a tensor on the host, or uses one that was made outside
 */
export function record(
  backend: GanforgeWebGpuBackend,
  externals: Record<string, TensorSpec>,
  fn: (tensors: TensorMap, random: StepRandom) => RecordedResult,
): StepGraph {
  if (backend.recorder) throw new Error("Cannot record a step while another one is being recorded");
  backend.flush();
  const recorder = new Recorder();
  backend.recorder = recorder;
  tf.engine().startScope();
  try {
    const tensors: TensorMap = {};
    for (const [name, spec] of Object.entries(externals)) {
      const buffer = recorder.external(name, 4 * tf.util.sizeFromShape(spec.shape));
      const source = { buffer, zeroCopy: true };
      tensors[name] = backend.createTensorFromGPUData(source, spec.shape, spec.dtype);
    }
    const { [ADDRESS]: address, ...given } = tensors;
    const result = tf.tidy(() => {
      const { state, scalars } = fn(given, new RecordedRandom(backend, address));
      const all = [...Object.values(state), ...Object.values(scalars)];
      for (const tensor of all) backend.uploadToGPU(tensor.dataId); // host values: a constant
      return { state, scalars };
    });
    const resolve = (map: TensorMap) =>
      new Map(
        Object.entries(map).map(([name, tensor]) =>
          [name, recorder.valueOf(backend.bufferOf(tensor))] as const
        ),
      );
    return recorder.finish(resolve(result.state), resolve(result.scalars));
  } finally {
    tf.engine().endScope();
    backend.recorder = undefined;
    recorder.release();
  }
}

/** Draws on the GPU: the n-th call of a step is stream n. */
class RecordedRandom implements StepRandom {
  #stream = 0;
  readonly #backend: GanforgeWebGpuBackend;
  readonly #address: tfTypes.Tensor;

  constructor(backend: GanforgeWebGpuBackend, address: tfTypes.Tensor) {
    this.#backend = backend;
    this.#address = address;
  }

  #draw(kind: "uniform" | "normal", shape: number[], rows?: DrawRows): tfTypes.Tensor {
    const options = { shape, stream: this.#stream++, rows };
    return tf.engine().makeTensorFromTensorInfo(
      drawRandom(this.#backend, kind, this.#address, options),
    );
  }

  uniform(shape: number[], rows?: DrawRows): tfTypes.Tensor {
    return this.#draw("uniform", shape, rows);
  }

  normal(shape: number[], rows?: DrawRows): tfTypes.Tensor {
    return this.#draw("normal", shape, rows);
  }
}

class Recorder implements WorkRecorder {
  readonly #values: Value[] = [];
  readonly #operations: Operation[] = [];
  readonly #valueOf = new Map<GPUBuffer, Value>();
  readonly #uploaded: TensorData[] = [];

  #add(sizeBytes: number, source: InitialValue): GPUBuffer {
    const buffer = standIn(sizeBytes);
    const value = { id: this.#values.length, sizeBytes, source, buffer };
    this.#values.push(value);
    this.#valueOf.set(buffer, value);
    return buffer;
  }

  external(name: string, sizeBytes: number): GPUBuffer {
    return this.#add(sizeBytes, { kind: "external", name });
  }

  allocate(sizeBytes: number): GPUBuffer {
    return this.#add(sizeBytes, { kind: "temporary" });
  }

  upload(tensor: TensorData): GPUBuffer {
    this.#uploaded.push(tensor);
    const values = tensor.values!;
    const isFloat = tensor.dtype === "float32";
    if (isFloat && isRepeated(values)) return this.#fill(values[0], values.length);
    const data = isFloat ? Float32Array.from(values) : Int32Array.from(values);
    return this.#add(data.byteLength, { kind: "constant", data });
  }

  /** TensorFlow.js makes ones and zeros on the host; as an operation they fuse into their readers. */
  #fill(value: number, size: number): GPUBuffer {
    const buffer = this.allocate(4 * size);
    this.elementwise({
      size,
      operands: [],
      nodes: [{ op: "fill", args: [], params: [value] }],
      outputs: [{ node: 0, buffer }],
    });
    return buffer;
  }

  dispatch(work: Dispatch): void {
    [...work.reads, ...work.writes].forEach((buffer) => this.valueOf(buffer));
    this.#operations.push({ kind: "dispatch", work });
  }

  elementwise(work: ElementwiseWork): void {
    work.operands.forEach(({ buffer }) => this.valueOf(buffer));
    this.#operations.push({ kind: "elementwise", work });
  }

  reduction(work: ReductionWork): void {
    work.operands.forEach(({ buffer }) => this.valueOf(buffer));
    this.#operations.push({ kind: "reduction", work });
  }

  valueOf(buffer: GPUBuffer): Value {
    const value = this.#valueOf.get(buffer);
    if (value) return value;
    throw new Error(
      "Cannot record the step: it uses a tensor that was made outside of it. " +
        "Pass it as state, input or constant.",
    );
  }

  finish(state: Map<string, Value>, scalars: Map<string, Value>): StepGraph {
    return {
      values: this.#values,
      operations: this.#operations,
      state,
      scalars,
      valueOf: (buffer) => this.valueOf(buffer),
    };
  }

  /** A tensor of the host that outlives the recording has no buffer, as before. */
  release(): void {
    for (const data of this.#uploaded) {
      data.resource = null;
      data.external = false;
    }
  }
}

function isRepeated(values: ArrayLike<number>): boolean {
  if (values.length === 0) return false;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], values[0])) return false;
  return true;
}

/** Passes for a buffer wherever TensorFlow.js looks at its type, size and usage, and nowhere else. */
function standIn(size: number): GPUBuffer {
  const never = () => undefined;
  return Object.create(GPUBuffer.prototype, {
    size: { value: size },
    usage: { value: TENSOR_USAGE },
    destroy: { value: never },
  });
}
