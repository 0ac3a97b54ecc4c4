/** A run of a model of several networks as one value, as `trainModel()` takes it and its run folder keeps it. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { modelSchema } from "./model.ts";
import { modelDataSchema } from "./model_data.ts";
import { recipeSchema } from "./model_recipe.ts";
import { named, optional } from "./option.ts";
import { runConfigSchema } from "./run_config.ts";

export type { ModelEvaluationSpec, ModelRunConfig } from "./types.ts";

const run = runConfigSchema.shape;

const modelEvaluationSchema = named(
  z.strictObject({
    everySteps: z.number().int().positive().describe("An evaluation every N steps."),
    export: optional(
      z.enum(["best", "last"]),
      "Which checkpoint is exported when the run ends.",
      { default: DEFAULTS.evaluation.export },
    ),
  }),
  "ModelEvaluationSpec",
  { meaning: "When the model of a preset is measured during training." },
);

/** Checks a {@linkcode ModelRunConfig}; fields that it does not know are refused. */
export const modelRunSchema = named(
  z.strictObject({
    recipe: optional(recipeSchema, "The preset that made the networks, and its options.", {
      otherwise: "networks of your own",
    }),
    data: optional(modelDataSchema, "What to train on.", { otherwise: "what a program gives" }),
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
    snapshots: optional(run.snapshots, "When images of samples are written, by a preset.", {
      otherwise: "at the start and the end",
    }),
    evaluation: optional(modelEvaluationSchema, "When the model is measured.", {
      otherwise: "at the end",
    }),
    tensorboard: run.tensorboard,
    checkpoints: optional(run.checkpoints, "When checkpoints are written.", {
      otherwise: "every two minutes, and two are kept",
    }),
  }),
  "ModelRunConfig",
  { meaning: "Everything that decides a run of a model of several networks." },
);

/** Checks a {@linkcode ModelRunConfig} whose networks may still have to be made for its data. */
export const modelDraftSchema = modelRunSchema.partial({ model: true });
