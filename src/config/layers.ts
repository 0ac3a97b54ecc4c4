/**
 * The layers that a network may have, as data.
 *
 * Shapes are written without the batch: images are `[height, width, channels]`. Convolutions pad
 * explicitly (`padding`, in pixels), never by a rule such as "same", because runtimes disagree about it.
 */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";
import type { LayerSpec } from "./types.ts";

export type {
  ActivationName,
  InitializerSpec,
  LayerSpec,
  Named,
  PaddingSpec,
  Weighted,
} from "./types.ts";

const count = z.number().int().positive();
const pixels = z.number().int().min(0);
const flag = z.boolean();

/** Checks how parameters start. */
export const initializerSchema = named(
  z.union([
    z.enum(["torch", "glorot-uniform", "he-normal", "zeros"]),
    z.strictObject({
      normal: z.number().positive().describe("Weights from N(0, sigma^2), biases 0."),
    }),
  ]),
  "InitializerSpec",
  {
    meaning: "How a layer's parameters start.",
    words: {
      "torch": "weights and biases from U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default",
      "glorot-uniform":
        "weights from U(-l, l), l = sqrt(6 / (fanIn + fanOut)), biases 0, Keras' default",
      "he-normal": "weights from N(0, 2 / fanIn), biases 0",
      "zeros": "all 0",
      "{ normal: sigma }": "weights from N(0, sigma^2), biases 0",
    },
  },
);

const padding = named(
  z.union([pixels, z.tuple([pixels, pixels, pixels, pixels])]),
  "PaddingSpec",
  { meaning: "Pixels added around an image: on all sides, or `[top, left, bottom, right]`." },
);
const activation = named(
  z.enum([
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
  ]),
  "ActivationName",
  { meaning: "The name of an activation function." },
);

const { layer } = DEFAULTS;
const nameOption = {
  name: optional(z.string().regex(/^[A-Za-z0-9_.-]+$/), "Names the layer's parameters.", {
    otherwise: "the type and a number, such as `dense_1`",
  }),
};
const init = optional(initializerSchema, "How the weights start.", { otherwise: "the network's" });
const spectralNorm = optional(
  flag,
  "Divide the weight by its largest singular value (Miyato et al. 2018).",
  { default: layer.spectralNorm },
);
const weightOptions = {
  ...nameOption,
  init,
  bias: optional(flag, "Whether there is a bias.", { default: layer.bias }),
  spectralNorm,
};
const kernel = z.union([count, z.tuple([count, count])])
  .describe("The kernel's side in pixels, or height and width.");
const filters = count.describe("Output channels.");
const stride = optional(count, "Pixels between two positions of the kernel.", {
  default: layer.stride,
});
const convPadding = optional(padding, "Zeros around the image.", { default: layer.padding });
const epsilon = optional(z.number().positive(), "Added to the variance.", {
  default: layer.epsilon,
});
const momentum = optional(
  z.number().gt(0).max(1),
  "The weight of a new batch in the running statistics, as in PyTorch: new = (1 - m) old + m batch.",
  { default: layer.momentum },
);
const units = count.describe("Output units.");

/** A schema for one layer type. */
function layerOf<Type extends string, Shape extends z.ZodRawShape>(
  type: Type,
  { id, meaning, shape }: { id: string; meaning: string; shape: Shape },
) {
  const options = { type: z.literal(type).describe("The layer's type."), ...shape };
  return named(z.strictObject(options), id, { meaning });
}

/** What layers have in common. */
export const SHARED_LAYER_SCHEMAS = [
  named(z.strictObject(nameOption), "Named", { meaning: "What every layer may have." }),
  named(z.strictObject(weightOptions), "Weighted", {
    meaning: "What every layer with weights may have.",
  }),
] as const;

const layers = z.lazy((): z.ZodArray<z.ZodType<LayerSpec>> => z.array(layerSchema));

const LAYER_SCHEMAS = [
  layerOf("dense", {
    id: "DenseLayer",
    meaning: "A dense layer: `[n] -> [units]`.",
    shape: { units, ...weightOptions },
  }),
  layerOf("maxout", {
    id: "MaxoutLayer",
    meaning: "The largest of several dense maps (Goodfellow et al. 2013): `[n] -> [units]`.",
    shape: { units, pieces: count.describe("How many dense maps."), ...weightOptions },
  }),
  layerOf("conv", {
    id: "ConvLayer",
    meaning: "A convolution: `[h, w, c] -> [h', w', filters]`.",
    shape: {
      filters,
      kernel,
      stride,
      padding: convPadding,
      dilation: optional(count, "Pixels between two elements of the kernel.", {
        default: layer.dilation,
      }),
      groups: optional(count, "Groups of channels, each convolved by itself.", {
        default: layer.groups,
      }),
      ...weightOptions,
    },
  }),
  layerOf("depthwise-conv", {
    id: "DepthwiseConvLayer",
    meaning: "A convolution of each channel by itself: `[h, w, c] -> [h', w', c * multiplier]`.",
    shape: {
      kernel,
      multiplier: optional(count, "Output channels for each input channel.", {
        default: layer.multiplier,
      }),
      stride,
      padding: convPadding,
      ...weightOptions,
    },
  }),
  layerOf("conv-transpose", {
    id: "ConvTransposeLayer",
    meaning: "A transposed convolution: `[h, w, c] -> [h', w', filters]`, " +
      "h' = (h - 1) stride - 2 padding + kernel + outputPadding.",
    shape: {
      filters,
      kernel: count.describe("The kernel's side in pixels."),
      stride,
      padding: optional(pixels, "Pixels that are cropped on each side.", {
        default: layer.padding,
      }),
      outputPadding: optional(pixels, "Pixels added at the bottom and on the right.", {
        default: layer.outputPadding,
      }),
      ...weightOptions,
    },
  }),
  layerOf("batch-norm", {
    id: "BatchNormLayer",
    meaning: "Normalizes each channel over the batch and all positions (Ioffe and Szegedy 2015).",
    shape: {
      momentum,
      epsilon,
      affine: optional(flag, "Whether a scale and an offset are learned.", { default: true }),
      ...nameOption,
    },
  }),
  layerOf("conditional-batch-norm", {
    id: "ConditionalBatchNormLayer",
    meaning: "Batch norm whose scale and offset come from the class label (de Vries et al. 2017).",
    shape: { momentum, epsilon, ...nameOption },
  }),
  layerOf("layer-norm", {
    id: "LayerNormLayer",
    meaning: "Normalizes each sample as a whole (Ba et al. 2016).",
    shape: { epsilon, ...nameOption },
  }),
  layerOf("instance-norm", {
    id: "InstanceNormLayer",
    meaning: "Normalizes each channel of each sample (Ulyanov et al. 2016).",
    shape: {
      epsilon,
      affine: optional(flag, "Whether a scale and an offset are learned.", { default: false }),
      ...nameOption,
    },
  }),
  layerOf("group-norm", {
    id: "GroupNormLayer",
    meaning: "Normalizes groups of channels of each sample (Wu and He 2018).",
    shape: { groups: count.describe("How many groups."), epsilon, ...nameOption },
  }),
  layerOf("activation", {
    id: "ActivationLayer",
    meaning: "An activation function; softmax runs over the channels.",
    shape: {
      fn: activation.describe("Which function."),
      alpha: optional(
        z.number(),
        "The slope of `leaky-relu` or the scale of `elu` below 0.",
        { otherwise: `${layer.leakyReluAlpha} and ${layer.eluAlpha}` },
      ),
      ...nameOption,
    },
  }),
  layerOf("prelu", {
    id: "PreluLayer",
    meaning: "Leaky ReLU with a learned slope below 0 (He et al. 2015).",
    shape: {
      start: optional(z.number(), "Where the slopes start.", { default: layer.preluStart }),
      shared: optional(flag, "Whether all channels have one slope.", { default: false }),
      ...nameOption,
    },
  }),
  layerOf("gumbel-softmax", {
    id: "GumbelSoftmaxLayer",
    meaning: "Makes a random choice of each group of columns of a vector, `softmax((x + g) / " +
      "temperature)` with Gumbel noise g (Jang et al. 2017), while training and when samples are drawn; " +
      "the other columns stay as they are.",
    shape: {
      groups: z.array(z.tuple([pixels, count])).min(1).describe(
        "The groups: the first column, and how many.",
      ),
      temperature: optional(z.number().positive(), "Near 0 the choice is all or nothing.", {
        default: layer.temperature,
      }),
      ...nameOption,
    },
  }),
  layerOf("dropout", {
    id: "DropoutLayer",
    meaning: "Dropout (Srivastava et al. 2014).",
    shape: {
      rate: z.number().min(0).lt(1).describe("The probability that a value is zeroed."),
      atSampling: optional(
        flag,
        "Whether it also acts when samples are drawn (Isola et al. 2017): a generator's.",
        { default: false },
      ),
      ...nameOption,
    },
  }),
  layerOf("flatten", {
    id: "FlattenLayer",
    meaning: "`[h, w, c] -> [h * w * c]`, the channel fastest.",
    shape: { ...nameOption },
  }),
  layerOf("reshape", {
    id: "ReshapeLayer",
    meaning: "The same values in the same order under another shape.",
    shape: {
      shape: z.array(count).min(1).describe("The new shape, without the batch."),
      ...nameOption,
    },
  }),
  layerOf("upsample", {
    id: "UpsampleLayer",
    meaning: "Enlarges an image: `[h, w, c] -> [h factor, w factor, c]`.",
    shape: {
      factor: count.describe("By how much."),
      mode: optional(z.enum(["nearest", "bilinear"]), "How pixels in between are filled.", {
        default: layer.upsampleMode,
      }),
      ...nameOption,
    },
  }),
  layerOf("pixel-shuffle", {
    id: "PixelShuffleLayer",
    meaning: "Turns channels into pixels (Shi et al. 2016): " +
      "`[h, w, c] -> [h factor, w factor, c / factor^2]`.",
    shape: { factor: count.describe("By how much."), ...nameOption },
  }),
  layerOf("pad", {
    id: "PadLayer",
    meaning: "Adds pixels around the image.",
    shape: {
      padding: padding.describe("How many pixels."),
      mode: optional(
        z.enum(["zeros", "reflect"]),
        "What they are: zeros, or the image reflected at its border pixels.",
        { default: layer.padMode },
      ),
      ...nameOption,
    },
  }),
  layerOf("avg-pool", {
    id: "AvgPoolLayer",
    meaning: "The mean of each block of pixels: `[h, w, c] -> [h / size, w / size, c]`.",
    shape: { size: count.describe("The block's side in pixels."), ...nameOption },
  }),
  layerOf("max-pool", {
    id: "MaxPoolLayer",
    meaning: "The largest value of each block of pixels: `[h, w, c] -> [h / size, w / size, c]`.",
    shape: { size: count.describe("The block's side in pixels."), ...nameOption },
  }),
  layerOf("global-avg-pool", {
    id: "GlobalAvgPoolLayer",
    meaning: "The mean of each channel: `[h, w, c] -> [c]`.",
    shape: { ...nameOption },
  }),
  layerOf("global-sum-pool", {
    id: "GlobalSumPoolLayer",
    meaning: "The sum of each channel: `[h, w, c] -> [c]`.",
    shape: { ...nameOption },
  }),
  layerOf("residual", {
    id: "ResidualLayer",
    meaning: "`body(x) + shortcut(x)` (He et al. 2016).",
    shape: {
      body: layers.describe("The layers of the main branch."),
      shortcut: optional(layers, "The layers of the other branch.", {
        otherwise: "none: the identity",
      }),
      ...nameOption,
    },
  }),
  layerOf("concat-skip", {
    id: "ConcatSkipLayer",
    meaning: "Concatenates its input with its body's output on channels, as PyTorch's " +
      "`cat([x, body(x)], 1)`: nested, a U-Net (Ronneberger et al. 2015). The body keeps height and " +
      "width: `[h, w, c] -> [h, w, c + c']`.",
    shape: {
      body: layers.describe("The layers whose output is concatenated."),
      ...nameOption,
    },
  }),
  layerOf("self-attention", {
    id: "SelfAttentionLayer",
    meaning: "Self-attention over positions, scaled by a learned gamma that starts at 0 " +
      "(Zhang et al. 2019).",
    shape: { init, spectralNorm, ...nameOption },
  }),
  layerOf("label-embedding", {
    id: "LabelEmbeddingLayer",
    meaning: "Concatenates an embedding of the class label: `[n] -> [n + units]`.",
    shape: { units: count.describe("Values of the embedding."), init, ...nameOption },
  }),
  layerOf("projection-head", {
    id: "ProjectionHeadLayer",
    meaning:
      "A conditional discriminator's last layer: `[n] -> [1]`, a dense logit plus the inner " +
      "product of the input with the class' embedding (Miyato and Koyama 2018).",
    shape: weightOptions,
  }),
  layerOf("classifier-head", {
    id: "ClassifierHeadLayer",
    meaning:
      "AC-GAN's last layer (Odena et al. 2017): `[n] -> [1 + classes]`, the logit, then those " +
      "of the classes.",
    shape: weightOptions,
  }),
  layerOf("minibatch-stddev", {
    id: "MinibatchStddevLayer",
    meaning: "Appends the batch's feature deviation as one more channel (Karras et al. 2018). " +
      "Discriminators only.",
    shape: {
      groupSize: optional(count, "Samples that are compared.", { default: layer.groupSize }),
      ...nameOption,
    },
  }),
  layerOf("gaussian-noise", {
    id: "GaussianNoiseLayer",
    meaning: "Adds N(0, sigma^2) noise while training.",
    shape: { sigma: z.number().positive().describe("Its standard deviation."), ...nameOption },
  }),
] as const;

/** What {@linkcode layerSchema} infers; a test holds it against the type. */
export type InferredLayer = z.infer<(typeof LAYER_SCHEMAS)[number]>;

/** Checks one layer. Unknown fields are refused. */
export const layerSchema: z.ZodType<LayerSpec> = named(
  z.lazy(() => z.discriminatedUnion("type", LAYER_SCHEMAS)),
  "LayerSpec",
  { meaning: "One layer of a network." },
);
