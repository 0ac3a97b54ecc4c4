/**
 * Eight Gaussians on a ring and twenty-five on a grid, the usual test for lost modes, with the networks
 * and optimisers of PacGAN (Lin et al. 2018, section 4.1). The published table trains 400 epochs of
 * 100,000 points, which `--epochs 400` gives; the presets stop after 20.
 */
import type { LayerSpec } from "../network.ts";
import type { RunConfig } from "../run_config.ts";
import { BASE } from "./base.ts";

const hidden: LayerSpec[] = [
  { type: "dense", units: 400, bias: false },
  { type: "batch-norm" },
  { type: "activation", fn: "relu" },
];

const mixture: Omit<RunConfig, "preset" | "data"> = {
  ...BASE,
  evaluation: { everyEpochs: 1 },
  duration: { epochs: 20 },
  batchSize: 100,
  latent: { dimension: 2, distribution: "normal" },
  generator: {
    inputShape: [2],
    init: { normal: 0.02 },
    layers: [...hidden, ...hidden, ...hidden, ...hidden, { type: "dense", units: 2 }],
  },
  discriminator: {
    inputShape: [2],
    init: { normal: 0.02 },
    layers: [
      { type: "maxout", units: 200, pieces: 5 },
      { type: "maxout", units: 200, pieces: 5 },
      { type: "maxout", units: 200, pieces: 5 },
      { type: "dense", units: 1 },
    ],
  },
  objective: { name: "non-saturating" },
  update: {
    order: "discriminator-first",
    discriminatorSteps: 1,
    latents: "fresh",
    discriminatorBatch: "separate",
    discriminatorLossScale: 1,
  },
  generatorOptimizer: { type: "adam", learningRate: 1e-4, beta1: 0.8 },
  discriminatorOptimizer: { type: "adam", learningRate: 1e-4, beta1: 0.8 },
};

/** Eight Gaussians on a circle. */
export const ring2d: RunConfig = { ...mixture, preset: "ring-2d", data: { source: "ring-2d" } };

/** Twenty-five Gaussians on a square grid. */
export const grid2d: RunConfig = { ...mixture, preset: "grid-2d", data: { source: "grid-2d" } };
