/**
 * A run as one value: everything that decides what is trained and how. It is what a preset is, what
 * `config.json` in a run folder holds, and what `deno task train CONFIG.json` reads.
 */
import { z } from "zod";
import { dataSchema } from "./data.ts";
import { DEFAULTS } from "./defaults.ts";
import { distributedSchema } from "./distributed.ts";
import { evaluationSchema } from "./evaluation.ts";
import { learningRateSchema } from "./learning_rate.ts";
import { networkSchema } from "./network.ts";
import { objectiveSchema } from "./objective.ts";
import { named, optional } from "./option.ts";
import { optimizerSchema } from "./optimizer.ts";
import { schedulesSchema } from "./schedules.ts";
import { augmentSchema, divergenceSchema, instanceNoiseSchema } from "./stability.ts";
import { latentSchema, updateSchema } from "./update.ts";

export type { CheckpointSpec, EmaSpec, RunConfig, SnapshotSpec } from "./types.ts";

const count = z.number().int().positive();

const snapshotSchema = named(
  z.strictObject({
    rows: count.max(64).describe("Samples from top to bottom."),
    columns: count.max(64).describe("Samples from left to right."),
    everyEpochs: optional(count, "A snapshot every N passes over the data.", {
      otherwise: "none by epochs",
    }),
    everySteps: optional(count, "A snapshot every N steps.", { otherwise: "none by steps" }),
  }),
  "SnapshotSpec",
  { meaning: "When and how images of samples are written during training." },
);

const checkpointSchema = named(
  z.strictObject({
    everySeconds: optional(z.number().positive(), "A checkpoint every N seconds.", {
      otherwise: "none by time",
    }),
    everySteps: optional(count, "A checkpoint every N steps.", { otherwise: "none by steps" }),
    keep: count.describe("How many of the latest are kept."),
  }),
  "CheckpointSpec",
  {
    meaning:
      "When checkpoints are written and how many are kept. One is always written at the end, " +
      "and one whenever an evaluation finds the best generator so far; the best is kept whatever " +
      "`keep` says.",
  },
);

const emaSchema = named(
  z.strictObject({
    halfLifeImages: z.number().positive().describe(
      "After this many training images a weight's share in the average has halved.",
    ),
    rampUp: optional(
      z.number().positive(),
      "Limits the half-life to this fraction of the images seen so far.",
      { otherwise: "no limit" },
    ),
  }),
  "EmaSpec",
  {
    meaning:
      "An exponential moving average of the generator's weights, used for samples and export " +
      "(Yazici et al. 2019).",
  },
);

/** Checks a {@linkcode RunConfig}; fields that it does not know are refused. */
export const runConfigSchema = named(
  z.strictObject({
    version: z.literal(1).describe("The version of this format."),
    preset: z.string().describe('The preset that the run started from, or "custom".'),
    seed: z.number().int().min(0).max(0xffff_ffff).describe(
      "Decides initial parameters, data order and every random number.",
    ),
    device: z.enum(["auto", "webgpu", "cpu"]).describe(
      "Where to compute: the best device that is there, WebGPU, or the CPU.",
    ),
    data: dataSchema.describe("What to train on."),
    duration: z.union([
      z.strictObject({ epochs: count.describe("Passes over the data.") }),
      z.strictObject({
        steps: count.describe("Training steps, each with the updates that `update` says."),
      }),
    ]).describe("How long: passes over the data, or training steps."),
    batchSize: count.describe("Real samples for each update of the discriminator."),
    latent: latentSchema.describe("What the generator takes."),
    conditional: optional(z.boolean(), "Whether the networks use the data's labels.", {
      default: DEFAULTS.conditional,
    }),
    generator: networkSchema.describe("The network that generates samples."),
    discriminator: networkSchema.describe(
      "The network that tells reals from fakes. Its `inputShape` is one sample's, also where `pack` " +
        "gives it several at once.",
    ),
    objective: objectiveSchema.describe("The losses."),
    update: updateSchema.describe("Which updates a step makes, and on what."),
    generatorOptimizer: optimizerSchema.describe("The generator's optimizer."),
    discriminatorOptimizer: optimizerSchema.describe("The discriminator's optimizer."),
    from: optional(
      z.string().min(1),
      "Weights to start with: a run (its folder, or its name or number in the folder of runs), or a " +
        "`.safetensors` file. Tensors of other names or shapes start anew; so do optimizers.",
      { otherwise: "new weights" },
    ),
    freezeDiscriminator: optional(
      z.number().int().min(0),
      "FreezeD (Mo et al. 2020): the weights of this many of the discriminator's layers, from the image " +
        "on, stay as they are.",
      { default: DEFAULTS.freezeDiscriminator },
    ),
    learningRateSchedule: optional(learningRateSchema, "How both learning rates change.", {
      otherwise: "they stay as they are",
    }),
    schedules: optional(
      schedulesSchema,
      "Values that change with the images seen: penalties, beta2, EMA, augmentation.",
      { otherwise: "they stay as they are" },
    ),
    augment: optional(
      augmentSchema,
      "Random transforms of real and generated samples alike, before the discriminator.",
    ),
    pack: optional(
      count.max(64),
      "Samples that the discriminator sees at once (PacGAN, Lin et al. 2018).",
      { default: DEFAULTS.pack },
    ),
    instanceNoise: optional(instanceNoiseSchema, "Noise on what the discriminator sees."),
    divergence: optional(divergenceSchema, "What happens when training diverges.", {
      otherwise: "a run stops at the first value that is not finite",
    }),
    ema: optional(
      emaSchema,
      "An exponential moving average (EMA) of the generator, for samples and export.",
    ),
    snapshots: snapshotSchema.describe("When images of samples are written."),
    checkpoints: checkpointSchema.describe("When checkpoints are written."),
    tensorboard: optional(
      z.boolean(),
      "Whether the run folder gets TensorBoard event files: scalars, images, text, hyper-parameters.",
      { default: DEFAULTS.tensorboard },
    ),
    distributed: optional(
      distributedSchema,
      "How several processes train together, where `mpirun` or `srun` starts them.",
      { otherwise: "gradients are averaged at each update" },
    ),
    evaluation: optional(evaluationSchema, "When samples are measured.", {
      otherwise: "not during training",
    }),
  }),
  "RunConfig",
  { meaning: "Everything that decides a run." },
);
