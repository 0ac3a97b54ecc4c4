/**
 * The residual networks of WGAN-GP (Gulrajani et al. 2017, appendix F) and of spectrally normalized
 * GANs (Miyato et al. 2018, table 4), each with its paper's recipe for CIFAR-10. For larger images
 * both double more often, with the same number of channels throughout.
 */
import type { InitializerSpec, LayerSpec, RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  batchNorm,
  bothOptimizers,
  conv1,
  conv3,
  dense,
  halve,
  MANY_SAMPLES,
  project,
  relu,
  repeat,
  residual,
  tanh,
  UPDATE,
} from "./builders.ts";
import { cifarOrFolder, growthOf, type ImageShape } from "./image_shape.ts";

const double: LayerSpec = { type: "upsample", factor: 2 };

/** Channels of the networks. */
export interface ResnetWidths {
  generator: number;
  discriminator: number;
}

/** In what the two recipes differ. */
interface ResnetRecipe extends Pick<RunConfig, "preset" | "duration" | "objective"> {
  widths: ResnetWidths;
  init: InitializerSpec;
  /** Of every layer of the discriminator. */
  spectralNorm: boolean;
  /** How the discriminator's last features become a vector. */
  pool: "global-sum-pool" | "global-avg-pool";
}

function resnets(shape: ImageShape, recipe: ResnetRecipe): RunConfig {
  const { preset, duration, objective, widths, init, spectralNorm, pool } = recipe;
  const { base, doublings } = growthOf(shape, preset, { minDoublings: 1 });
  const { height, width, channels } = shape;
  return {
    ...BASE,
    preset,
    data: cifarOrFolder(shape),
    duration,
    batchSize: 64,
    latent: { dimension: 128, distribution: "normal" },
    generator: {
      inputShape: [128],
      init,
      layers: [
        ...project([...base, widths.generator]),
        ...repeat(doublings, () => [up(widths.generator)]),
        batchNorm,
        relu,
        conv3(channels),
        tanh,
      ],
    },
    discriminator: {
      inputShape: [height, width, channels],
      init,
      layers: [
        ...discriminatorBlocks(widths.discriminator, { doublings, spectralNorm }),
        relu,
        { type: pool },
        dense(1, spectralNorm ? { spectralNorm } : {}),
      ],
    },
    objective,
    update: { ...UPDATE, discriminatorSteps: 5 },
    ...bothOptimizers(adam(2e-4, { beta1: 0, beta2: 0.9 })),
    snapshots: { ...MANY_SAMPLES, everySteps: 1000 },
  };
}

/** A generator's block: doubles the image. */
function up(filters: number): LayerSpec {
  return residual(
    [batchNorm, relu, double, conv3(filters), batchNorm, relu, conv3(filters)],
    [double, conv1(filters)],
  );
}

/** One block without an activation in front, those that halve, and two that keep the size. */
function discriminatorBlocks(
  filters: number,
  { doublings, spectralNorm }: { doublings: number; spectralNorm: boolean },
): LayerSpec[] {
  const normed = spectralNorm ? { spectralNorm } : {};
  const wide = conv3(filters, normed);
  const narrow = conv1(filters, normed);
  const first = residual([wide, relu, wide, halve], [halve, narrow]);
  const down = residual([relu, wide, relu, wide, halve], [narrow, halve]);
  const flat = residual([relu, wide, relu, wide]);
  return [first, ...repeat(Math.max(0, doublings - 2), () => [down]), flat, flat];
}

/**
 * WGAN-GP's residual networks: no norm in the critic, whose gradient norm the penalty holds at 1; Adam's
 * learning rates fall to 0 over the run.
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function wganGpResnet(
  shape: ImageShape,
  widths: ResnetWidths = { generator: 128, discriminator: 128 },
): RunConfig {
  const config = resnets(shape, {
    preset: "wgan-gp-resnet",
    duration: { steps: 100_000 },
    objective: { name: "wasserstein", gradientPenalty: { weight: 10 } },
    widths,
    init: "he-normal",
    spectralNorm: false,
    pool: "global-avg-pool",
  });
  return { ...config, learningRateSchedule: { shape: "linear" } };
}

/**
 * SNGAN's residual networks: hinge loss, every layer of the discriminator spectrally normalized.
 * @throws {UserError} when the sides are not 3 to 7 times a power of two
 */
export function snganResnet(
  shape: ImageShape,
  widths: ResnetWidths = { generator: 256, discriminator: 128 },
): RunConfig {
  return resnets(shape, {
    preset: "sngan-resnet",
    duration: { steps: 50_000 },
    objective: { name: "hinge" },
    widths,
    init: "glorot-uniform",
    spectralNorm: true,
    pool: "global-sum-pool",
  });
}
