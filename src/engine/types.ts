/**
 * What an engine is: it takes a training step, written once as a pure function of tensors, and runs
 * it many times. The eager TensorFlow.js engine is the reference; the others (the step as an ONNX
 * graph, the step captured on WebGPU) must give its numbers.
 *
 * Randomness, data and everything that the host computes (learning rates, Adam's bias corrections)
 * come in from outside, so a step has no hidden state: `(state, inputs, random) -> (state, scalars)`.
 */
import type {
  HostTensors,
  StepRandom,
  TensorFunction,
  TensorMap,
  TensorSpec,
} from "../tensor/types.ts";

/**
 * Rows of bytes in a file, for samples that memory does not hold. Rows that were announced are read while
 * steps run.
 */
export interface RowStream {
  /** How many rows there are. */
  readonly count: number;
  /** Says which rows will be taken next, after those that were announced before. */
  readAhead(numbers: Uint32Array): void;
  /** The most steps, of the batch's rows each, that are read ahead. */
  requestsAhead(rows: number): number;
  /** Forgets what was announced. */
  restart(): void;
  /** `[numbers.length, rowSize]` the bytes of rows; valid until the next call. */
  take(numbers: Uint32Array): Uint8Array;
  /** The same, whatever was announced. */
  read(numbers: Uint32Array): Uint8Array;
}

/**
 * Samples that batches are picked from; they stay the same as long as a step lives. Where they fit an
 * engine's device they are put there once, and from then on a step costs the numbers of its rows.
 */
export interface SamplePool {
  /**
   * `[count, rowSize]`: bytes, each of which stands for a number, or the values themselves. A stream
   * gives bytes.
   */
  readonly rows: Uint8Array | Float32Array | RowStream;
  /** How many values a row has. */
  readonly rowSize: number;
  /** `[256]` the number that each byte stands for. Rows of bytes need it, and only they have it. */
  readonly byteValues?: Float32Array;
  /**
   * How many rows make one sample, in which their values alternate: with 3, three gray images are
   * the red, green and blue of one. Default 1.
   */
  readonly rowsPerSample?: number;
}

/** An input of a step. */
export interface InputSpec extends TensorSpec {
  /**
   * Where given, each step gets the numbers of the pool's rows that its input is made of, as a
   * `Uint32Array`, and the engine picks the values: on every engine these are the pool's very bits.
   * Such an input is float32.
   */
  pool?: SamplePool;
}

/**
 * One training step. Pure: it may not read tensors on the host, keep tensors, or use any randomness
 * but `random`. It must return every name of `state`, with the same shapes. Runs inside `tf.tidy`.
 * `kind` says which step it is to be, where steps differ: see {@linkcode StepProgram.kindOf}.
 */
export type StepFunction = (
  state: TensorMap,
  inputs: TensorMap,
  random: StepRandom,
  kind: string,
) => { state: TensorMap; scalars: TensorMap };

/** A step with the signature of its inputs. */
export interface StepProgram {
  step: StepFunction;
  /**
   * The kind of a step (counted from 0), where steps do not all do the same work: every 16th has a
   * penalty, say. Kinds share state and inputs; draws and scalars are each kind's own. An engine
   * compiles the kind of step 0 at once and each other one when it first meets it, so there should be
   * few. A step's kind may depend on its number alone: a resumed run asks again. Default: all are "".
   */
  kindOf?(step: number): string;
  /** What the host gives for each step: the batch, labels, learning rates. */
  inputs: Record<string, InputSpec>;
  /** Given once, seen by the step as further inputs of the same name. */
  constants?: HostTensors;
  /** Exchanges values with the other processes, where the step has all-reduces (tensor/all_reduce.ts). */
  collective?: Collective;
}

/** The processes that run a step together, each with its share of the batch. */
export interface Collective {
  /** Replaces the values by their mean over all processes, with the same bits in each. */
  allReduceMean(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** Called with the time that parts of a step took, for measurements: inputs, compute, all-reduce. */
  onPhase?(phase: string, ms: number): void;
}

/**
 * The inputs of one step, by the names of {@linkcode StepProgram.inputs}: values of the input's type,
 * or row numbers where the input has a pool.
 */
export type StepInputs = Record<string, Float32Array | Int32Array | Uint32Array>;

/**
 * A step that is ready to run. Holds the state; release it with {@linkcode CompiledStep.dispose}.
 *
 * One call at a time: a call while another is running is refused, and so is every call after `dispose`.
 * A refused call changes nothing. Errors always come as rejections.
 */
export interface CompiledStep {
  /**
   * Runs one step for each entry of `batches`, in order. Steps are cheapest in chunks: an engine reads
   * the scalars back once a call.
   * @param firstStep the number of the first step, which addresses its random numbers and has a kind:
   * an integer from 0 to 2^32 - 1
   * @returns for each scalar's name, its value at each of these steps; NaN at steps whose kind has no
   * such scalar
   * @throws {TypeError} when an input is missing, not declared, or of another type or size
   * @throws {RangeError} when a pool has no such row, or `firstStep` is no step
   */
  run(batches: StepInputs[], firstStep: number): Promise<Record<string, Float32Array>>;
  /** Copies the state to the host. */
  readState(): Promise<HostTensors>;
  /**
   * Replaces the state as a whole.
   * @throws {TypeError} when names, shapes, types or sizes are not those of the step
   */
  writeState(state: HostTensors): Promise<void>;
  /** Gives all memory back, once a running call has ended. May be called again. */
  dispose(): Promise<void>;
}

/** A forward function that is ready to run, one call at a time. */
export interface CompiledFunction {
  /**
   * Runs it.
   * @param inputs of the declared names, shapes and types
   * @returns by the function's names; booleans as int32
   * @throws {TypeError} when an input is missing, not declared, or of another shape, type or size
   */
  run(inputs: HostTensors): Promise<HostTensors>;
  /** Gives all memory back, once a running call has ended. May be called again. */
  dispose(): Promise<void>;
}

/**
 * Runs steps and functions on some device. `tests/engine/contract` runs the same cases on every engine:
 * the same inputs give the same answers, and the same errors.
 */
export interface Engine {
  /** "tfjs-cpu", "tfjs-webgpu", "webgpu", "onnx-web" or "onnx-node". */
  readonly name: string;
  /** For the person at the terminal: which device, which runtime, how many threads. */
  readonly description: string;
  /**
   * Compiles a step, with the state before its first one. What a step does wrong, such as returning
   * another state than it was given, shows here; on the eager engine, which compiles nothing, at the
   * first run.
   * @param seed of the step's random numbers
   * @throws {TypeError} when the program, its state or its results do not go together
   * @throws {UserError} when it does not fit into memory, or two runs of the step differ
   */
  compileStep(program: StepProgram, state: HostTensors, seed: number): Promise<CompiledStep>;
  /** Compiles a function for inputs of fixed shapes. */
  compileFunction(
    fn: TensorFunction,
    inputs: Record<string, TensorSpec>,
  ): Promise<CompiledFunction>;
  /** Disposes of what it has compiled, and then of itself. */
  dispose(): Promise<void>;
}
