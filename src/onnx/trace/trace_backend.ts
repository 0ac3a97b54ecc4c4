/**
 * A TensorFlow.js backend whose kernels record instead of computing. It is the tracer's one adapter to
 * TensorFlow.js' internals: trace.ts asks it for a {@linkcode Recording}.
 *
 * Tensors of other backends that the traced function uses become constants. Kernels whose inputs are
 * all constants run at once on the cpu backend.
 */
import { tf } from "../../engine/tf.ts";
import { UserError } from "../../errors.ts";
import { foldConstants } from "./constant_kernels.ts";
import {
  type ConstantData,
  constantData,
  type KernelNode,
  type KernelType,
  type KernelValue,
  newData,
  sameNumbers,
  type ValueSource,
} from "./kernel_graph.ts";
import type { OutputShape } from "./shape_rule.ts";
import { SHAPE_RULES, traceableKernels } from "./shape_rules.ts";

/** The backend's name in TensorFlow.js' registry. */
export const TRACE_BACKEND = "ganforge-trace";

/** What a kernel gets and gives: TensorFlow.js' handle of a tensor. */
type Info = tf.TensorInfo;
type DataId = object;

/** Options of a {@linkcode Recording}. */
export interface RecordingOptions {
  /** Names for tensors of other backends that become constants, by their data's handle. */
  labels?: ReadonlyMap<DataId, string>;
  /** See `TraceOptions` in trace.ts. */
  batchMark?: number;
}

/** What one run of a function recorded. */
export class Recording {
  /** The kernels, in the order in which they ran. */
  readonly nodes: KernelNode[] = [];
  readonly #values = new WeakMap<DataId, KernelValue>();
  readonly #options: RecordingOptions;
  #nextId = 0;

  /** Starts with nothing recorded. */
  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** Makes a value and a handle for it. */
  define(shape: readonly number[], dtype: KernelType, source: ValueSource): [Info, KernelValue] {
    const value: KernelValue = { id: this.#nextId++, shape: [...shape], dtype, source };
    const dataId = {};
    this.#values.set(dataId, value);
    return [{ dataId, shape: [...shape], dtype }, value];
  }

  /** Makes a constant, as one number where all its elements are the same. */
  defineConstant(data: ConstantData, shape: readonly number[], dtype: KernelType): Info {
    return this.define(shape, dtype, constantSource(data))[0];
  }

  /** The value behind a handle, or undefined where it belongs to another backend. */
  find(dataId: DataId): KernelValue | undefined {
    return this.#values.get(dataId);
  }

  /** The value behind a handle; tensors of other backends are read and become constants. */
  resolve(info: Info): KernelValue {
    const known = this.#values.get(info.dataId);
    if (known === undefined) return this.#capture(info);
    if (sameNumbers(known.shape, info.shape)) return known;
    return this.#append("Reshape", { x: known }, { shape: info.shape }, [{ shape: info.shape }])[0];
  }

  /** Runs one kernel: computes it where all inputs are constants, else appends a node. */
  record(
    kernel: string,
    inputs: Record<string, Info | null | undefined>,
    attributes: KernelNode["attributes"],
  ): Info[] {
    const values: Record<string, KernelValue> = {};
    for (const [name, info] of Object.entries(inputs)) {
      if (info !== null && info !== undefined) values[name] = this.resolve(info);
    }
    const shapes = SHAPE_RULES[kernel](values, attributes);
    const { batchMark } = this.#options;
    const isDynamic = batchMark !== undefined &&
      shapes.some(({ shape }) => shape.some((dim) => dim > 0 && dim % batchMark === 0));
    const folded = foldConstants(kernel, values, attributes, shapes, isDynamic);
    if (folded !== null) {
      return folded.map(({ source, shape, dtype }) => this.define(shape, dtype, source)[0]);
    }
    return this.#append(kernel, values, attributes, shapes).map((value) => {
      const dataId = {};
      this.#values.set(dataId, value);
      return { dataId, shape: value.shape, dtype: value.dtype };
    });
  }

  #append(
    kernel: string,
    inputs: Record<string, KernelValue>,
    attributes: KernelNode["attributes"],
    shapes: OutputShape[],
  ): KernelValue[] {
    const node: KernelNode = { kernel, inputs, attributes, outputs: [], scope: scopeName() };
    const fallback = Object.values(inputs)[0]?.dtype ?? "float32";
    node.outputs = shapes.map(({ shape, dtype }, index) => ({
      id: this.#nextId++,
      shape,
      dtype: dtype ?? fallback,
      source: { kind: "kernel", node, index },
    }));
    this.nodes.push(node);
    return node.outputs;
  }

  #capture(info: Info): KernelValue {
    const holder = tf.engine().state.tensorInfo.get(info.dataId);
    if (holder === undefined) throw new Error("A traced function used a tensor that was disposed");
    const values = holder.backend.readSync(info.dataId);
    const data = toConstantData(values as ArrayLike<number>, info.dtype as KernelType);
    const label = this.#options.labels?.get(info.dataId);
    const value = this.define(info.shape, info.dtype as KernelType, constantSource(data, label))[1];
    this.#values.set(info.dataId, value);
    return value;
  }
}

/** A constant: one number where all its elements are the same. */
function constantSource(data: ConstantData, label?: string): ValueSource {
  const uniform = data.length > 0 && data.every((item) => Object.is(item, data[0]));
  return uniform ? { kind: "fill", value: data[0] } : { kind: "constant", data, label };
}

/** The open `tf.tidy` scopes that a person named; TensorFlow.js names its own ops `add__op`. */
function scopeName(): string {
  const names: string[] = tf.engine().state.scopeStack.map((scope) => scope.name);
  return names.filter((name) => name && !name.endsWith("__op") && !name.includes(" ")).join("/");
}

function toConstantData(values: ArrayLike<number>, dtype: KernelType): ConstantData {
  const data = newData(dtype, values.length);
  data.set(values);
  return data;
}

class TraceBackend extends tf.KernelBackend {
  recording: Recording | null = null;
  readonly #references = new WeakMap<DataId, number>();
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

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
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

  override read(dataId: DataId): Promise<tf.backend_util.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override refCount(dataId: DataId): number {
    return this.#references.get(dataId) ?? 0;
  }

  override incRef(dataId: DataId): void {
    this.#references.set(dataId, this.refCount(dataId) + 1);
  }

  override disposeData(dataId: DataId, force = false): boolean {
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
  // Synchronous in effect: the backend needs no initialisation that takes time.
  void tf.setBackend(TRACE_BACKEND);
  const engine = tf.engine();
  engine.startScope("ganforge trace");
  try {
    return body(recording, (info) => engine.makeTensorFromTensorInfo(target.adopt(info)));
  } finally {
    engine.endScope();
    void tf.setBackend(previous);
    target.recording = null;
  }
}
