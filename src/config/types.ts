/**
 * The types of a config.
 *
 * Written by `deno task docs` from the schemas beside this file: change those, not this. A test compares
 * the two, and tests/config/types_test.ts holds each type against what its schema infers.
 */

/** An activation function; softmax runs over the channels. */
export interface ActivationLayer extends Named {
  /** The layer's type. */
  type: "activation";
  /** Which function. */
  fn: ActivationName;
  /** The slope of `leaky-relu` or the scale of `elu` below 0. Default: 0.01 and 1. */
  alpha?: number;
}

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

/** Adam (Kingma and Ba 2015). */
export interface AdamSpec {
  /** Which optimizer. */
  type: "adam";
  /** The learning rate. Range: above 0. */
  learningRate: number;
  /** Decay of the mean of the gradients. Default: 0.9. Range: 0 or more, below 1. */
  beta1?: number;
  /** Decay of the mean of the squared gradients. Default: 0.999. Range: 0 or more, below 1. */
  beta2?: number;
  /** Added to the denominator. Default: 1e-8. Range: above 0. */
  epsilon?: number;
  /** The L2 penalty that is added to the gradient. Default: 0. Range: 0 or more. */
  weightDecay?: number;
}

/** How an augmentation probability adapts (ADA). */
export interface AdaptiveSpec {
  /**
   * The mean sign of D's outputs on reals to hold; above it the probability grows. Default: 0.6.
   * Range: above -1, below 1.
   */
  target?: number;
  /** Steps between two adjustments. Default: 4. Range: 1 or more. */
  everySteps?: number;
  /** Real images in which the probability can go from 0 to 1. Default: 500000. Range: above 0. */
  speedImages?: number;
}

/**
 * A transform, or a group of them. Fakes come out transformed too where data never are:
 * `flip`, `rotate`, `luma-flip` and `hue` at a probability near 1 teach G images that are
 * turned, so they are for data that allow it, or for a probability that adapts.
 *
 * - `color`: DiffAugment's brightness, saturation and contrast
 * - `translation`: DiffAugment's shift of up to an eighth of a side
 * - `cutout`: DiffAugment's gray square of half a side
 * - `flip`: ADA's flip, left and right
 * - `rotate`: ADA's quarter turns, of square images
 * - `scale`: ADA's isotropic scale, 2^N(0, 0.2^2), reflected at the borders
 * - `fractional-translation`: ADA's shift by N(0, 0.125^2) of a side, reflected at the borders
 * - `brightness`: ADA's brightness
 * - `contrast`: ADA's contrast
 * - `luma-flip`: ADA's reflection of luma
 * - `hue`: ADA's rotation of hue, of color images
 * - `saturation`: ADA's saturation, of color images
 */
export type AugmentPolicy =
  | "color"
  | "translation"
  | "cutout"
  | "flip"
  | "rotate"
  | "scale"
  | "fractional-translation"
  | "brightness"
  | "contrast"
  | "luma-flip"
  | "hue"
  | "saturation";

/** Random transforms of reals and fakes in the updates of both networks. Images only. */
export interface AugmentSpec {
  /** Applied in this order. */
  policies: AugmentPolicy[];
  /**
   * The probability of each policy for each sample; with `adaptive`, where it starts. Default:
   * 1, which is DiffAugment (Zhao et al. 2020); 0 with `adaptive`. Range: 0 to 1.
   */
  probability?: number;
  /** Adapts the probability to how sure D is of the reals (Karras et al. 2020, section 3). */
  adaptive?: AdaptiveSpec;
}

/** The mean of each block of pixels: `[h, w, c] -> [h / size, w / size, c]`. */
export interface AvgPoolLayer extends Named {
  /** The layer's type. */
  type: "avg-pool";
  /** The block's side in pixels. Range: 1 or more. */
  size: number;
}

/** Normalizes each channel over the batch and all positions (Ioffe and Szegedy 2015). */
export interface BatchNormLayer extends Named {
  /** The layer's type. */
  type: "batch-norm";
  /**
   * The weight of a new batch in the running statistics, as in PyTorch: new = (1 - m) old + m
   * batch. Default: 0.1. Range: above 0, up to 1.
   */
  momentum?: number;
  /** Added to the variance. Default: 0.00001. Range: above 0. */
  epsilon?: number;
  /** Whether a scale and an offset are learned. Default: true. */
  affine?: boolean;
}

/** Which checkpoint: the best by a measure, or that of the last step. */
export type CheckpointChoice = "best" | "last";

/**
 * When checkpoints are written and how many are kept. One is always written at the end, and
 * one whenever an evaluation finds the best generator so far; the best is kept whatever `keep`
 * says.
 */
export interface CheckpointSpec {
  /** A checkpoint every N seconds. Default: none by time. Range: above 0. */
  everySeconds?: number;
  /** A checkpoint every N steps. Default: none by steps. Range: 1 or more. */
  everySteps?: number;
  /** How many of the latest are kept. Range: 1 or more. */
  keep: number;
}

/**
 * AC-GAN's last layer (Odena et al. 2017): `[n] -> [1 + classes]`, the logit, then those of
 * the classes.
 */
export interface ClassifierHeadLayer extends Weighted {
  /** The layer's type. */
  type: "classifier-head";
}

/**
 * Concatenates its input with its body's output on channels, as PyTorch's `cat([x, body(x)],
 * 1)`: nested, a U-Net (Ronneberger et al. 2015). The body keeps height and width: `[h, w, c]
 * -> [h, w, c + c']`.
 */
export interface ConcatSkipLayer extends Named {
  /** The layer's type. */
  type: "concat-skip";
  /** The layers whose output is concatenated. */
  body: LayerSpec[];
}

/** Batch norm whose scale and offset come from the class label (de Vries et al. 2017). */
export interface ConditionalBatchNormLayer extends Named {
  /** The layer's type. */
  type: "conditional-batch-norm";
  /**
   * The weight of a new batch in the running statistics, as in PyTorch: new = (1 - m) old + m
   * batch. Default: 0.1. Range: above 0, up to 1.
   */
  momentum?: number;
  /** Added to the variance. Default: 0.00001. Range: above 0. */
  epsilon?: number;
}

/** Where a column's choice stands in a generated row and in a condition. */
export interface ConditionedChoice {
  /** Where the choice starts in a generated row. Range: 0 or more. */
  rowOffset: number;
  /** Where its categories start in a condition. Range: 0 or more. */
  conditionOffset: number;
  /** How many categories there are. Range: 1 or more. */
  size: number;
}

/** A convolution: `[h, w, c] -> [h', w', filters]`. */
export interface ConvLayer extends Weighted {
  /** The layer's type. */
  type: "conv";
  /** Output channels. Range: 1 or more. */
  filters: number;
  /** The kernel's side in pixels, or height and width. */
  kernel: number | [number, number];
  /** Pixels between two positions of the kernel. Default: 1. Range: 1 or more. */
  stride?: number;
  /** Zeros around the image. Default: 0. */
  padding?: PaddingSpec;
  /** Pixels between two elements of the kernel. Default: 1. Range: 1 or more. */
  dilation?: number;
  /** Groups of channels, each convolved by itself. Default: 1. Range: 1 or more. */
  groups?: number;
}

/**
 * A transposed convolution: `[h, w, c] -> [h', w', filters]`, h' = (h - 1) stride - 2 padding
 * + kernel + outputPadding.
 */
export interface ConvTransposeLayer extends Weighted {
  /** The layer's type. */
  type: "conv-transpose";
  /** Output channels. Range: 1 or more. */
  filters: number;
  /** The kernel's side in pixels. Range: 1 or more. */
  kernel: number;
  /** Pixels between two positions of the kernel. Default: 1. Range: 1 or more. */
  stride?: number;
  /** Pixels that are cropped on each side. Default: 0. Range: 0 or more. */
  padding?: number;
  /** Pixels added at the bottom and on the right. Default: 0. Range: 0 or more. */
  outputPadding?: number;
}

/**
 * Where data come from.
 *
 * - `auto`: the file or folder at `path`, whose kind is detected
 * - `mixture-1d`: points of a mixture of Gaussians
 * - `normal-1d`: points of N(0, 1)
 * - `ring-2d`: points of 8 Gaussians on a circle
 * - `grid-2d`: points of 25 Gaussians on a square grid
 * - `digits`: labeled gray synthetic digits
 * - `stacked-mnist`: three digits, from `path` or synthetic, as the channels of one image
 * - `mnist`: IDX files (MNIST, Fashion-MNIST and the like), plain or .gz
 * - `cifar-10`: CIFAR-10's binary version, a folder or an archive
 * - `cifar-100`: CIFAR-100's binary version, a folder or an archive
 * - `images`: a folder, .zip or .tar.gz of image files
 * - `npy`: images or points in a NumPy array: a .npy or .npz file, or a folder of .npy files
 * - `csv`: a table of points, one per line, or of images, one per line as MNIST's
 * - `memory`: arrays that a program gives: `imageData()`, `tensorData()`
 */
export type DataSourceName =
  | "auto"
  | "mixture-1d"
  | "normal-1d"
  | "ring-2d"
  | "grid-2d"
  | "digits"
  | "stacked-mnist"
  | "mnist"
  | "cifar-10"
  | "cifar-100"
  | "images"
  | "npy"
  | "csv"
  | "memory";

/** What to train on. An option that the source cannot use is refused, not ignored. */
export interface DataSpec {
  /** Where the data come from. */
  source: DataSourceName;
  /** The file or folder, for the sources that read one. */
  path?: string;
  /**
   * Which part of the data to read, where they come in parts: MNIST, CIFAR, folders called train
   * and test, arrays called x_train and x_test. Default: the training split if it is there, else
   * the test split.
   */
  split?: "train" | "test";
  /**
   * Which data set to read where there are several: the folder or prefix of MNIST's files
   * (emnist-letters), or the name of an array.
   */
  subset?: string;
  /**
   * Pixels of an image: it is cropped to this aspect ratio around its center and resized.
   * Default: as the data are.
   */
  size?: ImageSize;
  /**
   * Channels of an image: 1 for gray, 3 for RGB, 4 for RGB and alpha. Default: as the data are,
   * without alpha.
   */
  channels?: 1 | 3 | 4;
  /**
   * The values of images that are black and white, in the file's own units, such as [0, 4095]
   * for 12 bits in files of 16; values beyond are cut. Default: all that the file's depth can
   * hold.
   */
  range?: [number, number];
  /**
   * What to do about image files that cannot be read: refuse the data and name them, or leave
   * them out and name them. Default: "refuse".
   */
  broken?: "refuse" | "skip";
  /**
   * Where classes are: a column of a table or of the metadata of images, the name of an array,
   * "coarse" or "fine" of CIFAR-100. Default: the column or array called label, the sub-folders
   * of images.
   */
  label?: string;
  /**
   * The columns of a table that are the coordinates of points, in this order. Default: all but
   * the classes.
   */
  columns?: string[];
  /** What to do about rows of a table in which values are missing. Default: "refuse". */
  missing?: "refuse" | "drop";
  /**
   * Whether columns of points are brought to mean 0 and standard deviation 1 for training, or
   * only where one is far from that. Samples, files and plots have the units of the data.
   * Default: "auto".
   */
  standardize?: boolean | "auto";
  /**
   * How many samples to generate, or to pick at random from what is there. Default: all; 100000
   * points, 10000 digits, 128000 stacked images. Range: 1 to 100000000.
   */
  count?: number;
  /** The seed of generated data and of the random pick. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The Gaussians of `mixture-1d`. Default:
   * [{"weight":0.5,"mean":-2,"sigma":0.5},{"weight":0.5,"mean":2,"sigma":0.5}].
   */
  components?: MixtureComponent[];
  /**
   * The gray level behind transparent pixels where alpha is not kept, from 0 to 255. Default:
   * 255. Range: 0 to 255.
   */
  background?: number;
}

/** A dense layer: `[n] -> [units]`. */
export interface DenseLayer extends Weighted {
  /** The layer's type. */
  type: "dense";
  /** Output units. Range: 1 or more. */
  units: number;
}

/** A convolution of each channel by itself: `[h, w, c] -> [h', w', c * multiplier]`. */
export interface DepthwiseConvLayer extends Weighted {
  /** The layer's type. */
  type: "depthwise-conv";
  /** The kernel's side in pixels, or height and width. */
  kernel: number | [number, number];
  /** Output channels for each input channel. Default: 1. Range: 1 or more. */
  multiplier?: number;
  /** Pixels between two positions of the kernel. Default: 1. Range: 1 or more. */
  stride?: number;
  /** Zeros around the image. Default: 0. */
  padding?: PaddingSpec;
}

/** How several processes train together. One process alone trains as ever. */
export interface DistributedSpec {
  /**
   * Weights are averaged every N steps, and at each checkpoint (local SGD, Stich 2019); 1:
   * gradients are, at each update. Default: 1. Range: 1 or more.
   */
  every?: number;
  /**
   * Whether batch norm takes its statistics over the whole batch, not over the part of each
   * process. Default: false.
   */
  syncBatchNorm?: boolean;
}

/** What happens when a value is not finite, or a network's weights explode. */
export interface DivergenceSpec {
  /** How often a run may go back to its last good state. Range: 0 to 100. */
  retries: number;
  /** What the learning rates are multiplied by each time. Range: above 0, below 1. */
  factor: number;
  /**
   * Weights have exploded when their root mean square is more than this many times what it was
   * in the last good state, or than 1 where it was smaller. Default: 100. Range: above 1.
   */
  growth?: number;
}

/** Dropout (Srivastava et al. 2014). */
export interface DropoutLayer extends Named {
  /** The layer's type. */
  type: "dropout";
  /** The probability that a value is zeroed. Range: 0 or more, below 1. */
  rate: number;
  /**
   * Whether it also acts when samples are drawn (Isola et al. 2017): a generator's. Default:
   * false.
   */
  atSampling?: boolean;
}

/**
 * An exponential moving average of the generator's weights, used for samples and export
 * (Yazici et al. 2019).
 */
export interface EmaSpec {
  /** After this many training images a weight's share in the average has halved. Range: above 0. */
  halfLifeImages: number;
  /**
   * Limits the half-life to this fraction of the images seen so far. Default: no limit. Range:
   * above 0.
   */
  rampUp?: number;
}

/** When samples are measured during training. At least one period must be given. */
export interface EvaluationSpec {
  /** An evaluation every N steps. Default: none by steps. Range: 1 or more. */
  everySteps?: number;
  /** An evaluation every N passes over the data. Default: none by epochs. Range: 1 or more. */
  everyEpochs?: number;
  /**
   * What decides which checkpoint is best. Default: `jsd` where the density is known, else
   * `sliced`, which any data have.
   */
  measure?: MeasureName;
  /**
   * Samples of an evaluation. Default: 10000 for 1-D densities, 2500 for known modes, 1000
   * otherwise. Range: 10 to 1000000.
   */
  samples?: number;
  /**
   * For `frechet` and `kernel` of images, where features come from: `random`, an untrained
   * network; `classifier`, one that is first trained on the data's labels; or an ONNX file's
   * path. Default: "random".
   */
  features?: string;
  /** Which checkpoint is exported when the run ends. Default: "last". */
  export?: CheckpointChoice;
}

/** `[h, w, c] -> [h * w * c]`, the channel fastest. */
export interface FlattenLayer extends Named {
  /** The layer's type. */
  type: "flatten";
}

/** Adds N(0, sigma^2) noise while training. */
export interface GaussianNoiseLayer extends Named {
  /** The layer's type. */
  type: "gaussian-noise";
  /** Its standard deviation. Range: above 0. */
  sigma: number;
}

/** The mean of each channel: `[h, w, c] -> [c]`. */
export interface GlobalAvgPoolLayer extends Named {
  /** The layer's type. */
  type: "global-avg-pool";
}

/** The sum of each channel: `[h, w, c] -> [c]`. */
export interface GlobalSumPoolLayer extends Named {
  /** The layer's type. */
  type: "global-sum-pool";
}

/** Normalizes groups of channels of each sample (Wu and He 2018). */
export interface GroupNormLayer extends Named {
  /** The layer's type. */
  type: "group-norm";
  /** How many groups. Range: 1 or more. */
  groups: number;
  /** Added to the variance. Default: 0.00001. Range: above 0. */
  epsilon?: number;
}

/**
 * Makes a random choice of each group of columns of a vector, `softmax((x + g) / temperature)`
 * with Gumbel noise g (Jang et al. 2017), while training and when samples are drawn; the other
 * columns stay as they are.
 */
export interface GumbelSoftmaxLayer extends Named {
  /** The layer's type. */
  type: "gumbel-softmax";
  /** The groups: the first column, and how many. */
  groups: ([number, number])[];
  /** Near 0 the choice is all or nothing. Default: 0.2. Range: above 0. */
  temperature?: number;
}

/** The side of a square in pixels, or height and width. */
export type ImageSize = number | [number, number];

/**
 * How a layer's parameters start.
 *
 * - `torch`: weights and biases from U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default
 * - `glorot-uniform`: weights from U(-l, l), l = sqrt(6 / (fanIn + fanOut)), biases 0, Keras'
 *   default
 * - `he-normal`: weights from N(0, 2 / fanIn), biases 0
 * - `zeros`: all 0
 * - `{ normal: sigma }`: weights from N(0, sigma^2), biases 0
 */
export type InitializerSpec = "torch" | "glorot-uniform" | "he-normal" | "zeros" | {
  /** Weights from N(0, sigma^2), biases 0. Range: above 0. */
  normal: number;
};

/** N(0, sigma^2) noise on all that the discriminator sees (Sonderby et al. 2017). */
export interface InstanceNoiseSpec {
  /** Its standard deviation at the start. Range: above 0. */
  sigma: number;
  /**
   * The noise falls linearly to nothing over this many steps. Default: it stays. Range: 1 or
   * more.
   */
  decaySteps?: number;
}

/** Normalizes each channel of each sample (Ulyanov et al. 2016). */
export interface InstanceNormLayer extends Named {
  /** The layer's type. */
  type: "instance-norm";
  /** Added to the variance. Default: 0.00001. Range: above 0. */
  epsilon?: number;
  /** Whether a scale and an offset are learned. Default: false. */
  affine?: boolean;
}

/** Concatenates an embedding of the class label: `[n] -> [n + units]`. */
export interface LabelEmbeddingLayer extends Named {
  /** The layer's type. */
  type: "label-embedding";
  /** Values of the embedding. Range: 1 or more. */
  units: number;
  /** How the weights start. Default: the network's. */
  init?: InitializerSpec;
}

/** The generator's input. */
export interface LatentSpec {
  /** How many values. Range: 1 to 65536. */
  dimension: number;
  /** N(0, 1) or U[0, 1) for each of them. */
  distribution: "normal" | "uniform";
}

/** Normalizes each sample as a whole (Ba et al. 2016). */
export interface LayerNormLayer extends Named {
  /** The layer's type. */
  type: "layer-norm";
  /** Added to the variance. Default: 0.00001. Range: above 0. */
  epsilon?: number;
}

/** One layer of a network. */
export type LayerSpec =
  | DenseLayer
  | MaxoutLayer
  | ConvLayer
  | DepthwiseConvLayer
  | ConvTransposeLayer
  | BatchNormLayer
  | ConditionalBatchNormLayer
  | LayerNormLayer
  | InstanceNormLayer
  | GroupNormLayer
  | ActivationLayer
  | PreluLayer
  | GumbelSoftmaxLayer
  | DropoutLayer
  | FlattenLayer
  | ReshapeLayer
  | UpsampleLayer
  | PixelShuffleLayer
  | PadLayer
  | AvgPoolLayer
  | MaxPoolLayer
  | GlobalAvgPoolLayer
  | GlobalSumPoolLayer
  | ResidualLayer
  | ConcatSkipLayer
  | SelfAttentionLayer
  | LabelEmbeddingLayer
  | ProjectionHeadLayer
  | ClassifierHeadLayer
  | MinibatchStddevLayer
  | GaussianNoiseLayer;

/** What both networks' learning rates are multiplied by from step to step. */
export interface LearningRateSpec {
  /** Constant, falling linearly, or along half a cosine (Loshchilov and Hutter 2017). */
  shape: "constant" | "linear" | "cosine";
  /** The factor at the end of the decay. Default: 0. Range: 0 to 1. */
  finalScale?: number;
  /**
   * Steps at the full rate before the decay, as in the second half of CycleGAN (Zhu et al.
   * 2017). Default: the decay begins at once. Range: 1 or more.
   */
  holdSteps?: number;
  /** The step at which the decay ends. Default: the run's last. Range: 1 or more. */
  steps?: number;
  /**
   * The rates rise linearly from 0 over this many first steps (Goyal et al. 2017). Default: no
   * warm-up. Range: 1 or more.
   */
  warmUpSteps?: number;
}

/** The largest value of each block of pixels: `[h, w, c] -> [h / size, w / size, c]`. */
export interface MaxPoolLayer extends Named {
  /** The layer's type. */
  type: "max-pool";
  /** The block's side in pixels. Range: 1 or more. */
  size: number;
}

/** The largest of several dense maps (Goodfellow et al. 2013): `[n] -> [units]`. */
export interface MaxoutLayer extends Weighted {
  /** The layer's type. */
  type: "maxout";
  /** Output units. Range: 1 or more. */
  units: number;
  /** How many dense maps. Range: 1 or more. */
  pieces: number;
}

/**
 * The name of a measure that can be taken during training.
 *
 * - `jsd`: Jensen-Shannon divergence, nats: of 1-D densities over 100 bins, of known modes
 *   over the modes
 * - `kl`: KL divergence of a 1-D density, nats
 * - `reverse-kl`: reverse KL divergence, nats: of 1-D densities, and over known modes
 * - `wasserstein`: Wasserstein-1 distance to a 1-D density, in units of x
 * - `modes`: how many of the known modes have samples
 * - `high-quality`: the share of samples near a known mode
 * - `sliced`: sliced Wasserstein distance to the data, of n-D points or of pixels
 * - `frechet`: Frechet distance, of images over a network's features, of n-D points over
 *   themselves
 * - `kernel`: kernel distance, of images over a network's features, of n-D points over
 *   themselves
 * - `l1`: mean absolute difference to the image that belongs to the input, of values in [-1,
 *   1]
 * - `psnr`: peak signal-to-noise ratio to the image that belongs to the input, dB
 * - `ssim`: structural similarity to the image that belongs to the input, 1 for the same
 * - `cycle`: mean absolute difference between an image and what both generators make of it
 * - `accuracy`: the share of generated images that a classifier gives the class of their input
 * - `column-shapes`: how alike the columns of generated and real rows are distributed, at most
 *   1
 * - `pair-trends`: how alike pairs of columns depend on one another, at most 1
 * - `learned`: the share of held-back rows in which a classifier that saw only generated rows
 *   predicts columns rightly
 * - `closest`: the median distance of a generated row to the closest one that was trained on
 * - `copies`: the share of generated rows that were trained on, value by value
 * - `words`: the share of a caption's words that a network reads in its image
 * - `captions`: the share of captions of which a network reads all words
 * - `thickness`: the share of synthetic digits that are read as thick or thin as their caption
 *   says
 * - `slant`: the share of synthetic digits that are read as slanted or upright as their
 *   caption says
 * - `color`: the share of synthetic digits that are read in their caption's color
 * - `digit`: the share of synthetic digits that are read as their caption's
 */
export type MeasureName =
  | "jsd"
  | "kl"
  | "reverse-kl"
  | "wasserstein"
  | "modes"
  | "high-quality"
  | "sliced"
  | "frechet"
  | "kernel"
  | "l1"
  | "psnr"
  | "ssim"
  | "cycle"
  | "accuracy"
  | "column-shapes"
  | "pair-trends"
  | "learned"
  | "closest"
  | "copies"
  | "words"
  | "captions"
  | "thickness"
  | "slant"
  | "color"
  | "digit";

/**
 * Appends the batch's feature deviation as one more channel (Karras et al. 2018).
 * Discriminators only.
 */
export interface MinibatchStddevLayer extends Named {
  /** The layer's type. */
  type: "minibatch-stddev";
  /** Samples that are compared. Default: 4. Range: 1 or more. */
  groupSize?: number;
}

/** One Gaussian of a 1-D mixture. */
export interface MixtureComponent {
  /** Its share of the samples, relative to the others. Range: above 0. */
  weight: number;
  /** Its mean. */
  mean: number;
  /** Its standard deviation. Range: above 0. */
  sigma: number;
}

/** What a preset of several networks trains on. */
export type ModelDataSpec = {
  /** Pairs of images. By default synthetic digits and their edges. */
  source: "image-pairs";
  /**
   * Where pairs come from: each image holds both sides, A on its left half; two folders A and B
   * (or trainA, trainB) have files of the same names; or A is made of each image, its gray
   * version or its edges. Default: folders where there are A and B, else side-by-side; edges
   * without a path.
   */
  pairs?: "side-by-side" | "folders" | "gray" | "edges";
  /** Which side is the input. Default: "AtoB". */
  direction?: "AtoB" | "BtoA";
  /** The file or folder. Default: what the project makes itself. */
  path?: string;
  /**
   * How many samples to make, or to pick at random. Default: all, or as many as the preset
   * makes. Range: 1 or more.
   */
  count?: number;
  /** Decides the pick, the part held back and made data. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The share of samples that are not trained on, to measure with; a folder called test comes
   * first. Default: 0.1. Range: 0 or more, below 1.
   */
  heldBack?: number;
  /**
   * Pixels of an image: it is cropped to this aspect ratio around its center and resized.
   * Default: as the data are.
   */
  size?: ImageSize;
  /**
   * The side to which images are resized before a random part of `size` is cropped, the same one
   * of a pair. Default: no random crops. Range: 1 to 4096.
   */
  loadSize?: number;
  /**
   * Whether half of the samples are mirrored left to right, both sides of a pair alike. Default:
   * false.
   */
  flip?: boolean;
} | {
  /**
   * Two sets of images, in folders A and B (or trainA, trainB). By default synthetic digits, and
   * others that are thicker and in color.
   */
  source: "image-sets";
  /** Which side is the input. Default: "AtoB". */
  direction?: "AtoB" | "BtoA";
  /** Channels: 1 for gray, 3 for RGB. Default: as the images are. */
  channels?: 1 | 3;
  /** The file or folder. Default: what the project makes itself. */
  path?: string;
  /**
   * How many samples to make, or to pick at random. Default: all, or as many as the preset
   * makes. Range: 1 or more.
   */
  count?: number;
  /** Decides the pick, the part held back and made data. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The share of samples that are not trained on, to measure with; a folder called test comes
   * first. Default: 0.1. Range: 0 or more, below 1.
   */
  heldBack?: number;
  /**
   * Pixels of an image: it is cropped to this aspect ratio around its center and resized.
   * Default: as the data are.
   */
  size?: ImageSize;
  /**
   * The side to which images are resized before a random part of `size` is cropped, the same one
   * of a pair. Default: no random crops. Range: 1 to 4096.
   */
  loadSize?: number;
  /**
   * Whether half of the samples are mirrored left to right, both sides of a pair alike. Default:
   * false.
   */
  flip?: boolean;
} | {
  /** Images to enlarge to. By default synthetic digits. */
  source: "images";
  /** Channels: 1 for gray, 3 for RGB. Default: as the images are. */
  channels?: 1 | 3;
  /** The file or folder. Default: what the project makes itself. */
  path?: string;
  /**
   * How many samples to make, or to pick at random. Default: all, or as many as the preset
   * makes. Range: 1 or more.
   */
  count?: number;
  /** Decides the pick, the part held back and made data. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The share of samples that are not trained on, to measure with; a folder called test comes
   * first. Default: 0.1. Range: 0 or more, below 1.
   */
  heldBack?: number;
  /**
   * Pixels of an image: it is cropped to this aspect ratio around its center and resized.
   * Default: as the data are.
   */
  size?: ImageSize;
  /**
   * The side to which images are resized before a random part of `size` is cropped, the same one
   * of a pair. Default: no random crops. Range: 1 to 4096.
   */
  loadSize?: number;
  /**
   * Whether half of the samples are mirrored left to right, both sides of a pair alike. Default:
   * false.
   */
  flip?: boolean;
} | {
  /**
   * A table: a .csv, .tsv or .txt file. By default a synthetic one with a known joint
   * distribution.
   */
  source: "table";
  /**
   * The columns to use, each as it looks or as `age=integer` says: number, integer, category,
   * boolean, date or skip; `*` stands for all that are not named. Default: all.
   */
  columns?: string[];
  /** The file or folder. Default: what the project makes itself. */
  path?: string;
  /**
   * How many samples to make, or to pick at random. Default: all, or as many as the preset
   * makes. Range: 1 or more.
   */
  count?: number;
  /** Decides the pick, the part held back and made data. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The share of samples that are not trained on, to measure with; a folder called test comes
   * first. Default: 0.1. Range: 0 or more, below 1.
   */
  heldBack?: number;
} | {
  /** Images with captions.csv or metadata.jsonl. By default synthetic digits with captions. */
  source: "captions";
  /**
   * Pixels of an image: it is cropped to this aspect ratio around its center and resized.
   * Default: as the data are.
   */
  size?: ImageSize;
  /** Channels: 1 for gray, 3 for RGB. Default: as the images are. */
  channels?: 1 | 3;
  /** The column of texts. Default: the one called text, caption, captions, prompt or description. */
  column?: string;
  /** Words of the vocabulary at most: the most frequent ones. Default: 2000. Range: 1 to 20000. */
  maxWords?: number;
  /** The file or folder. Default: what the project makes itself. */
  path?: string;
  /**
   * How many samples to make, or to pick at random. Default: all, or as many as the preset
   * makes. Range: 1 or more.
   */
  count?: number;
  /** Decides the pick, the part held back and made data. Default: 0. Range: 0 to 4294967295. */
  seed?: number;
  /**
   * The share of samples that are not trained on, to measure with; a folder called test comes
   * first. Default: 0.1. Range: 0 or more, below 1.
   */
  heldBack?: number;
};

/** When the model of a preset is measured during training. */
export interface ModelEvaluationSpec {
  /** An evaluation every N steps. Range: 1 or more. */
  everySteps: number;
  /** Which checkpoint is exported when the run ends. Default: "last". */
  export?: "best" | "last";
}

/** The preset that a model's networks were made by, and its options. */
export type ModelRecipe = {
  /** From an image to the image that belongs to it (Isola et al. 2017). */
  preset: "pix2pix";
  /**
   * Filters of the first layers; deeper ones have multiples of them. Default: 8. Range: 1 to
   * 1024.
   */
  filters?: number;
  /** How activations are normalized: over the batch, or in each image. Default: "batch". */
  norm?: "batch" | "instance";
  /** The weight of L1. Default: 100. Range: above 0. */
  l1Weight?: number;
  /** The adversarial loss: binary cross entropy, or least squares. Default: "non-saturating". */
  objective?: "non-saturating" | "least-squares";
} | {
  /** Between two sets of images of which no two belong together (Zhu et al. 2017). */
  preset: "cyclegan";
  /**
   * Filters of the first layers; deeper ones have multiples of them. Default: 8. Range: 1 to
   * 1024.
   */
  filters?: number;
  /** Residual blocks. Default: 2. Range: 1 to 64. */
  blocks?: number;
  /** The weight of the cycles. Default: 10. Range: above 0. */
  cycleWeight?: number;
  /** The weight of the identity, in cycle weights. Default: 0.5. Range: 0 or more. */
  identityWeight?: number;
  /** Images that the discriminators are shown again. Default: 50. Range: 1 to 1000. */
  historySize?: number;
} | {
  /** From a small image to a large one (Ledig et al. 2017, Wang et al. 2018). */
  preset: "super-resolution";
  /** How many times larger each side becomes. Default: 2. Range: 2 to 8. */
  factor?: number;
  /**
   * Filters of the first layers; deeper ones have multiples of them. Default: 16. Range: 1 to
   * 1024.
   */
  filters?: number;
  /** Residual blocks. Default: 3. Range: 1 to 64. */
  blocks?: number;
  /** The weight of the adversarial loss. Default: 0.001. Range: above 0. */
  adversarialWeight?: number;
  /** The first step with the adversarial loss. Default: 1500. Range: 0 or more. */
  adversarialFromStep?: number;
  /** The learning rate of both networks. Default: 0.0005. Range: above 0. */
  learningRate?: number;
} | {
  /** Rows like those of a table (Xu et al. 2019, CTGAN). */
  preset: "tabular";
  /** Values of the latent. Default: 128. Range: 1 to 4096. */
  latentDimension?: number;
  /** Units of each hidden layer of the generator and of the discriminator. Default: [256,256]. */
  units?: number[];
  /** Rows that the discriminator sees at once; it divides the batch. Default: 10. Range: 1 to 64. */
  pack?: number;
  /** The weight of the gradient penalty. Default: 10. Range: above 0. */
  penaltyWeight?: number;
} | {
  /** Images from captions (Reed et al. 2016, GAN-INT-CLS). */
  preset: "captions";
  /**
   * Filters of the first layers; deeper ones have multiples of them. Default: 16. Range: 1 to
   * 1024.
   */
  filters?: number;
  /** Values of the latent. Default: 64. Range: 1 to 4096. */
  latentDimension?: number;
  /** Values that a caption is embedded in. Default: 64. Range: 1 to 4096. */
  embedding?: number;
  /** The learning rate of all networks. Default: 0.0002. Range: above 0. */
  learningRate?: number;
};

/** Everything that decides a run of a model of several networks. */
export interface ModelRunConfig {
  /** The preset that made the networks, and its options. Default: networks of your own. */
  recipe?: ModelRecipe;
  /** What to train on. Default: what a program gives. */
  data?: ModelDataSpec;
  /** The networks, and how they are trained. */
  model: ModelSpec;
  /** Samples of a step. Range: 1 or more. */
  batchSize: number;
  /** How long: passes over the data, or training steps. */
  duration: {
    /** Passes over the data. Range: 1 or more. */
    epochs: number;
  } | {
    /** Training steps, each with the updates that `update` says. Range: 1 or more. */
    steps: number;
  };
  /** Names the run; it becomes part of the run folder's name. Default: "model". */
  name?: string;
  /**
   * Decides initial parameters, data order and every random number. Default: 0. Range: 0 to
   * 4294967295.
   */
  seed?: number;
  /** Where to compute: the best device that is there, WebGPU, or the CPU. Default: "auto". */
  device?: "auto" | "webgpu" | "cpu";
  /** How both learning rates change. Default: they stay as they are. */
  learningRateSchedule?: LearningRateSpec;
  /**
   * What happens when training diverges. Default: a run stops at the first value that is not
   * finite.
   */
  divergence?: DivergenceSpec;
  /** An average of the output's networks, for results and export. */
  ema?: EmaSpec;
  /** When images of samples are written, by a preset. Default: at the start and the end. */
  snapshots?: SnapshotSpec;
  /** When the model is measured. Default: at the end. */
  evaluation?: ModelEvaluationSpec;
  /**
   * Whether the run folder gets TensorBoard event files: scalars, images, text,
   * hyper-parameters. Default: false.
   */
  tensorboard?: boolean;
  /** When checkpoints are written. Default: every two minutes, and two are kept. */
  checkpoints?: CheckpointSpec;
}

/** Networks, what a step computes with them, and its updates. */
export interface ModelSpec {
  /** The networks by name. */
  networks: Record<string, NetworkSpec>;
  /** What the input `latent` is drawn from. */
  latent?: LatentSpec;
  /** What a step computes, by name. */
  values: Record<string, ValueSpec>;
  /** The updates of a step, in order. */
  updates: ModelUpdateSpec[];
  /** The value that samples and exports are made of. */
  output: string;
}

/** One update of a step: which networks change, by which losses. */
export interface ModelUpdateSpec {
  /** Names the optimizer's state, and the loss in the metrics. */
  name: string;
  /** The networks that change. */
  networks: string[];
  /** How they follow the gradient. */
  optimizer: OptimizerSpec;
  /** The sum of these is minimized. */
  terms: TermSpec[];
}

/** What every layer may have. */
export interface Named {
  /** Names the layer's parameters. Default: the type and a number, such as `dense_1`. */
  name?: string;
}

/** A network: what comes in, and the layers that it goes through. */
export interface NetworkSpec {
  /** The shape of the input without the batch: `[latentDimension]`, or a sample's shape. */
  inputShape: number[];
  /** From the input to the output. */
  layers: LayerSpec[];
  /** How parameters start, unless a layer says otherwise. */
  init: InitializerSpec;
  /**
   * How many classes labels have, where a layer uses labels. Default: as the data say. Range: 1
   * or more.
   */
  classCount?: number;
}

/**
 * The name of a pair of losses. docs/objectives.md has the formulas.
 *
 * - `minimax`: Goodfellow et al. 2014, equation 1
 * - `non-saturating`: the same paper, section 3
 * - `least-squares`: LSGAN, Mao et al. 2017
 * - `hinge`: Lim and Ye 2017
 * - `wasserstein`: WGAN, Arjovsky et al. 2017
 * - `relativistic`: RpGAN, Jolicoeur-Martineau 2019
 */
export type ObjectiveName =
  | "minimax"
  | "non-saturating"
  | "least-squares"
  | "hinge"
  | "wasserstein"
  | "relativistic";

/** The losses of a run and what is added to them. */
export interface ObjectiveSpec {
  /** Which pair of losses. */
  name: ObjectiveName;
  /**
   * The target of reals under `non-saturating`, `minimax` and `least-squares`: 0.9 is one-sided
   * label smoothing (Salimans et al. 2016). Default: 1. Range: above 0, up to 1.
   */
  realLabel?: number;
  /** `weight (|grad D(xhat)| - target)^2` between reals and fakes (Gulrajani et al. 2017). */
  gradientPenalty?: {
    /** The weight; the paper's is 10. Range: above 0. */
    weight: number;
    /** The gradient norm to hold. Default: 1. Range: 0 or more. */
    target?: number;
  };
  /** The gradient penalty around the data (Kodali et al. 2017), at reals plus normal noise. */
  dragan?: {
    /** The weight; the paper's is 10. Range: above 0. */
    weight: number;
    /** The gradient norm to hold. Default: 1. Range: 0 or more. */
    target?: number;
    /**
     * The deviation of the noise, in standard deviations of the batch. Default: 0.5. Range: above
     * 0.
     */
    deviation?: number;
  };
  /** `gamma/2 |grad D(real)|^2` (Mescheder et al. 2018). */
  r1?: {
    /** The penalty's weight. Range: above 0. */
    gamma: number;
  };
  /** `gamma/2 |grad D(fake)|^2` (Mescheder et al. 2018). */
  r2?: {
    /** The penalty's weight. Range: above 0. */
    gamma: number;
  };
  /**
   * Lazy regularization (Karras et al. 2020, appendix B): the penalties above count in every
   * k-th update of the discriminator, k times as much, and its optimizer's rates are adjusted.
   * Default: every update. Range: 2 to 1000.
   */
  penaltyEvery?: number;
  /**
   * AC-GAN (Odena et al. 2017): a discriminator that ends in a `classifier-head` also learns the
   * classes of reals and fakes, and the generator to make fakes of theirs.
   */
  classification?: {
    /** The weight of the discriminator's cross entropy. Range: above 0. */
    weight: number;
    /** The weight of the generator's cross entropy. Default: `weight`. Range: above 0. */
    generatorWeight?: number;
  };
  /**
   * Clips the critic's weights to [-c, c] after each of its updates (Arjovsky et al. 2017).
   * Range: above 0.
   */
  weightClip?: number;
}

/** How a network's parameters follow their gradients. */
export type OptimizerSpec = SgdSpec | AdamSpec | RmsPropSpec;

/** Adds pixels around the image. */
export interface PadLayer extends Named {
  /** The layer's type. */
  type: "pad";
  /** How many pixels. */
  padding: PaddingSpec;
  /** What they are: zeros, or the image reflected at its border pixels. Default: "zeros". */
  mode?: "zeros" | "reflect";
}

/** Pixels added around an image: on all sides, or `[top, left, bottom, right]`. */
export type PaddingSpec = number | [number, number, number, number];

/**
 * Turns channels into pixels (Shi et al. 2016): `[h, w, c] -> [h factor, w factor, c /
 * factor^2]`.
 */
export interface PixelShuffleLayer extends Named {
  /** The layer's type. */
  type: "pixel-shuffle";
  /** By how much. Range: 1 or more. */
  factor: number;
}

/** Leaky ReLU with a learned slope below 0 (He et al. 2015). */
export interface PreluLayer extends Named {
  /** The layer's type. */
  type: "prelu";
  /** Where the slopes start. Default: 0.25. */
  start?: number;
  /** Whether all channels have one slope. Default: false. */
  shared?: boolean;
}

/**
 * A conditional discriminator's last layer: `[n] -> [1]`, a dense logit plus the inner product
 * of the input with the class' embedding (Miyato and Koyama 2018).
 */
export interface ProjectionHeadLayer extends Weighted {
  /** The layer's type. */
  type: "projection-head";
}

/** How a value changes with the images seen, as in R3GAN's burn-in (Huang et al. 2024). */
export interface RampSpec {
  /** The value before the first image. Default: the option's own. Range: 0 or more. */
  from?: number;
  /** The value after `images` images, and from there on. Range: 0 or more. */
  to: number;
  /**
   * Real images over which it changes: a step's batch for each update of the discriminator.
   * Range: 1 or more.
   */
  images: number;
  /** Along half a cosine (Loshchilov and Hutter 2017), or along a line. Default: "cosine". */
  shape?: "cosine" | "linear";
}

/** The same values in the same order under another shape. */
export interface ReshapeLayer extends Named {
  /** The layer's type. */
  type: "reshape";
  /** The new shape, without the batch. */
  shape: number[];
}

/** `body(x) + shortcut(x)` (He et al. 2016). */
export interface ResidualLayer extends Named {
  /** The layer's type. */
  type: "residual";
  /** The layers of the main branch. */
  body: LayerSpec[];
  /** The layers of the other branch. Default: none: the identity. */
  shortcut?: LayerSpec[];
}

/** RMSProp (Hinton 2012), not centered. */
export interface RmsPropSpec {
  /** Which optimizer. */
  type: "rmsprop";
  /** The learning rate. Range: above 0. */
  learningRate: number;
  /** Decay of the mean of the squared gradients. Default: 0.99. Range: 0 or more, below 1. */
  alpha?: number;
  /** Added to the denominator. Default: 1e-8. Range: above 0. */
  epsilon?: number;
  /** Momentum. Default: 0. Range: 0 or more, below 1. */
  momentum?: number;
  /** The L2 penalty that is added to the gradient. Default: 0. Range: 0 or more. */
  weightDecay?: number;
}

/** Everything that decides a run. */
export interface RunConfig {
  /** The version of this format. */
  version: 1;
  /** The preset that the run started from, or "custom". */
  preset: string;
  /** Decides initial parameters, data order and every random number. Range: 0 to 4294967295. */
  seed: number;
  /** Where to compute: the best device that is there, WebGPU, or the CPU. */
  device: "auto" | "webgpu" | "cpu";
  /** What to train on. */
  data: DataSpec;
  /** How long: passes over the data, or training steps. */
  duration: {
    /** Passes over the data. Range: 1 or more. */
    epochs: number;
  } | {
    /** Training steps, each with the updates that `update` says. Range: 1 or more. */
    steps: number;
  };
  /** Real samples for each update of the discriminator. Range: 1 or more. */
  batchSize: number;
  /** What the generator takes. */
  latent: LatentSpec;
  /** Whether the networks use the data's labels. Default: false. */
  conditional?: boolean;
  /** The network that generates samples. */
  generator: NetworkSpec;
  /**
   * The network that tells reals from fakes. Its `inputShape` is one sample's, also where `pack`
   * gives it several at once.
   */
  discriminator: NetworkSpec;
  /** The losses. */
  objective: ObjectiveSpec;
  /** Which updates a step makes, and on what. */
  update: UpdateSpec;
  /** The generator's optimizer. */
  generatorOptimizer: OptimizerSpec;
  /** The discriminator's optimizer. */
  discriminatorOptimizer: OptimizerSpec;
  /**
   * Weights to start with: a run (its folder, or its name or number in the folder of runs), or a
   * `.safetensors` file. Tensors of other names or shapes start anew; so do optimizers. Default:
   * new weights.
   */
  from?: string;
  /**
   * FreezeD (Mo et al. 2020): the weights of this many of the discriminator's layers, from the
   * image on, stay as they are. Default: 0. Range: 0 or more.
   */
  freezeDiscriminator?: number;
  /** How both learning rates change. Default: they stay as they are. */
  learningRateSchedule?: LearningRateSpec;
  /**
   * Values that change with the images seen: penalties, beta2, EMA, augmentation. Default: they
   * stay as they are.
   */
  schedules?: SchedulesSpec;
  /** Random transforms of real and generated samples alike, before the discriminator. */
  augment?: AugmentSpec;
  /**
   * Samples that the discriminator sees at once (PacGAN, Lin et al. 2018). Default: 1. Range: 1
   * to 64.
   */
  pack?: number;
  /** Noise on what the discriminator sees. */
  instanceNoise?: InstanceNoiseSpec;
  /**
   * What happens when training diverges. Default: a run stops at the first value that is not
   * finite.
   */
  divergence?: DivergenceSpec;
  /** An exponential moving average (EMA) of the generator, for samples and export. */
  ema?: EmaSpec;
  /** When images of samples are written. */
  snapshots: SnapshotSpec;
  /** When checkpoints are written. */
  checkpoints: CheckpointSpec;
  /**
   * Whether the run folder gets TensorBoard event files: scalars, images, text,
   * hyper-parameters. Default: false.
   */
  tensorboard?: boolean;
  /**
   * How several processes train together, where `mpirun` or `srun` starts them. Default:
   * gradients are averaged at each update.
   */
  distributed?: DistributedSpec;
  /** When samples are measured. Default: not during training. */
  evaluation?: EvaluationSpec;
}

/**
 * Which values change with the images seen. What they are at each step is in the run's
 * metrics.
 */
export interface SchedulesSpec {
  /** The weight of both R1 and R2. R3GAN's falls to a tenth. */
  gamma?: RampSpec;
  /** Adam's beta2 of both networks. R3GAN's rises from 0.9 to 0.99. */
  beta2?: RampSpec;
  /** The half-life of the EMA. R3GAN's rises from 0. */
  emaHalfLifeImages?: RampSpec;
  /** The probability of each augmentation, where it does not adapt. R3GAN's rises from 0. */
  augmentProbability?: RampSpec;
}

/**
 * Self-attention over positions, scaled by a learned gamma that starts at 0 (Zhang et al.
 * 2019).
 */
export interface SelfAttentionLayer extends Named {
  /** The layer's type. */
  type: "self-attention";
  /** How the weights start. Default: the network's. */
  init?: InitializerSpec;
  /** Divide the weight by its largest singular value (Miyato et al. 2018). Default: false. */
  spectralNorm?: boolean;
}

/** Stochastic gradient descent, with optional (Nesterov) momentum. */
export interface SgdSpec {
  /** Which optimizer. */
  type: "sgd";
  /** The learning rate. Range: above 0. */
  learningRate: number;
  /** Momentum. Default: 0. Range: 0 or more, below 1. */
  momentum?: number;
  /** Nesterov's momentum. Default: false. */
  nesterov?: boolean;
  /** The L2 penalty that is added to the gradient. Default: 0. Range: 0 or more. */
  weightDecay?: number;
}

/** When and how images of samples are written during training. */
export interface SnapshotSpec {
  /** Samples from top to bottom. Range: 1 to 64. */
  rows: number;
  /** Samples from left to right. Range: 1 to 64. */
  columns: number;
  /** A snapshot every N passes over the data. Default: none by epochs. Range: 1 or more. */
  everyEpochs?: number;
  /** A snapshot every N steps. Default: none by steps. Range: 1 or more. */
  everySteps?: number;
}

/** A loss of an update. */
export type TermSpec = {
  /** Its name in the metrics. */
  name: string;
  /** What the loss is multiplied by. Default: 1. Range: above 0. */
  weight?: number;
  /**
   * The first step (from 0) that has the term; an update without terms is left out. Default: 0.
   * Range: 0 or more.
   */
  fromStep?: number;
  /** The discriminator's side of an objective. */
  loss: "discriminator";
  /** Which pair of losses. */
  objective: ObjectiveName;
  /** Logits of reals. */
  real: string;
  /** Logits of fakes; of several, the mean of the losses. */
  fake: string | string[];
  /**
   * The target of reals under `non-saturating`, `minimax` and `least-squares`: 0.9 is one-sided
   * label smoothing (Salimans et al. 2016). Default: 1. Range: above 0, up to 1.
   */
  realLabel?: number;
} | {
  /** Its name in the metrics. */
  name: string;
  /** What the loss is multiplied by. Default: 1. Range: above 0. */
  weight?: number;
  /**
   * The first step (from 0) that has the term; an update without terms is left out. Default: 0.
   * Range: 0 or more.
   */
  fromStep?: number;
  /** The generator's side of an objective. */
  loss: "generator";
  /** Which pair of losses. */
  objective: ObjectiveName;
  /** Logits of fakes. */
  fake: string;
  /** Logits of reals, where the objective compares them. */
  real?: string;
} | {
  /** Its name in the metrics. */
  name: string;
  /** What the loss is multiplied by. Default: 1. Range: above 0. */
  weight?: number;
  /**
   * The first step (from 0) that has the term; an update without terms is left out. Default: 0.
   * Range: 0 or more.
   */
  fromStep?: number;
  /** The mean absolute or squared difference. */
  loss: "l1" | "l2";
  /** A value. */
  of: string;
  /** The value that it should be. */
  to: string;
} | {
  /** Its name in the metrics. */
  name: string;
  /** What the loss is multiplied by. Default: 1. Range: above 0. */
  weight?: number;
  /**
   * The first step (from 0) that has the term; an update without terms is left out. Default: 0.
   * Range: 0 or more.
   */
  fromStep?: number;
  /**
   * `(|grad| - target)^2` of a network at points between two of its inputs (Gulrajani et al.
   * 2017).
   */
  loss: "gradient-penalty";
  /** The network. */
  network: string;
  /** Its input made of reals. */
  real: string;
  /** Its input made of fakes. */
  fake: string;
  /** The gradient norm to hold. Default: 1. Range: 0 or more. */
  target?: number;
} | {
  /** Its name in the metrics. */
  name: string;
  /** What the loss is multiplied by. Default: 1. Range: above 0. */
  weight?: number;
  /**
   * The first step (from 0) that has the term; an update without terms is left out. Default: 0.
   * Range: 0 or more.
   */
  fromStep?: number;
  /**
   * The cross entropy of the choices in generated rows to the categories that the conditions
   * name (Xu et al. 2019).
   */
  loss: "condition";
  /** Generated rows before their activation. */
  logits: string;
  /** The conditions. */
  condition: string;
  /** The columns that conditions may name. */
  choices: ConditionedChoice[];
};

/** The order and the inputs of a step's updates. */
export interface UpdateSpec {
  /** Which network is updated first in a step. */
  order: "discriminator-first" | "generator-first";
  /** Discriminator updates of a step (n_critic), each on a batch of its own. Range: 1 to 100. */
  discriminatorSteps: number;
  /**
   * Generator updates of a step, after or before all of the discriminator's; one with reals
   * takes the step's batches in turn. Default: 1. Range: 1 to 100.
   */
  generatorSteps?: number;
  /**
   * Whether the generator's (first) update draws new latents or reuses those of the
   * discriminator's (last) update; with the generator first, the discriminator reuses those of
   * the generator's last update.
   */
  latents: "fresh" | "shared";
  /**
   * Whether the discriminator sees reals and fakes in two batches, or concatenated in one, with
   * one set of batch statistics.
   */
  discriminatorBatch: "separate" | "concatenated";
  /**
   * What the sum of the discriminator's real and fake losses is multiplied by: 0.5 makes it
   * their mean. Range: above 0.
   */
  discriminatorLossScale: number;
}

/** Enlarges an image: `[h, w, c] -> [h factor, w factor, c]`. */
export interface UpsampleLayer extends Named {
  /** The layer's type. */
  type: "upsample";
  /** By how much. Range: 1 or more. */
  factor: number;
  /** How pixels in between are filled. Default: "nearest". */
  mode?: "nearest" | "bilinear";
}

/** A named value of a step. Names of inputs and of other values stand for those. */
export type ValueSpec = {
  /** A network's output. */
  op: "network";
  /** Which network. */
  network: string;
  /**
   * Its input. Several values are joined on the last axis; a vector beside images is repeated at
   * each pixel.
   */
  input: string | string[];
} | {
  /** Values joined on the last axis, as for a network. */
  op: "join";
  /** The values. */
  of: string[];
} | {
  /** `[n, w] -> [n / count, count w]`: rows that are seen at once (PacGAN, Lin et al. 2018). */
  op: "pack";
  /** The rows. */
  of: string;
  /** How many are seen at once. Range: 1 to 64. */
  count: number;
} | {
  /** Means of blocks of pixels: a box filter. */
  op: "shrink";
  /** The images. */
  of: string;
  /** Pixels of a block's side. Range: 2 to 16. */
  factor: number;
} | {
  /** The value of the next sample of the batch: a caption that does not belong to the image. */
  op: "mismatch";
  /** The values. */
  of: string;
} | {
  /** Each sample, or half of the time an older one (Shrivastava et al. 2017). */
  op: "history";
  /** The samples of an earlier update. */
  of: string;
  /** How many are kept. Range: 1 to 1000. */
  size: number;
};

/** What every layer with weights may have. */
export interface Weighted extends Named {
  /** How the weights start. Default: the network's. */
  init?: InitializerSpec;
  /** Whether there is a bias. Default: true. */
  bias?: boolean;
  /** Divide the weight by its largest singular value (Miyato et al. 2018). Default: false. */
  spectralNorm?: boolean;
}
