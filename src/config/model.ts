/**
 * A run of any number of networks, as data: what a step computes from its inputs, and which optimizer
 * changes which networks by which losses. The presets pix2pix, cyclegan, super-resolution, tabular and
 * captions are written in it; `src/training/model` computes it.
 */
import { z } from "zod";
import { networkSchema } from "./network.ts";
import { objectiveSchema } from "./objective.ts";
import { named, optional } from "./option.ts";
import { optimizerSchema } from "./optimizer.ts";
import { latentSchema } from "./update.ts";

export type {
  ConditionedChoice,
  ModelSpec,
  ModelUpdateSpec,
  TermSpec,
  ValueSpec,
} from "./types.ts";

const count = z.number().int().positive();
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/);
const names = z.union([name, z.array(name).min(1)]);
const weight = optional(z.number().positive(), "What the loss is multiplied by.", { default: 1 });
const fromStep = optional(
  z.number().int().min(0),
  "The first step (from 0) that has the term; an update without terms is left out.",
  { default: 0 },
);
const termName = name.describe("Its name in the metrics.");
const term = { name: termName, weight, fromStep };

const valueSchema = named(
  z.discriminatedUnion("op", [
    z.strictObject({
      op: z.literal("network").describe("A network's output."),
      network: name.describe("Which network."),
      input: names.describe(
        "Its input. Several values are joined on the last axis; a vector beside images is repeated at " +
          "each pixel.",
      ),
    }),
    z.strictObject({
      op: z.literal("join").describe("Values joined on the last axis, as for a network."),
      of: z.array(name).min(2).describe("The values."),
    }),
    z.strictObject({
      op: z.literal("pack").describe(
        "`[n, w] -> [n / count, count w]`: rows that are seen at once (PacGAN, Lin et al. 2018).",
      ),
      of: name.describe("The rows."),
      count: count.max(64).describe("How many are seen at once."),
    }),
    z.strictObject({
      op: z.literal("shrink").describe("Means of blocks of pixels: a box filter."),
      of: name.describe("The images."),
      factor: count.min(2).max(16).describe("Pixels of a block's side."),
    }),
    z.strictObject({
      op: z.literal("mismatch").describe(
        "The value of the next sample of the batch: a caption that does not belong to the image.",
      ),
      of: name.describe("The values."),
    }),
    z.strictObject({
      op: z.literal("history").describe(
        "Each sample, or half of the time an older one (Shrivastava et al. 2017).",
      ),
      of: name.describe("The samples of an earlier update."),
      size: count.max(1000).describe("How many are kept."),
    }),
  ]),
  "ValueSpec",
  { meaning: "A named value of a step. Names of inputs and of other values stand for those." },
);

const choiceSchema = named(
  z.strictObject({
    rowOffset: z.number().int().min(0).describe("Where the choice starts in a generated row."),
    conditionOffset: z.number().int().min(0).describe("Where its categories start in a condition."),
    size: count.describe("How many categories there are."),
  }),
  "ConditionedChoice",
  { meaning: "Where a column's choice stands in a generated row and in a condition." },
);

const objective = objectiveSchema.shape.name;
const realLabel = objectiveSchema.shape.realLabel;

const termSchema = named(
  z.discriminatedUnion("loss", [
    z.strictObject({
      ...term,
      loss: z.literal("discriminator").describe("The discriminator's side of an objective."),
      objective,
      real: name.describe("Logits of reals."),
      fake: names.describe("Logits of fakes; of several, the mean of the losses."),
      realLabel,
    }),
    z.strictObject({
      ...term,
      loss: z.literal("generator").describe("The generator's side of an objective."),
      objective,
      fake: name.describe("Logits of fakes."),
      real: optional(name, "Logits of reals, where the objective compares them."),
    }),
    z.strictObject({
      ...term,
      loss: z.enum(["l1", "l2"]).describe("The mean absolute or squared difference."),
      of: name.describe("A value."),
      to: name.describe("The value that it should be."),
    }),
    z.strictObject({
      ...term,
      loss: z.literal("gradient-penalty").describe(
        "`(|grad| - target)^2` of a network at points between two of its inputs (Gulrajani et al. 2017).",
      ),
      network: name.describe("The network."),
      real: name.describe("Its input made of reals."),
      fake: name.describe("Its input made of fakes."),
      target: optional(z.number().min(0), "The gradient norm to hold.", { default: 1 }),
    }),
    z.strictObject({
      ...term,
      loss: z.literal("condition").describe(
        "The cross entropy of the choices in generated rows to the categories that the conditions name " +
          "(Xu et al. 2019).",
      ),
      logits: name.describe("Generated rows before their activation."),
      condition: name.describe("The conditions."),
      choices: z.array(choiceSchema).describe("The columns that conditions may name."),
    }),
  ]),
  "TermSpec",
  { meaning: "A loss of an update." },
);

const modelUpdateSchema = named(
  z.strictObject({
    name: name.describe("Names the optimizer's state, and the loss in the metrics."),
    networks: z.array(name).min(1).describe("The networks that change."),
    optimizer: optimizerSchema.describe("How they follow the gradient."),
    terms: z.array(termSchema).min(1).describe("The sum of these is minimized."),
  }),
  "ModelUpdateSpec",
  { meaning: "One update of a step: which networks change, by which losses." },
);

/** Checks a {@linkcode ModelSpec}. */
export const modelSchema = named(
  z.strictObject({
    networks: z.record(name, networkSchema).describe("The networks by name."),
    latent: optional(latentSchema, "What the input `latent` is drawn from."),
    values: z.record(name, valueSchema).describe("What a step computes, by name."),
    updates: z.array(modelUpdateSchema).min(1).describe("The updates of a step, in order."),
    output: name.describe("The value that samples and exports are made of."),
  }),
  "ModelSpec",
  { meaning: "Networks, what a step computes with them, and its updates." },
);
