/**
 * What an engine is: it takes a training step, written once as a pure function of tensors, and runs
 * it many times. The eager TensorFlow.js engine is the reference; the others (the step as an ONNX
 * graph, the step captured on WebGPU) must give its numbers.
 *
 * Randomness, data and everything that the host computes (learning rates, Adam's bias corrections)
 * come in from outside, so a step has no hidden state: `(state, inputs, random) -> (state, scalars)`.
 */
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

/**
 * The random numbers of one step. Each call is an independent stream: the n-th call of a step (from 0)
 * draws the numbers at `{seed, stream: n, step}` of src/random/counter_random.ts, so every engine
 * must see the same calls in the same order.
 */
export interface StepRandom {
  /** U[0, 1) numbers of a shape. */
  uniform(shape: number[]): tf.Tensor;
  /** N(0, 1) numbers of a shape. */
  normal(shape: number[]): tf.Tensor;
}

/**
 * One training step. Pure: it may not read tensors on the host, keep tensors, or use any randomness
 * but `random`. It must return every name of `state`, with the same shapes. Runs inside `tf.tidy`.
 */
export type StepFunction = (
  state: TensorMap,
  inputs: TensorMap,
  random: StepRandom,
) => { state: TensorMap; scalars: TensorMap };

/** A step with the signature of its inputs. */
export interface StepProgram {
  step: StepFunction;
  /** What the host gives for each step: the batch, labels, learning rates. */
  inputs: Record<string, TensorSpec>;
  /** Given once, seen by the step as further inputs of the same name: a data set that stays on the device, say. */
  constants?: HostTensors;
}

/** The inputs of one step, by the names of {@linkcode StepProgram.inputs}. */
export type StepInputs = Record<string, Float32Array | Int32Array>;

/** A step that is ready to run. Holds the state; release it with {@linkcode CompiledStep.dispose}. */
export interface CompiledStep {
  /**
   * Runs one step for each entry of `batches`, in order. Steps are cheapest in chunks: an engine reads
   * the scalars back once a call.
   * @param firstStep the number of the first step, which addresses its random numbers
   * @returns for each scalar's name, its value at each of these steps
   */
  run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>>;
  /** Copies the state to the host. */
  readState(): Promise<HostTensors>;
  /** Replaces the state. Names, shapes and types must be those of the step. */
  writeState(state: HostTensors): Promise<void>;
  /** Gives all memory back. */
  dispose(): Promise<void>;
}

/** A forward function: tensors in, tensors out. Pure, as a step is. */
export type TensorFunction = (inputs: TensorMap) => TensorMap;

/** A forward function that is ready to run. */
export interface CompiledFunction {
  run(inputs: HostTensors): Promise<HostTensors>;
  dispose(): Promise<void>;
}

/** Runs steps and functions on some device. */
export interface Engine {
  /** "tfjs-cpu", "tfjs-webgpu", "webgpu" or "onnx". */
  readonly name: string;
  /** For the person at the terminal: which device, which runtime, how many threads. */
  readonly description: string;
  compileStep(program: StepProgram, state: HostTensors, seed: number): Promise<CompiledStep>;
  compileFunction(
    fn: TensorFunction,
    inputs: Record<string, TensorSpec>,
  ): Promise<CompiledFunction>;
  dispose(): Promise<void>;
}
