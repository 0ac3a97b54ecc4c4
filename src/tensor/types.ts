/** Tensors by name, tensors in host memory, and their shapes: what every room says about tensors. */
import type * as tf from "@tensorflow/tfjs";
import type { DrawRows } from "../random/draw_rows.ts";

/** Tensors by name. */
export type TensorMap = Record<string, tf.Tensor>;

/** A tensor in host memory. */
export interface HostTensor {
  /** Sizes, the outermost first. */
  shape: number[];
  /** The type of its values. */
  dtype: "float32" | "int32";
  /** Its values, row by row. */
  data: Float32Array | Int32Array;
}

/** Host tensors by name. */
export type HostTensors = Record<string, HostTensor>;

/** The shape and type of an input. */
export interface TensorSpec {
  /** Sizes, the outermost first. */
  shape: number[];
  /** The type of its values. */
  dtype: "float32" | "int32";
}

/** A forward function: tensors in, tensors out. Pure, as a step is. */
export type TensorFunction = (inputs: TensorMap) => TensorMap;

/**
 * The random numbers of one step. Each call is an independent stream: the n-th call of a step (from 0)
 * draws the values at `{seed, stream: n, step}` of src/random/counter_random.ts, so every engine
 * must see the same calls in the same order. Calls are counted within the step's own kind: what another
 * kind would have drawn leaves no gap. Where a draw is a part of a larger one, `rows` says which.
 */
export interface StepRandom {
  /** U[0, 1) values of a shape. */
  uniform(shape: number[], rows?: DrawRows): tf.Tensor;
  /** N(0, 1) values of a shape. */
  normal(shape: number[], rows?: DrawRows): tf.Tensor;
}
