/** What a trace records: kernels and the values between them, behind TensorFlow.js' handles of tensors. */
import { tf } from "../../tensor/tf.ts";
import { foldConstants } from "./constant_kernels.ts";
import {
  type ConstantData,
  type KernelNode,
  type KernelType,
  type KernelValue,
  newData,
  sameNumbers,
  type ValueSource,
} from "./kernel_graph.ts";
import type { OutputShape } from "./shape_rule.ts";
import { SHAPE_RULES } from "./shape_rules.ts";

/** What a kernel gets and gives: TensorFlow.js' handle of a tensor. */
export type Info = tf.TensorInfo;
/** What several handles of one tensor share. */
export type TensorKey = object;

/** Options of a {@linkcode Recording}. */
export interface RecordingOptions {
  /** Names for tensors of other backends that become constants, by their data's handle. */
  labels?: ReadonlyMap<TensorKey, string>;
  /** See `TraceOptions` in trace.ts. */
  openLengths?: readonly number[];
  /** See `TraceOptions` in trace.ts. */
  captured?: Map<TensorKey, ConstantData>;
}

/** What one run of a function recorded. */
export class Recording {
  /** The kernels, in the order in which they ran. */
  readonly nodes: KernelNode[] = [];
  readonly #values = new WeakMap<TensorKey, KernelValue>();
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
    return this.define(shape, dtype, constantSource(data, { drawnBy: drawingFunction() }))[0];
  }

  /** The value behind a handle, or undefined where it belongs to another backend. */
  find(dataId: TensorKey): KernelValue | undefined {
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
    const { openLengths = [] } = this.#options;
    const isMultiple = (dim: number) => dim > 0 && openLengths.some((open) => dim % open === 0);
    const isOpen = shapes.some(({ shape }) => shape.some(isMultiple));
    const folded = foldConstants(kernel, values, attributes, shapes, isOpen);
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
    const { captured } = this.#options;
    let data = captured?.get(info.dataId);
    if (data === undefined) {
      const values = holder.backend.readSync(info.dataId);
      data = toConstantData(values as ArrayLike<number>, info.dtype as KernelType);
      captured?.set(info.dataId, data);
    }
    const label = this.#options.labels?.get(info.dataId);
    const value =
      this.define(info.shape, info.dtype as KernelType, constantSource(data, { label }))[1];
    this.#values.set(info.dataId, value);
    return value;
  }
}

/** A constant: one number where all its elements are the same. */
function constantSource(
  data: ConstantData,
  { label, drawnBy }: { label?: string; drawnBy?: string },
): ValueSource {
  const uniform = data.length > 0 && data.every((item) => Object.is(item, data[0]));
  const drawn = drawnBy ? { drawnBy } : {};
  return uniform
    ? { kind: "fill", value: data[0], ...drawn }
    : { kind: "constant", data, label, ...drawn };
}

/** TensorFlow.js' functions that draw random numbers on the host. */
const DRAWING = new Set(
  "dropout rand randomGamma randomNormal randomStandardNormal randomUniform randomUniformInt truncatedNormal"
    .split(" "),
);

/** The function of TensorFlow.js that is drawing random numbers now, such as `tf.dropout`. */
function drawingFunction(): string | undefined {
  const scopes: string[] = tf.engine().state.scopeStack.map((scope) => scope.name ?? "");
  const name = scopes.map((scope) => scope.replace(/_*op$/, "")).find((scope) =>
    DRAWING.has(scope)
  );
  return name && `tf.${name}`;
}

/** The open `tf.tidy` scopes that a person named; TensorFlow.js names its own ops `add__op`. */
export function scopeName(): string {
  const names: string[] = tf.engine().state.scopeStack.map((scope) => scope.name);
  return names.filter((name) => name && !name.endsWith("__op") && !name.includes(" ")).join("/");
}

/** A copy as a constant's elements. */
export function toConstantData(values: ArrayLike<number>, dtype: KernelType): ConstantData {
  const data = newData(dtype, values.length);
  data.set(values);
  return data;
}
