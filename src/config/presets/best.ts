/**
 * Our best recipes for the tables of lost modes: relativistic pairs with R1 and R2, a game without the bad
 * equilibria that lose modes (Huang et al. 2024, "The GAN is dead; long live the GAN!"), no batch norm,
 * Adam without momentum, a learning rate that falls to nothing, and an average of the generator; for the
 * ring also noise on what D sees that fades away. What they reach is in docs/REPRODUCTION.md.
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

/** What differs between the ring and the grid. */
interface MixtureRecipe {
  /** Of both penalties: about the square of a mode's deviation, so that D can tell a mode from its rim. */
  gamma: number;
  batchSize: number;
  /** Deviation of the noise at the start: it blurs modes into their neighbours until all are found. */
  noise?: number;
}

/**
 * A generator that is deep rather than wide, since it has to tear one bump into many; together a tenth of
 * the weights of PacGAN's networks.
 */
function mixture({ gamma, batchSize, noise }: MixtureRecipe): Recipe {
  const steps = 20_000;
  return {
    duration: { steps },
    batchSize,
    generator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...hidden(96, 5), { type: "dense", units: 2 }],
    },
    discriminator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...hidden(128, 3), { type: "dense", units: 1 }],
    },
    objective: { name: "relativistic", r1: { gamma }, r2: { gamma } },
    ...(noise === undefined ? {} : { instanceNoise: { sigma: noise, decaySteps: 0.3 * steps } }),
    generatorOptimizer: withoutMomentum(2e-3),
    discriminatorOptimizer: withoutMomentum(2e-3),
    learningRateSchedule: { shape: "linear" },
    ema: { halfLifeImages: 5000 },
  };
}

/** For the ring and the grid. */
export const BEST_MIXTURE: Readonly<Record<"ring" | "grid", Recipe>> = {
  ring: mixture({ gamma: 1e-4, batchSize: 100, noise: 0.2 }),
  grid: mixture({ gamma: 5e-3, batchSize: 200 }),
};

/** For stacked digits: the tiny networks of the preset, without D's batch norm. */
export const BEST_STACKED: Recipe = {
  discriminator: {
    ...stackedMnist.discriminator,
    init: "he-normal",
    layers: stackedMnist.discriminator.layers.filter(({ type }) => type !== "batch-norm"),
  },
  objective: { name: "relativistic", r1: { gamma: 1 }, r2: { gamma: 1 } },
  generatorOptimizer: withoutMomentum(1e-3),
  discriminatorOptimizer: withoutMomentum(1e-3),
  learningRateSchedule: { shape: "cosine" },
  ema: { halfLifeImages: 20_000 },
};
