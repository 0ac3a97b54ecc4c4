/** A run of a model of several networks as one value, as `trainModel()` takes it and its run folder keeps it. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { modelSchema } from "./model.ts";
import { named, optional } from "./option.ts";
import { runConfigSchema } from "./run_config.ts";

export type { ModelRunConfig } from "./types.ts";

const run = runConfigSchema.shape;

/** Checks a {@linkcode ModelRunConfig}; fields that it does not know are refused. */
export const modelRunSchema = named(
  z.strictObject({
    model: modelSchema.describe("The networks, and how they are trained."),
    batchSize: z.number().int().positive().describe("Samples of a step."),
    duration: run.duration,
    name: optional(z.string().min(1), "Names the run; it becomes part of the run folder's name.", {
      default: DEFAULTS.model.name,
    }),
    seed: optional(run.seed, "Decides initial parameters, data order and every random number.", {
      default: DEFAULTS.model.seed,
    }),
    device: optional(
      run.device,
      "Where to compute: the best device that is there, WebGPU, or the CPU.",
      {
        default: DEFAULTS.model.device,
      },
    ),
    learningRateSchedule: run.learningRateSchedule,
    divergence: run.divergence,
    ema: optional(run.ema.unwrap(), "An average of the output's networks, for results and export."),
    checkpoints: optional(run.checkpoints, "When checkpoints are written.", {
      otherwise: "every two minutes, and two are kept",
    }),
  }),
  "ModelRunConfig",
  { meaning: "Everything that decides a run of a model of several networks." },
);
