/**
 * Our best recipes for the tables of mode collapse: relativistic pairs with R1 and R2, whose losses have no
 * bad equilibria that lose modes (Huang et al. 2024, "The GAN is dead; long live the GAN!"), no batch norm,
 * Adam without momentum, a learning rate that falls to nothing, and an EMA of the generator; for
 * points also noise on what D sees that fades away. What they reach is in docs/REPRODUCTION.md.
 */
import type { LayerSpec, RunConfig } from "../types.ts";
import {
  adam,
  bothOptimizers,
  conv3,
  dense,
  flatten,
  leakyRelu,
  repeat,
  residual,
} from "./builders.ts";
import { stackedMnist } from "./stacked_mnist.ts";

/** What a recipe changes in its problem's preset. */
type Recipe = Omit<Partial<RunConfig>, "version" | "preset" | "data">;

/**
 * `[units] -> [units]`, a block that starts near the identity: a generator can get gradients as large as
 * the gaps between modes need without its layers disturbing each other.
 */
function block(units: number): LayerSpec {
  const last = dense(units, { init: { normal: 0.02 } });
  return residual([leakyRelu(), dense(units), leakyRelu(), last]);
}

/** What differs between the ring and the grid. */
interface MixtureRecipe {
  steps: number;
  /** Residual blocks of the generator: the more modes there are to separate, the more it needs. */
  blocks: number;
  /** Of both penalties: the larger, the fewer modes are lost, and the less sharp they are. */
  gamma: number;
  /** The noise at the start, which blurs modes into their neighbors, and its share of the steps. */
  noise: { sigma: number; share: number };
}

/** The generator is deep rather than wide, since it has to separate one Gaussian into many. */
function mixture({ steps, blocks, gamma, noise }: MixtureRecipe): Recipe {
  return {
    duration: { steps },
    generator: {
      inputShape: [2],
      init: "he-normal",
      layers: [dense(96), ...repeat(blocks, () => [block(96)]), dense(2)],
    },
    discriminator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...repeat(3, () => [dense(128), leakyRelu()]), dense(1)],
    },
    objective: { name: "relativistic", r1: { gamma }, r2: { gamma } },
    instanceNoise: { sigma: noise.sigma, decaySteps: Math.round(noise.share * steps) },
    ...bothOptimizers(adam(2e-3, { beta1: 0, beta2: 0.99 })),
    learningRateSchedule: { shape: "linear" },
    ema: { halfLifeImages: 5000 },
  };
}

/** For the ring and the grid. */
export const BEST_MIXTURE: Readonly<Record<"ring" | "grid", Recipe>> = {
  ring: mixture({ steps: 20_000, blocks: 4, gamma: 1e-3, noise: { sigma: 0.4, share: 0.4 } }),
  grid: mixture({ steps: 60_000, blocks: 6, gamma: 6e-3, noise: { sigma: 0.5, share: 0.4 } }),
};

/**
 * For stacked digits: the preset's tiny generator, and a discriminator of the usual 16, 32 and 64 channels
 * without batch norm. That of the tables, with a quarter of them, falls behind under penalties.
 */
export const BEST_STACKED: Recipe = {
  discriminator: {
    ...stackedMnist.discriminator,
    init: "he-normal",
    layers: [
      ...[16, 32, 64].flatMap((filters) => [conv3(filters, { stride: 2 }), leakyRelu()]),
      flatten,
      dense(1),
    ],
  },
  objective: { name: "relativistic", r1: { gamma: 1 }, r2: { gamma: 1 } },
  ...bothOptimizers(adam(5e-4, { beta1: 0.5, beta2: 0.99 })),
  learningRateSchedule: { shape: "cosine" },
  ema: { halfLifeImages: 3000 },
};
