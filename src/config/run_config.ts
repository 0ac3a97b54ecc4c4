/**
 * A run as one value: everything that decides what is trained and how. It is what a preset is, what
 * `config.json` in a run folder holds, and what `deno task train CONFIG.json` reads.
 */
import { z } from "zod";
import { dataSchema, type DataSpec } from "./data.ts";
import { evaluationSchema, type EvaluationSpec } from "./evaluation.ts";
import { learningRateSchema, type LearningRateSpec } from "./learning_rate.ts";
import { networkSchema, type NetworkSpec } from "./network.ts";
import { objectiveSchema, type ObjectiveSpec } from "./objective.ts";
import { optimizerSchema, type OptimizerSpec } from "./optimizer.ts";
import {
  augmentSchema,
  type AugmentSpec,
  divergenceSchema,
  type DivergenceSpec,
  instanceNoiseSchema,
  type InstanceNoiseSpec,
} from "./stability.ts";
import { latentSchema, type LatentSpec, updateSchema, type UpdateSpec } from "./update.ts";

/** When and how progress pictures are made. */
export interface SnapshotSpec {
  /** Samples from top to bottom. */
  rows: number;
  /** Samples from left to right. */
  columns: number;
  /** A snapshot at the end of each so many passes over the data. */
  everyEpochs?: number;
  /** A snapshot each so many steps. */
  everySteps?: number;
}

/**
 * When checkpoints are written and how many stay. One is always written at the end, and one whenever an
 * evaluation finds the best generator so far; that of the best stays, whatever `keep` says.
 */
export interface CheckpointSpec {
  /** A checkpoint each so many seconds. */
  everySeconds?: number;
  /** A checkpoint each so many steps. */
  everySteps?: number;
  /** How many of the latest are kept. */
  keep: number;
}

/** An average of the generator's weights over time, used for samples and export (Yazici et al. 2019). */
export interface EmaSpec {
  /** After so many training images a weight's share in the average has halved. */
  halfLifeImages: number;
  /** Shortens the half-life at the start to this fraction of the images seen so far. */
  rampUp?: number;
}

/** Everything that decides a run. */
export interface RunConfig {
  /** The version of this format. */
  version: 1;
  /** The preset that the run started from, or "custom". */
  preset: string;
  /** Decides initial parameters, data order and every random number. */
  seed: number;
  /** Where to compute: the best that is there, WebGPU, or the processor. */
  device: "auto" | "webgpu" | "cpu";
  /** What to train on. */
  data: DataSpec;
  /** How long: passes over the data, or generator updates. */
  duration: { epochs: number } | { steps: number };
  /** Real samples for each update of the discriminator. */
  batchSize: number;
  /** What the generator gets. */
  latent: LatentSpec;
  /** Whether the networks use the data's labels. Default false: labels are left alone. */
  conditional?: boolean;
  /** The network that makes samples. */
  generator: NetworkSpec;
  /** Its `inputShape` is one sample's, also where `pack` shows it several at once. */
  discriminator: NetworkSpec;
  /** What both minimise. */
  objective: ObjectiveSpec;
  /** Who is updated when, and on what. */
  update: UpdateSpec;
  /** How the generator follows its gradient. */
  generatorOptimizer: OptimizerSpec;
  /** How the discriminator follows its gradient. */
  discriminatorOptimizer: OptimizerSpec;
  /** Default: learning rates stay as they are. */
  learningRateSchedule?: LearningRateSpec;
  /** What is done to real and generated samples alike before they are judged. */
  augment?: AugmentSpec;
  /** Samples that the discriminator judges at once (PacGAN, Lin et al. 2018). Default 1. */
  pack?: number;
  /** Noise on what the discriminator sees. */
  instanceNoise?: InstanceNoiseSpec;
  /** An average of the generator, for samples and export. */
  ema?: EmaSpec;
  /** Default: a run stops at the first number that is not finite. */
  divergence?: DivergenceSpec;
  /** When pictures are made. */
  snapshots: SnapshotSpec;
  /** When checkpoints are written. */
  checkpoints: CheckpointSpec;
  /** When samples are measured. Default: not during training. */
  evaluation?: EvaluationSpec;
}

const count = z.number().int().positive();

/** Checks a {@linkcode RunConfig}; fields that it does not know are refused. */
export const runConfigSchema: z.ZodType<RunConfig> = z.strictObject({
  version: z.literal(1),
  preset: z.string(),
  seed: z.number().int().min(0).max(0xffff_ffff),
  device: z.enum(["auto", "webgpu", "cpu"]),
  data: dataSchema,
  duration: z.union([z.strictObject({ epochs: count }), z.strictObject({ steps: count })]),
  batchSize: count,
  latent: latentSchema,
  conditional: z.boolean().optional(),
  generator: networkSchema,
  discriminator: networkSchema,
  objective: objectiveSchema,
  update: updateSchema,
  generatorOptimizer: optimizerSchema,
  discriminatorOptimizer: optimizerSchema,
  learningRateSchedule: learningRateSchema.optional(),
  augment: augmentSchema.optional(),
  pack: count.max(64).optional(),
  instanceNoise: instanceNoiseSchema.optional(),
  divergence: divergenceSchema.optional(),
  ema: z.strictObject({
    halfLifeImages: z.number().positive(),
    rampUp: z.number().positive().optional(),
  })
    .optional(),
  snapshots: z.strictObject({
    rows: count.max(64),
    columns: count.max(64),
    everyEpochs: count.optional(),
    everySteps: count.optional(),
  }),
  checkpoints: z.strictObject({
    everySeconds: z.number().positive().optional(),
    everySteps: count.optional(),
    keep: count,
  }),
  evaluation: evaluationSchema.optional(),
});
