/**
 * Our best recipes for the tables of lost modes: relativistic pairs with R1 and R2, a game without the bad
 * equilibria that lose modes (Huang et al. 2024, "The GAN is dead; long live the GAN!"), no batch norm,
 * Adam without momentum, a learning rate that falls to nothing, and an average of the generator.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { stackedMnist } from "./stacked_mnist.ts";

/** What a recipe changes in its problem's preset. */
type Recipe = Omit<Partial<RunConfig>, "version" | "preset" | "data">;

const leakyRelu: LayerSpec = { type: "activation", fn: "leaky-relu", alpha: 0.2 };

/** Three hidden layers: a tenth of the weights of PacGAN's networks, so a step takes a fifth of the time. */
const hidden: LayerSpec[] = Array.from({ length: 3 })
  .flatMap((): LayerSpec[] => [{ type: "dense", units: 128 }, leakyRelu]);

const withoutMomentum = (learningRate: number): RunConfig["generatorOptimizer"] => ({
  type: "adam",
  learningRate,
  beta1: 0,
  beta2: 0.99,
});

/** @param gamma of both penalties: about the square of a mode's deviation, times ten */
function mixture(gamma: number, steps: number): Recipe {
  return {
    duration: { steps },
    generator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...hidden, { type: "dense", units: 2 }],
    },
    discriminator: {
      inputShape: [2],
      init: "he-normal",
      layers: [...hidden, { type: "dense", units: 1 }],
    },
    objective: { name: "relativistic", r1: { gamma }, r2: { gamma } },
    generatorOptimizer: withoutMomentum(2e-3),
    discriminatorOptimizer: withoutMomentum(2e-3),
    learningRateSchedule: { shape: "cosine" },
    ema: { halfLifeImages: 5000 },
  };
}

/** For the ring and the grid. */
export const BEST_MIXTURE: Readonly<Record<"ring" | "grid", Recipe>> = {
  ring: mixture(0.001, 20_000),
  grid: mixture(0.016, 30_000),
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
