/**
 * The graph that a trace gives: TensorFlow.js kernels and the values between them, in the order in
 * which they ran. Shapes are logical (images NHWC), as TensorFlow.js sees them.
 */
import { elementCount } from "../../bytes.ts";
import type { DrawRows } from "../../random/draw_rows.ts";

/** Element types of traced values. */
export type KernelType = "float32" | "int32" | "bool";

/** Elements of a constant; a bool is a byte of 0 or 1. */
export type ConstantData = Float32Array | Int32Array | Uint8Array;

/** Where a value comes from. */
export type ValueSource =
  /** Given at each run. */
  | { kind: "input"; name: string }
  /**
   * `label` is a readable name, such as a parameter's; `drawnBy` the function of TensorFlow.js that drew its
   * elements at random while tracing.
   */
  | { kind: "constant"; data: ConstantData; label?: string; drawnBy?: string }
  /** A constant whose elements are all the same: kept as one number. */
  | { kind: "fill"; value: number; drawnBy?: string }
  /** Output number `index` of a kernel. */
  | { kind: "kernel"; node: KernelNode; index: number };

/** A tensor of the graph. */
export interface KernelValue {
  /** Its own within the graph. */
  id: number;
  /** As TensorFlow.js sees it. */
  shape: number[];
  /** The type of an element. */
  dtype: KernelType;
  /** Where it comes from. */
  source: ValueSource;
}

/** One kernel call. */
export interface KernelNode {
  /** TensorFlow.js' name, such as `"Conv2D"`. */
  kernel: string;
  /** By TensorFlow.js' names, such as `"x"`; lists (`Concat`, `Pack`) have `"0"`, `"1"`, ... */
  inputs: Record<string, KernelValue>;
  /** TensorFlow.js' attributes, such as `strides`. */
  attributes: Readonly<Record<string, unknown>>;
  /** What it gives. */
  outputs: KernelValue[];
  /** The names of the `tf.tidy(name, ...)` scopes around the call, such as `"conv_1"`; joined by `/`. */
  scope: string;
}

/** A traced function. */
export interface KernelGraph {
  /** In the order in which they ran. */
  nodes: KernelNode[];
  /** What is given at each run. */
  inputs: KernelInput[];
  /** What the function returned. */
  outputs: { name: string; value: KernelValue }[];
}

/** An input of the graph. Random inputs are in the order in which the function drew them. */
export interface KernelInput {
  /** Its own within the graph. */
  name: string;
  /** Whether the caller gives it, or a random number generator. */
  kind: "input" | "random";
  /** For a random input, the values it wants. */
  distribution?: "uniform" | "normal";
  /** Where it wants `value` for each uniform number that is at least `threshold`, and 0 elsewhere. */
  mask?: { threshold: number; value: number };
  /** For a random input that is a part of a larger draw, which part. */
  rows?: DrawRows;
  /** The tensor that stands for it. */
  value: KernelValue;
}

/** Whether two lists of numbers are the same. */
export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** The kernel that made a value, or undefined for inputs and constants. */
export function producerOf(value: KernelValue): KernelNode | undefined {
  return value.source.kind === "kernel" ? value.source.node : undefined;
}

/** The elements of a constant, or undefined for values that are known only at run time. */
export function constantData(value: KernelValue): ConstantData | undefined {
  if (value.source.kind === "constant") return value.source.data;
  if (value.source.kind !== "fill") return undefined;
  return newData(value.dtype, elementCount(value.shape)).fill(value.source.value);
}

/** Zeros of a type. */
export function newData(dtype: KernelType, size: number): ConstantData {
  if (dtype === "float32") return new Float32Array(size);
  return dtype === "int32" ? new Int32Array(size) : new Uint8Array(size);
}
