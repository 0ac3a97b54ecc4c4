/**
 * A TensorFlow.js backend whose kernels record instead of computing. It is the tracer's one adapter to
 * TensorFlow.js' internals: trace.ts asks it for a {@linkcode Recording}.
 *
 * Tensors of other backends that the traced function uses become constants. Kernels whose inputs are
 * all constants run at once on the cpu backend.
 */
import { tf } from "../../tensor/tf.ts";
import { UserError } from "../../errors.ts";
import { constantData, type KernelType } from "./kernel_graph.ts";
import {
  type Info,
  Recording,
  type RecordingOptions,
  scopeName,
  type TensorKey,
  toConstantData,
} from "./recording.ts";
import { withGuards } from "./guards.ts";
import { SHAPE_RULES, traceableKernels } from "./shape_rules.ts";

/** The backend's name in TensorFlow.js' registry. */
const TRACE_BACKEND = "ganforge-trace";

class TraceBackend extends tf.KernelBackend {
  recording: Recording | null = null;
  readonly #references = new WeakMap<TensorKey, number>();
  #liveCount = 0;

  /** The recording that is running. */
  get current(): Recording {
    if (this.recording === null) throw new Error("The trace backend is used outside of a trace");
    return this.recording;
  }

  /** Registers a handle, so that TensorFlow.js may count references to it. */
  adopt(info: Info): Info {
    this.#references.set(info.dataId, 1);
    this.#liveCount++;
    return info;
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType) {
    const type = dtype as KernelType;
    const data = toConstantData(values as ArrayLike<number>, type);
    return this.adopt(this.current.defineConstant(data, shape, type)).dataId;
  }

  override readSync(dataId: TensorKey): tf.backend_util.BackendValues {
    const value = this.current.find(dataId);
    const data = value && constantData(value);
    if (data !== undefined) return data as tf.backend_util.BackendValues;
    const { source } = value!;
    const what = source.kind === "kernel" ? `the output of ${source.node.kernel}` : "an input";
    throw new UserError(
      `Cannot trace a function that reads tensors on the host: it asked for ${what}, which is known ` +
        "only at run time; compute with tensors throughout",
    );
  }

  override read(dataId: TensorKey): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override refCount(dataId: TensorKey): number {
    return this.#references.get(dataId) ?? 0;
  }

  override incRef(dataId: TensorKey): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }

  override disposeData(dataId: TensorKey, force = false): boolean {
    const left = this.refCount(dataId) - 1;
    this.#references.set(dataId, left);
    if (left > 0 && !force) return false;
    this.#liveCount--;
    return true;
  }

  override numDataIds(): number {
    return this.#liveCount;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}
}

let backend: TraceBackend | null = null;

/** The backend, registered on first use. */
function traceBackend(): TraceBackend {
  if (backend !== null) return backend;
  const created = backend = new TraceBackend();
  tf.registerBackend(TRACE_BACKEND, () => created, 0);
  const register = (kernelName: string, kernelFunc: tf.KernelFunc) =>
    tf.registerKernel({ kernelName, backendName: TRACE_BACKEND, kernelFunc });

  for (const kernel of Object.keys(SHAPE_RULES)) {
    register(kernel, ({ inputs, attrs }) => {
      const outputs = created.current
        .record(kernel, inputs as Record<string, Info>, (attrs ?? {}) as Record<string, unknown>)
        .map((info) => created.adopt(info));
      return outputs.length === 1 && !LIST_KERNELS.has(kernel) ? outputs[0] : outputs;
    });
  }
  const fill = (shape: number[], dtype: KernelType, value: number) =>
    created.adopt(created.current.define(shape, dtype, { kind: "fill", value })[0]);
  register("Fill", ({ attrs }) => {
    const { shape, value, dtype } = attrs as unknown as tf.FillAttrs;
    return fill(shape, (dtype ?? "float32") as KernelType, value as number);
  });
  const fillLike = (value: number): tf.KernelFunc => ({ inputs }) => {
    const x = inputs.x as Info;
    return fill(x.shape, x.dtype as KernelType, value);
  };
  register("ZerosLike", fillLike(0));
  register("OnesLike", fillLike(1));
  register("Identity", ({ inputs }) => {
    const { dataId, shape, dtype } = inputs.x as Info;
    // A captured tensor belongs to another backend, which must not free it when this copy goes.
    tf.engine().state.tensorInfo.get(dataId)!.backend.incRef(dataId);
    return { dataId, shape, dtype };
  });

  const supported = traceableKernels();
  for (const { kernelName } of tf.getKernelsForBackend("cpu")) {
    if (supported.includes(kernelName)) continue;
    register(kernelName, () => {
      const scope = scopeName();
      if (kernelName === "Multinomial") {
        throw new UserError(
          "Cannot trace a function that draws random numbers itself, with tf.multinomial; draw them from " +
            "the function's second argument, random.uniform(shape), which become inputs of the file",
        );
      }
      throw new UserError(
        `Cannot turn TensorFlow.js kernel ${kernelName}${scope && ` of ${scope}`} into ONNX; ` +
          `supported kernels: ${supported.join(", ")}`,
      );
    });
  }
  return created;
}

/** Kernels whose output is a list even when it has one item. */
const LIST_KERNELS = new Set(["SplitV", "Unpack"]);

/** Runs `body` with the trace backend active and recording; then everything is as before. */
export function withRecording<T>(
  body: (recording: Recording, wrap: (info: Info) => tf.Tensor) => T,
  options: RecordingOptions = {},
): T {
  const target = traceBackend();
  if (target.recording !== null) throw new Error("Cannot trace while another trace is running");
  const previous = tf.getBackend() || "cpu";
  const recording = target.recording = new Recording(options);
  // Synchronous in effect: the backend needs no initialization that takes time.
  void tf.setBackend(TRACE_BACKEND);
  const engine = tf.engine();
  engine.startScope("ganforge trace");
  try {
    const wrap = (info: Info) => engine.makeTensorFromTensorInfo(target.adopt(info));
    return withGuards(() => body(recording, wrap));
  } finally {
    engine.endScope();
    void tf.setBackend(previous);
    target.recording = null;
  }
}
