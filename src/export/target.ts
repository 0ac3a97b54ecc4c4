/**
 * What can be exported: networks of this project, functions of tensors, layers models and graph models of
 * TensorFlow.js.
 */
import type { NetworkSpec } from "../config/network.ts";
import type { HostTensors, StepRandom, TensorMap } from "../tensor/types.ts";

/** A network of this project with its weights. */
export interface NetworkTarget {
  /** The network's description. */
  spec: NetworkSpec;
  /** Its parameters by name, buffers included. */
  weights: HostTensors;
}

/** A dimension of an input: a length, null for any length, or a name for any length. */
export type InputDimension = number | null | string;

/** The shape and type of a function's input. */
export interface InputSignature {
  /**
   * `null` where the file leaves the length open. Open axes are called N (the first one), T in `[N, T, C]`,
   * H and W in `[N, H, W, C]`, D, H and W in `[N, D, H, W, C]`; a text gives an axis another name. Axes of
   * one name have one length, in all inputs.
   */
  shape: InputDimension[];
  /** Default "float32". */
  dtype?: "float32" | "int32";
}

/** What is known here of a `tf.Tensor`. */
export interface TensorLike {
  /** Its dimensions. */
  readonly shape: number[];
  /** "float32", say. */
  readonly dtype: string;
}

/** Where a function may draw random numbers from. */
export interface NoiseSource<Tensor extends TensorLike> {
  /** U[0, 1) values of a shape. */
  uniform(shape: number[]): Tensor;
  /** N(0, 1) values of a shape. */
  normal(shape: number[]): Tensor;
}

/** A function of tensors: write `FunctionTarget<tf.Tensor>`. */
export interface FunctionTarget<Tensor extends TensorLike = TensorLike> {
  /**
   * Pure: the same tensors give the same result, and nothing is read on the host. What it draws from
   * `random` becomes further inputs of the file, `random_0`, `random_1`, ...
   */
  fn(inputs: Record<string, Tensor>, random: NoiseSource<Tensor>): Record<string, Tensor> | Tensor;
  /** Its inputs by name. */
  inputs: Record<string, InputSignature>;
  /** Readable names for tensors that the function uses: its weights. */
  weights?: Record<string, Tensor>;
}

/** What is known here of a `tf.LayersModel`. */
export interface LayersModelLike {
  /** Its inputs. */
  inputs: { name: string; shape: (number | null)[] }[];
  /** Its outputs. */
  outputs: { name: string }[];
  /** Applies it. */
  apply(inputs: unknown, options?: unknown): unknown;
}

/** What is known here of a `tf.GraphModel`. */
export interface GraphModelLike {
  /** Its inputs. */
  readonly inputs: { name: string; shape?: number[]; dtype: string }[];
  /** Its outputs. */
  readonly outputs: { name: string }[];
  /** Runs it. */
  // deno-lint-ignore no-explicit-any -- the tensors of a copy of TensorFlow.js that is not known here
  execute(inputs: any, outputs?: string | string[]): unknown;
}

/** Whatever {@linkcode exportOnnx} takes. */
export type ExportTarget<Tensor extends TensorLike = TensorLike> =
  | NetworkTarget
  | FunctionTarget<Tensor>
  | LayersModelLike
  | GraphModelLike;

/** An input whose open axes have names. */
export interface ResolvedInput {
  /** Lengths, and names of open axes. */
  shape: (number | string)[];
  /** The type of an element. */
  dtype: "float32" | "int32";
}

/** A target made ready to be traced. */
export interface PreparedTarget {
  /** The names, shapes and types of its inputs; an open axis has its name in the shape. */
  inputs: Record<string, ResolvedInput>;
  /** Applies it, while tracing or to tensors of any backend. */
  apply(inputs: TensorMap, random: StepRandom): TensorMap;
  /** Names of the weights' tensors. */
  weights: TensorMap;
  /** Dimensions that it is known to have. */
  dims: number[];
  /** Class numbers go from 0 to this; undefined where nothing says so. */
  classCount?: number;
  /** Whether it is a network of this project, whose inputs have the names of a generator's. */
  isOwn: boolean;
  /** Gives back what was made for tracing. */
  release(): void;
}

/** The names of a network's inputs. */
export const LATENT = "latent";
/** See {@linkcode LATENT}. */
export const LABEL = "label";
/** See {@linkcode LATENT}: what layers that stay random draw from. */
export const NOISE = "noise";

/** Shapes for some of a target's inputs, by name. */
export type InputShapes = Readonly<Record<string, readonly InputDimension[]>>;
