/**
 * What a built network is. A layer is built once, from its spec and the shape that comes in: it
 * declares its parameters and says what it makes of a batch. Layer families are in `layers/`.
 */
import type { InitializerSpec, LayerSpec } from "../config/network.ts";
import type { NetworkSpec } from "../config/network.ts";
import type { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";

/** How one parameter starts. */
export type ParameterInit =
  /** Every number the same. */
  | { kind: "constant"; value: number }
  /** U(-limit, limit). */
  | { kind: "uniform"; limit: number }
  /** N(0, sigma^2). */
  | { kind: "normal"; sigma: number }
  /** A direction: N(0, 1) values divided by their Euclidean length. */
  | { kind: "unit-vector" };

/** One tensor of a network's state. */
export interface Parameter {
  /** Path within the network, such as `dense_1/kernel`. */
  name: string;
  /** In ganforge's layouts: images `[h, w, c]`, kernels `[kh, kw, inputs, outputs]`. */
  shape: number[];
  /** Whether an optimizer changes it. The others are buffers: running statistics, singular vectors. */
  trainable: boolean;
  /** How it starts. */
  init: ParameterInit;
}

/** A row of the network's table. */
export interface LayerSummary {
  /** Path within the network, such as `residual_1/body/conv_2`. */
  name: string;
  /** The layer's type in its description. */
  type: LayerSpec["type"];
  /** Without the batch. */
  outputShape: number[];
  /** Values in the layer's own parameters, buffers included. */
  parameterCount: number;
  /** Arithmetic operations for one sample, forward; a multiply-add counts two. */
  flops: number;
}

/** How a network is applied. */
export interface ApplyContext {
  /** Whether batch statistics, dropout and noise are in effect. */
  training: boolean;
  /** Needed while training, by dropout and noise. */
  random?: StepRandom;
  /**
   * Needed otherwise, where {@linkcode Network.noiseSize}: what layers that stay random draw from,
   * uniform multiples of 1/2048, `[n, noiseSize]`.
   */
  noise?: tf.Tensor;
  /** Class labels `[n]`, int32, where {@linkcode Network.usesLabels}. */
  labels?: tf.Tensor1D;
  /**
   * Whether layers may use operations that cannot be differentiated twice, where they are fewer; for
   * tracers. The values are the same up to rounding.
   */
  compact?: boolean;
  /**
   * While training, how many processes have equal parts of the batch over which batch norm takes its
   * statistics: it exchanges them. Default: the batch is all there is.
   */
  syncRanks?: number;
  /** Whether images may be larger or smaller than those that the network was built for. Default no. */
  anySize?: boolean;
  /**
   * Called in place of each layer, with a name within the block that it is in and the way to apply it;
   * for tracers, which want to know where an operation comes from.
   */
  enterLayer?: (name: string, apply: () => tf.Tensor) => tf.Tensor;
}

/** One application of a network: what the layers read, and where they leave new buffers. */
export interface LayerCall extends ApplyContext {
  /** All parameters by name. */
  parameters: TensorMap;
  /** New values of non-trainable parameters, by name. */
  updates: TensorMap;
  /**
   * `[channels]` what was left out at every position of the layer's input, because a norm will undo it
   * (offsets.ts). Undefined where nothing was.
   */
  offset?: tf.Tensor;
}

/** What a layer makes of a batch `[n, ...inputShape]`: `[n, ...outputShape]`. Pure but for `call.updates`. */
export type Forward = (x: tf.Tensor, call: LayerCall) => tf.Tensor;

/** A layer's bias, one number a channel: see offsets.ts. */
export interface Bias {
  /** Its parameter. */
  readonly name: string;
  /** Whether anything but a norm that undoes it sees it. Settled once the network is built. */
  counts: boolean;
}

/** A layer, ready to be applied. */
export interface BuiltLayer {
  /** Without the batch. */
  outputShape: number[];
  /** Its own operations for one sample, without those of layers inside it. */
  flops: number;
  /** Applies it. */
  forward: Forward;
  /** The same for {@linkcode ApplyContext.compact}, where that is another. */
  compact?: Forward;
  /**
   * The biases of which the output is known to have a constant at every position of a channel: those
   * of {@linkcode LayerScope.biases} that it passes on, and its own. Default none.
   */
  biases?: readonly Bias[];
  /** Whether, while training, the output is the same without the biases that come in. Default no. */
  undoesBiases?: boolean;
}

/** Layers one after another, ready to be applied. */
export type BuiltBlock = Required<Pick<BuiltLayer, "outputShape" | "forward" | "biases">>;

/** What a layer is given while it is built. */
export interface LayerScope {
  /** Without the batch. */
  readonly inputShape: number[];
  /** The biases that are constant at every position of a channel of the input. */
  readonly biases: readonly Bias[];
  /** The network's initializer. */
  readonly defaultInit: InitializerSpec;
  /** How many classes labels have. Fails where the network's spec does not say. */
  classCount(): number;
  /** Declares a parameter, and gives its full name. */
  parameter(
    name: string,
    shape: number[],
    init: ParameterInit,
    options?: { trainable?: boolean },
  ): string;
  /** Reserves values of each sample's noise. @returns where they begin */
  noise(size: number): number;
  /** Builds layers inside this one, under `path/block`, that start from this layer's input. */
  block(block: string, layers: LayerSpec[]): BuiltBlock;
  /** Throws a UserError that names the layer. */
  fail(problem: string): never;
}

/** The description of a layer of one type. */
export type SpecOf<Type extends LayerSpec["type"]> = Extract<LayerSpec, { type: Type }>;

/** A network whose shapes fit. Build one with {@linkcode buildNetwork}. */
export interface Network {
  /** What it was built from. */
  readonly spec: NetworkSpec;
  /** All parameters in a fixed order, buffers included. */
  readonly parameters: Parameter[];
  /** Without the batch. */
  readonly outputShape: number[];
  /** Every layer, those inside blocks before the block. */
  readonly layers: LayerSummary[];
  /** Whether a layer needs `labels`. */
  readonly usesLabels: boolean;
  /** Whether, while training, a sample's output depends on the others through batch norm. */
  readonly usesBatchStatistics: boolean;
  /** Uniform values that a sample takes besides its input, when the network is used; 0: none. */
  readonly noiseSize: number;
  /** Applies all layers; {@linkcode applyNetwork} is the public way. */
  readonly forward: Forward;
}
