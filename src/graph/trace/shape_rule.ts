/** The type of a kernel's shape rule, and helpers that several tables of rules share. */
import { tf } from "../../tensor/tf.ts";
import type { KernelNode, KernelType, KernelValue } from "./kernel_graph.ts";

/** An output's shape; its type is that of the first input, unless the rule says otherwise. */
export interface OutputShape {
  /** The output's shape. */
  shape: number[];
  /** Its type, where that is not the first input's. */
  dtype?: KernelType;
}

/** Computes the outputs' shapes from the inputs and the attributes. */
export type ShapeRule = (
  inputs: Record<string, KernelValue>,
  attributes: KernelNode["attributes"],
) => OutputShape[];

/** The shape of two broadcast tensors. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  return tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
}

/** Axes as non-negative numbers in ascending order; undefined means all. */
export function resolveAxes(axis: unknown, shape: readonly number[]): number[] {
  const axes = tf.util.parseAxisParam(axis as number | number[], [...shape]);
  return [...axes].sort((a, b) => a - b);
}

/** One axis as a non-negative number. */
export function resolveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
