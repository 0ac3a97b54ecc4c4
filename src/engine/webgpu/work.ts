/**
 * The GPU work of a step as data: what kernels queue, a recorder takes, and the passes over a recorded
 * step rearrange. Types only, so that every file about programs and buffers can import it.
 */
import type { TensorData } from "./backend_types.ts";
import type { Argument, Expression } from "./expression.ts";

/** An expression whose results are stored. */
export interface ElementwiseWork extends Expression {
  /** Which nodes are stored, and where. */
  outputs: { node: number; buffer: GPUBuffer }[];
}

/** How elements are combined. A mean is a sum whose result is divided. */
export type Combination = "sum" | "max" | "min";

/** One reduction, or one stage of it. */
export interface ReductionWork extends Expression {
  /** What is reduced. */
  value: Argument;
  /** How it is reduced. */
  combine: Combination;
  /** The expression's elements are `[outer, reduced, inner]`. */
  outer: number;
  /** Length of the axis that disappears. */
  reduced: number;
  /** Elements side by side below that axis. */
  inner: number;
  /** The result is `[outer, parts, inner]`. */
  parts: number;
  /** The result is divided by this. */
  divisor: number;
  /** Where the result goes. */
  output: GPUBuffer;
}

/** One dispatch: the bindings are `reads`, then `writes`, then the uniform block where there is one. */
export interface Dispatch {
  /** For profiles and messages. */
  label: string;
  /** The program. */
  pipeline: GPUComputePipeline;
  /** Buffers that it reads. */
  reads: GPUBuffer[];
  /** Buffers that it writes. */
  writes: GPUBuffer[];
  /** Stock programs bind their output first. */
  writesFirst?: boolean;
  /** The uniform block. */
  uniforms?: ArrayBuffer;
  /** Workgroups along x, y and z. */
  workgroups: [number, number, number];
  /** The written buffers' former contents matter (atomic adds, scatter). */
  accumulates?: boolean;
}

/** Takes the GPU's work while a step is being recorded. */
export interface WorkRecorder {
  /** Stands for the buffer of a tensor that some dispatch will write. */
  allocate(sizeBytes: number): GPUBuffer;
  /** Stands for the buffer of a tensor whose values are on the host. */
  upload(data: TensorData): GPUBuffer;
  /** Takes a kernel whose inside it does not know. */
  dispatch(work: Dispatch): void;
  /** Takes an elementwise kernel. */
  elementwise(work: ElementwiseWork): void;
  /** Takes a reduction. */
  reduction(work: ReductionWork): void;
}
