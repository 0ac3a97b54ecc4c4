/** What options mean where a config leaves them out: the only place for these values. */

/** The defaults, by part of the config. */
export const DEFAULTS = {
  /** Samples that the discriminator sees at once. */
  pack: 1,
  /** Layers of the discriminator that are not trained. */
  freezeDiscriminator: 0,
  /** Generator updates of a step. */
  generatorSteps: 1,
  /** Of a run of a model of several networks. */
  model: {
    name: "model",
    seed: 0,
    device: "auto",
    checkpoints: { everySeconds: 120, keep: 2 },
  },
  /** Of the presets of several networks. */
  recipes: {
    pix2pix: { filters: 8, norm: "batch", l1Weight: 100, objective: "non-saturating" },
    cyclegan: { filters: 8, blocks: 2, cycleWeight: 10, identityWeight: 0.5, historySize: 50 },
    superResolution: {
      factor: 2,
      filters: 16,
      blocks: 3,
      adversarialWeight: 1e-3,
      adversarialFromStep: 1500,
      learningRate: 5e-4,
    },
    tabular: { latentDimension: 128, units: [256, 256], pack: 10, penaltyWeight: 10 },
    captions: { filters: 16, latentDimension: 64, embedding: 64, learningRate: 2e-4 },
  },
  /** What presets of several networks train on. */
  modelData: { heldBack: 0.1, flip: false, direction: "AtoB", maxWords: 2000 },
  /** Whether event files are written. */
  tensorboard: false,
  distributed: { every: 1, syncBatchNorm: false },
  /** Whether labels are used. */
  conditional: false,
  data: {
    /** Points of a toy density. */
    pointCount: 100_000,
    /** Synthetic digits. */
    digitCount: 10_000,
    /** Images of stacked digits. */
    stackedCount: 128_000,
    /** Pixels of a synthetic digit's side. */
    digitSize: 28,
    seed: 0,
    background: 255,
    broken: "refuse",
    missing: "refuse",
    standardize: "auto",
    /** Two equal, well separated Gaussians: a generator that drops one is seen at a glance. */
    components: [
      { weight: 0.5, mean: -2, sigma: 0.5 },
      { weight: 0.5, mean: 2, sigma: 0.5 },
    ],
  },
  /** PyTorch's. */
  sgd: { momentum: 0, nesterov: false, weightDecay: 0 },
  /** PyTorch's. */
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  /** PyTorch's. */
  rmsprop: { alpha: 0.99, epsilon: 1e-8, momentum: 0, weightDecay: 0 },
  schedule: { finalScale: 0, warmUpSteps: 0, rampShape: "cosine" },
  objective: {
    realLabel: 1,
    /** Of both gradient penalties. */
    penaltyTarget: 1,
    draganDeviation: 0.5,
  },
  augment: {
    probability: 1,
    /** Where an adaptive probability starts. */
    adaptiveProbability: 0,
    /** The paper's (Karras et al. 2020). */
    adaptive: { target: 0.6, everySteps: 4, speedImages: 500_000 },
  },
  divergence: { growth: 100 },
  evaluation: {
    /** Samples of an evaluation: 1-D densities, known modes, anything else. */
    samples: { density: 10_000, modes: 2_500, other: 1_000 },
    features: "random",
    export: "last",
  },
  layer: {
    bias: true,
    spectralNorm: false,
    stride: 1,
    padding: 0,
    dilation: 1,
    groups: 1,
    multiplier: 1,
    outputPadding: 0,
    /** Of running statistics, PyTorch's. */
    momentum: 0.1,
    /** Of every normalization. */
    epsilon: 1e-5,
    leakyReluAlpha: 0.01,
    eluAlpha: 1,
    padMode: "zeros",
    preluStart: 0.25,
    temperature: 0.2,
    upsampleMode: "nearest",
    groupSize: 4,
  },
} as const;
