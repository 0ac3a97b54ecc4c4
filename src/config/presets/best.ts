/**
 * Our best recipes for the tables of lost modes: relativistic pairs with R1 and R2, a game without the bad
 * equilibria that lose modes (Huang et al. 2024, "The GAN is dead; long live the GAN!"), no batch norm,
 * Adam without momentum, a learning rate that falls to nothing, and an average of the generator; for
 * points also noise on what D sees that fades away. What they reach is in docs/REPRODUCTION.md.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { stackedMnist } from "./stacked_mnist.ts";

/** What a recipe changes in its problem's preset. */
type Recipe = Omit<Partial<RunConfig>, "version" | "preset" | "data">;

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

/** `[n] -> [units]`, so many times. */
const hidden = (units: number, depth: number): LayerSpec[] =>
  Array.from({ length: depth }).flatMap((): LayerSpec[] => [{ type: "dense", units }, leakyRelu]);

const withoutMomentum = (learningRate: number): RunConfig["generatorOptimizer"] => ({
  type: "adam",
  learningRate,
  beta1: 0,
  beta2: 0.99,
});

/**
 * `[units] -> [units]`, so many blocks that start near the identity: a generator can grow as steep as the
 * gaps between modes need without its layers getting in each other's way.
 */
const residual = (units: number, blocks: number): LayerSpec[] =>
  Array.from({ length: blocks }, (): LayerSpec => ({
    type: "residual",
    body: [
      leakyRelu,
      { type: "dense", units },
      leakyRelu,
      { type: "dense", units, init: { normal: 0.02 } },
    ],
  }));

/** What differs between the ring and the grid. */
interface MixtureRecipe {
  steps: number;
  /** Residual blocks of the generator: the more modes there are to tear apart, the more it needs. */
  blocks: number;
  /** Of both penalties: the more, the less modes are lost, and the less sharp they are. */
  gamma: number;
  /** The noise at the start, which blurs modes into their neighbours, and its share of the steps. */
  noise: { sigma: number; share: number };
}

/** The generator is deep rather than wide, since it has to tear one bump into many. */
function mixture({ steps, blocks, gamma, noise }: MixtureRecipe): Recipe {
  return {
    duration: { steps },
    generator: {
      inputShape: [2],
      init: "he-normal",
      layers: [{ type: "dense", units: 96 }, ...residual(96, blocks), { type: "dense", units: 2 }],
    },
    discriminator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...hidden(128, 3), { type: "dense", units: 1 }],
    },
    objective: { name: "relativistic", r1: { gamma }, r2: { gamma } },
    instanceNoise: { sigma: noise.sigma, decaySteps: Math.round(noise.share * steps) },
    generatorOptimizer: withoutMomentum(2e-3),
    discriminatorOptimizer: withoutMomentum(2e-3),
    learningRateSchedule: { shape: "linear" },
    ema: { halfLifeImages: 5000 },
  };
}

/** For the ring and the grid. */
export const BEST_MIXTURE: Readonly<Record<"ring" | "grid", Recipe>> = {
  ring: mixture({ steps: 20_000, blocks: 4, gamma: 1e-3, noise: { sigma: 0.4, share: 0.4 } }),
  grid: mixture({ steps: 60_000, blocks: 6, gamma: 6e-3, noise: { sigma: 0.5, share: 0.4 } }),
};

/** `[h, w, c] -> [h / 2, w / 2, filters]` */
const down = (filters: number): LayerSpec[] => [
  { type: "conv", filters, kernel: 3, stride: 2, padding: 1 },
  leakyRelu,
];

const withSomeMomentum = { type: "adam", learningRate: 5e-4, beta1: 0.5, beta2: 0.99 } as const;

/**
 * For stacked digits: the preset's tiny generator, and a discriminator of the usual 16, 32 and 64 channels
 * without batch norm. That of the tables, with a quarter of them, falls behind under penalties.
 */
export const BEST_STACKED: Recipe = {
  discriminator: {
    ...stackedMnist.discriminator,
    init: "he-normal",
    layers: [
      ...down(16),
      ...down(32),
      ...down(64),
      { type: "flatten" },
      { type: "dense", units: 1 },
    ],
  },
  objective: { name: "relativistic", r1: { gamma: 1 }, r2: { gamma: 1 } },
  generatorOptimizer: withSomeMomentum,
  discriminatorOptimizer: withSomeMomentum,
  learningRateSchedule: { shape: "cosine" },
  ema: { halfLifeImages: 3000 },
};
