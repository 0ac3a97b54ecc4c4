/** A run that trains in a moment and has everything that has state, for tests of several rooms. */
import { presetConfig } from "../src/config/presets/mod.ts";
import type { RunConfig } from "../src/config/run_config.ts";

// A schedule follows the planned length, which some tests change on resume.
const { learningRateSchedule: _, ...digits } = presetConfig("digits");

/** A run with everything that has state: batch norm, dropout, an EMA. */
export const TINY: RunConfig = {
  ...digits,
  preset: "tiny",
  device: "cpu",
  data: { source: "digits", count: 64, size: 8 },
  duration: { steps: 12 },
  batchSize: 4,
  latent: { dimension: 3, distribution: "normal" },
  generator: {
    inputShape: [3],
    init: "he-normal",
    layers: [
      { type: "dense", units: 8 },
      { type: "batch-norm" },
      { type: "activation", fn: "relu" },
      { type: "dense", units: 64 },
      { type: "activation", fn: "tanh" },
      { type: "reshape", shape: [8, 8, 1] },
    ],
  },
  discriminator: {
    inputShape: [8, 8, 1],
    init: "he-normal",
    layers: [
      { type: "flatten" },
      { type: "dense", units: 8 },
      { type: "activation", fn: "leaky-relu", alpha: 0.2 },
      { type: "dropout", rate: 0.3 },
      { type: "dense", units: 1 },
    ],
  },
  snapshots: { rows: 2, columns: 2, everySteps: 6 },
  checkpoints: { everySteps: 5, keep: 2 },
};
