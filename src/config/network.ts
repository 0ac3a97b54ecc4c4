/**
 * Networks as data. A network is a list of layers; each layer is a plain JSON object, so that the same
 * description goes into a run's config, its checkpoints and the export.
 *
 * Shapes are written without the batch: images are `[height, width, channels]`. Convolutions pad
 * explicitly (`padding`, in pixels), never by a rule such as "same", because runtimes disagree about it.
 */
import { z } from "zod";

/** The name of an activation function. */
export type ActivationName =
  | "linear"
  | "relu"
  | "relu6"
  | "leaky-relu"
  | "elu"
  | "selu"
  | "silu"
  | "gelu"
  | "mish"
  | "tanh"
  | "sigmoid"
  | "hard-sigmoid"
  | "softplus"
  | "softsign"
  | "softmax";

/**
 * How a layer's parameters start.
 *
 * - `"torch"`: weight and bias from U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default
 * - `"glorot-uniform"`: weight from U(-l, l), l = sqrt(6 / (fanIn + fanOut)), bias 0, Keras' default
 * - `"he-normal"`: weight from N(0, 2 / fanIn), bias 0
 * - `"zeros"`: all 0
 * - `{ normal: sigma }`: weight from N(0, sigma^2), bias 0
 */
export type InitializerSpec =
  | "torch"
  | "glorot-uniform"
  | "he-normal"
  | "zeros"
  | { normal: number };

/** Pixels added around an image: all sides, or `[top, left, bottom, right]`. */
export type PaddingSpec = number | [number, number, number, number];

/** What every layer may have. */
export interface Named {
  /** Names the layer's parameters; by default the type and a number, such as `dense_1`. */
  name?: string;
}

/** What every layer with weights may have. */
export interface Weighted extends Named {
  /** Default: the network's. */
  init?: InitializerSpec;
  /** Whether there is a bias. Default true. */
  bias?: boolean;
  /** Divide the weight by its largest singular value (Miyato et al. 2018). Default false. */
  spectralNorm?: boolean;
}

/** One layer of a network. */
export type LayerSpec =
  /** `[n] -> [units]` */
  | Weighted & { type: "dense"; units: number }
  /** `[n] -> [units]`: the largest of `pieces` dense maps (Goodfellow et al. 2013). */
  | Weighted & { type: "maxout"; units: number; pieces: number }
  /** `[h, w, c] -> [h', w', filters]` */
  | Weighted & {
    type: "conv";
    filters: number;
    kernel: number | [number, number];
    stride?: number;
    padding?: PaddingSpec;
    dilation?: number;
    groups?: number;
  }
  /** `[h, w, c] -> [h', w', c * multiplier]`, each channel by itself */
  | Weighted & {
    type: "depthwise-conv";
    kernel: number | [number, number];
    multiplier?: number;
    stride?: number;
    padding?: PaddingSpec;
  }
  /** `[h, w, c] -> [h', w', filters]`, h' = (h - 1) stride - 2 padding + kernel + outputPadding */
  | Weighted & {
    type: "conv-transpose";
    filters: number;
    kernel: number;
    stride?: number;
    padding?: number;
    outputPadding?: number;
  }
  /** Normalises over the batch and all positions. `momentum` as in PyTorch: new = (1 - m) old + m batch. */
  | Named & { type: "batch-norm"; momentum?: number; epsilon?: number; affine?: boolean }
  /** Batch norm whose scale and offset come from the class label (de Vries et al. 2017). */
  | Named & { type: "conditional-batch-norm"; momentum?: number; epsilon?: number }
  /** Normalises over all but the batch. */
  | Named & { type: "layer-norm"; epsilon?: number }
  /** Normalises each channel of each sample. */
  | Named & { type: "instance-norm"; epsilon?: number; affine?: boolean }
  /** Normalises groups of channels of each sample. */
  | Named & { type: "group-norm"; groups: number; epsilon?: number }
  | Named & { type: "activation"; fn: ActivationName; alpha?: number }
  /** With `atSampling` also when samples are drawn (Isola et al. 2017): a generator's. */
  | Named & { type: "dropout"; rate: number; atSampling?: boolean }
  | Named & { type: "flatten" }
  | Named & { type: "reshape"; shape: number[] }
  | Named & { type: "upsample"; factor: number; mode?: "nearest" | "bilinear" }
  /** `[h, w, c] -> [h factor, w factor, c / factor^2]` */
  | Named & { type: "pixel-shuffle"; factor: number }
  /** Zeros around the image. */
  | Named & { type: "pad"; padding: PaddingSpec }
  | Named & { type: "avg-pool"; size: number }
  | Named & { type: "max-pool"; size: number }
  /** `[h, w, c] -> [c]` */
  | Named & { type: "global-avg-pool" }
  /** `[h, w, c] -> [c]` */
  | Named & { type: "global-sum-pool" }
  /** `body(x) + shortcut(x)`; an empty shortcut is the identity. */
  | Named & { type: "residual"; body: LayerSpec[]; shortcut?: LayerSpec[] }
  /** Self-attention over positions, scaled by a learned gamma that starts at 0 (Zhang et al. 2019). */
  | Named & { type: "self-attention"; init?: InitializerSpec; spectralNorm?: boolean }
  /** Concatenates an embedding of the class label: `[n] -> [n + units]`. */
  | Named & { type: "label-embedding"; units: number; init?: InitializerSpec }
  /**
   * A discriminator's last layer with a view to the class: `[n] -> [1]`, a dense logit plus the inner
   * product of the input with the class' embedding (Miyato and Koyama 2018).
   */
  | Weighted & { type: "projection-head" }
  /** AC-GAN's last layer (Odena et al. 2017): `[n] -> [1 + classes]`, the logit, then those of the classes. */
  | Weighted & { type: "classifier-head" }
  /** Appends the batch's feature deviation as one more channel (Karras et al. 2018). Discriminators only. */
  | Named & { type: "minibatch-stddev"; groupSize?: number }
  /** Adds N(0, sigma^2) noise while training. */
  | Named & { type: "gaussian-noise"; sigma: number };

/** A network: what comes in, and the layers that it goes through. */
export interface NetworkSpec {
  /** Shape of the input without the batch: `[latentDim]`, or a sample's shape. */
  inputShape: number[];
  /** From the input to the output. */
  layers: LayerSpec[];
  /** How parameters start, unless a layer says otherwise. */
  init: InitializerSpec;
  /** How many classes a label may have, where a layer uses labels. */
  classCount?: number;
}

const count = z.number().int().positive();
const initializer: z.ZodType<InitializerSpec> = z.union([
  z.enum(["torch", "glorot-uniform", "he-normal", "zeros"]),
  z.strictObject({ normal: z.number().positive() }),
]);
const pixels = z.number().int().min(0);
const padding = z.union([pixels, z.tuple([pixels, pixels, pixels, pixels])]);
const kernel = z.union([count, z.tuple([count, count])]);
const named = { name: z.string().regex(/^[A-Za-z0-9_.-]+$/).optional() };
const weighted = {
  ...named,
  init: initializer.optional(),
  bias: z.boolean().optional(),
  spectralNorm: z.boolean().optional(),
};
const epsilon = z.number().positive().optional();
const momentum = z.number().gt(0).max(1).optional();
const activation = z.enum([
  "linear",
  "relu",
  "relu6",
  "leaky-relu",
  "elu",
  "selu",
  "silu",
  "gelu",
  "mish",
  "tanh",
  "sigmoid",
  "hard-sigmoid",
  "softplus",
  "softsign",
  "softmax",
]);

/** Checks one layer. Unknown fields are refused. */
export const layerSchema: z.ZodType<LayerSpec> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("dense"), units: count, ...weighted }),
    z.strictObject({ type: z.literal("maxout"), units: count, pieces: count, ...weighted }),
    z.strictObject({
      type: z.literal("conv"),
      filters: count,
      kernel,
      stride: count.optional(),
      padding: padding.optional(),
      dilation: count.optional(),
      groups: count.optional(),
      ...weighted,
    }),
    z.strictObject({
      type: z.literal("depthwise-conv"),
      kernel,
      multiplier: count.optional(),
      stride: count.optional(),
      padding: padding.optional(),
      ...weighted,
    }),
    z.strictObject({
      type: z.literal("conv-transpose"),
      filters: count,
      kernel: count,
      stride: count.optional(),
      padding: pixels.optional(),
      outputPadding: pixels.optional(),
      ...weighted,
    }),
    z.strictObject({
      type: z.literal("batch-norm"),
      momentum,
      epsilon,
      affine: z.boolean().optional(),
      ...named,
    }),
    z.strictObject({ type: z.literal("conditional-batch-norm"), momentum, epsilon, ...named }),
    z.strictObject({ type: z.literal("layer-norm"), epsilon, ...named }),
    z.strictObject({
      type: z.literal("instance-norm"),
      epsilon,
      affine: z.boolean().optional(),
      ...named,
    }),
    z.strictObject({ type: z.literal("group-norm"), groups: count, epsilon, ...named }),
    z.strictObject({
      type: z.literal("activation"),
      fn: activation,
      alpha: z.number().optional(),
      ...named,
    }),
    z.strictObject({
      type: z.literal("dropout"),
      rate: z.number().min(0).lt(1),
      atSampling: z.boolean().optional(),
      ...named,
    }),
    z.strictObject({ type: z.literal("flatten"), ...named }),
    z.strictObject({ type: z.literal("reshape"), shape: z.array(count).min(1), ...named }),
    z.strictObject({
      type: z.literal("upsample"),
      factor: count,
      mode: z.enum(["nearest", "bilinear"]).optional(),
      ...named,
    }),
    z.strictObject({ type: z.literal("pixel-shuffle"), factor: count, ...named }),
    z.strictObject({ type: z.literal("pad"), padding, ...named }),
    z.strictObject({ type: z.literal("avg-pool"), size: count, ...named }),
    z.strictObject({ type: z.literal("max-pool"), size: count, ...named }),
    z.strictObject({ type: z.literal("global-avg-pool"), ...named }),
    z.strictObject({ type: z.literal("global-sum-pool"), ...named }),
    z.strictObject({
      type: z.literal("residual"),
      body: z.array(layerSchema).min(1),
      shortcut: z.array(layerSchema).optional(),
      ...named,
    }),
    z.strictObject({
      type: z.literal("self-attention"),
      init: initializer.optional(),
      spectralNorm: z.boolean().optional(),
      ...named,
    }),
    z.strictObject({
      type: z.literal("label-embedding"),
      units: count,
      init: initializer.optional(),
      ...named,
    }),
    z.strictObject({ type: z.literal("projection-head"), ...weighted }),
    z.strictObject({ type: z.literal("classifier-head"), ...weighted }),
    z.strictObject({
      type: z.literal("minibatch-stddev"),
      groupSize: count.optional(),
      ...named,
    }),
    z.strictObject({
      type: z.literal("gaussian-noise"),
      sigma: z.number().positive(),
      ...named,
    }),
  ])
);

/** Checks a network. */
export const networkSchema: z.ZodType<NetworkSpec> = z.strictObject({
  inputShape: z.array(count).min(1),
  layers: z.array(layerSchema).min(1),
  init: initializer,
  classCount: count.optional(),
});
