/**
 * The residual networks of WGAN-GP (Gulrajani et al. 2017, appendix F) and of spectrally normalised
 * GANs (Miyato et al. 2018, table 4), each with its paper's recipe for CIFAR-10. For larger pictures
 * both double more often, with the same number of channels throughout.
 */
import type { InitializerSpec, LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";
import { cifarOrFolder, growthOf, type ImageShape } from "./image_shape.ts";

const relu: LayerSpec = { type: "activation", fn: "relu" };
const batchNorm: LayerSpec = { type: "batch-norm" };
const double: LayerSpec = { type: "upsample", factor: 2 };
const halve: LayerSpec = { type: "avg-pool", size: 2 };

/** Channels of the networks. */
export interface ResnetWidths {
  generator: number;
  discriminator: number;
}

/** In what the two recipes' networks differ. */
interface ResnetStyle {
  preset: string;
  widths: ResnetWidths;
  init: InitializerSpec;
  /** Of every layer of the discriminator. */
  spectralNorm: boolean;
  /** The discriminator's last look at the picture. */
  pool: "global-sum-pool" | "global-avg-pool";
}

function resnets(
  shape: ImageShape,
  { preset, widths, init, spectralNorm, pool }: ResnetStyle,
): Pick<RunConfig, "latent" | "generator" | "discriminator"> {
  const { base, doublings } = growthOf(shape, preset, 1);
  const normed = spectralNorm ? { spectralNorm } : {};
  const plain = (filters: number, kernel: 1 | 3): LayerSpec =>
    kernel === 1
      ? { type: "conv", filters, kernel }
      : { type: "conv", filters, kernel, padding: 1 };
  const up: LayerSpec = {
    type: "residual",
    body: [
      batchNorm,
      relu,
      double,
      plain(widths.generator, 3),
      batchNorm,
      relu,
      plain(widths.generator, 3),
    ],
    shortcut: [double, plain(widths.generator, 1)],
  };
  const conv = (kernel: 1 | 3): LayerSpec =>
    ({ ...plain(widths.discriminator, kernel), ...normed }) as LayerSpec;
  const first: LayerSpec = {
    type: "residual",
    body: [conv(3), relu, conv(3), halve],
    shortcut: [halve, conv(1)],
  };
  const down: LayerSpec = {
    type: "residual",
    body: [relu, conv(3), relu, conv(3), halve],
    shortcut: [conv(1), halve],
  };
  const flat: LayerSpec = { type: "residual", body: [relu, conv(3), relu, conv(3)] };
  const { height, width, channels } = shape;
  return {
    latent: { dimension: 128, distribution: "normal" },
    generator: {
      inputShape: [128],
      init,
      layers: [
        { type: "dense", units: base[0] * base[1] * widths.generator },
        { type: "reshape", shape: [...base, widths.generator] },
        ...Array.from({ length: doublings }, () => up),
        batchNorm,
        relu,
        plain(channels, 3),
        { type: "activation", fn: "tanh" },
      ],
    },
    discriminator: {
      inputShape: [height, width, channels],
      init,
      layers: [
        first,
        ...Array.from({ length: doublings - 2 }, () => down),
        flat,
        flat,
        relu,
        { type: pool },
        { type: "dense", units: 1, ...normed },
      ],
    },
  };
}

const COMMON = {
  ...BASE,
  batchSize: 64,
  update: {
    order: "discriminator-first",
    discriminatorSteps: 5,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  generatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0, beta2: 0.9 },
  discriminatorOptimizer: { type: "adam", learningRate: 2e-4, beta1: 0, beta2: 0.9 },
  snapshots: { rows: 8, columns: 8, everySteps: 1000 },
} satisfies Partial<RunConfig>;

/**
 * WGAN-GP's residual networks: no norm in the critic, whose slope the penalty holds at 1; Adam's rates
 * fall to 0 over the run.
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function wganGpResnet(
  shape: ImageShape,
  widths: ResnetWidths = { generator: 128, discriminator: 128 },
): RunConfig {
  const preset = "wgan-gp-resnet";
  return {
    ...COMMON,
    preset,
    data: cifarOrFolder(shape),
    duration: { steps: 100_000 },
    ...resnets(shape, {
      preset,
      widths,
      init: "he-normal",
      spectralNorm: false,
      pool: "global-avg-pool",
    }),
    objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
    learningRateSchedule: { shape: "linear" },
  };
}

/**
 * SNGAN's residual networks: hinge loss, every layer of the discriminator spectrally normalised.
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function snganResnet(
  shape: ImageShape,
  widths: ResnetWidths = { generator: 256, discriminator: 128 },
): RunConfig {
  const preset = "sngan-resnet";
  return {
    ...COMMON,
    preset,
    data: cifarOrFolder(shape),
    duration: { steps: 50_000 },
    ...resnets(shape, {
      preset,
      widths,
      init: "glorot-uniform",
      spectralNorm: true,
      pool: "global-sum-pool",
    }),
    objective: { name: "hinge" },
  };
}
