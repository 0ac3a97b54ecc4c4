/** Tensors by name, tensors in host memory, and their shapes: what every room says about tensors. */
import type * as tf from "@tensorflow/tfjs";

/** Tensors by name. */
export type TensorMap = Record<string, tf.Tensor>;

/** A tensor in host memory. */
export interface HostTensor {
  /** Sizes, the outermost first. */
  shape: number[];
  /** The type of its numbers. */
  dtype: "float32" | "int32";
  /** Its numbers, row by row. */
  data: Float32Array | Int32Array;
}

/** Host tensors by name. */
export type HostTensors = Record<string, HostTensor>;

/** The shape and type of an input. */
export interface TensorSpec {
  /** Sizes, the outermost first. */
  shape: number[];
  /** The type of its numbers. */
  dtype: "float32" | "int32";
}

/** A forward function: tensors in, tensors out. Pure, as a step is. */
export type TensorFunction = (inputs: TensorMap) => TensorMap;
