/**
 * Eight Gaussians on a ring and twenty-five on a grid, the usual test for mode collapse, with the networks
 * and optimizers of PacGAN (Lin et al. 2018, section 4.1). The published table trains 400 epochs of
 * 100,000 points, which `--epochs 400` gives; the presets stop after 20.
 */
import type { LayerSpec, RunConfig } from "../types.ts";
import { adam, BASE, batchNorm, bothOptimizers, dense, relu, repeat, UPDATE } from "./builders.ts";

const maxout: LayerSpec = { type: "maxout", units: 200, pieces: 5 };

const mixture: Omit<RunConfig, "preset" | "data"> = {
  ...BASE,
  evaluation: { everyEpochs: 1 },
  duration: { epochs: 20 },
  batchSize: 100,
  latent: { dimension: 2, distribution: "normal" },
  generator: {
    inputShape: [2],
    init: { normal: 0.02 },
    layers: [...repeat(4, () => [dense(400, { bias: false }), batchNorm, relu]), dense(2)],
  },
  discriminator: {
    inputShape: [2],
    init: { normal: 0.02 },
    layers: [...repeat(3, () => [maxout]), dense(1)],
  },
  objective: { name: "non-saturating" },
  update: UPDATE,
  ...bothOptimizers(adam(1e-4, { beta1: 0.8 })),
};

/** Eight Gaussians on a circle. */
export const ring2d: RunConfig = { ...mixture, preset: "ring-2d", data: { source: "ring-2d" } };

/** Twenty-five Gaussians on a square grid. */
export const grid2d: RunConfig = { ...mixture, preset: "grid-2d", data: { source: "grid-2d" } };
