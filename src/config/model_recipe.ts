/**
 * What the networks of a model of several networks are made by: a preset and its options. A run's config
 * has the networks themselves too, so the recipe says where they came from, how data are drawn in images,
 * and what is measured.
 */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { ModelRecipe } from "./types.ts";

const count = z.number().int().positive();
const weight = z.number().positive();
const { pix2pix, cyclegan, superResolution, tabular, captions } = DEFAULTS.recipes;

const filters = (value: number) =>
  optional(count.max(1024), "Filters of the first layers; deeper ones have multiples of them.", {
    default: value,
  });

/** Checks a {@linkcode ModelRecipe}. */
export const recipeSchema = named(
  z.discriminatedUnion("preset", [
    z.strictObject({
      preset: z.literal("pix2pix").describe(
        "From an image to the image that belongs to it (Isola et al. 2017).",
      ),
      filters: filters(pix2pix.filters),
      norm: optional(
        z.enum(["batch", "instance"]),
        "How activations are normalized: over the batch, or in each image.",
        { default: pix2pix.norm },
      ),
      l1Weight: optional(weight, "The weight of L1.", { default: pix2pix.l1Weight }),
      objective: optional(
        z.enum(["non-saturating", "least-squares"]),
        "The adversarial loss: binary cross entropy, or least squares.",
        { default: pix2pix.objective },
      ),
    }),
    z.strictObject({
      preset: z.literal("cyclegan").describe(
        "Between two sets of images of which no two belong together (Zhu et al. 2017).",
      ),
      filters: filters(cyclegan.filters),
      blocks: optional(count.max(64), "Residual blocks.", { default: cyclegan.blocks }),
      cycleWeight: optional(weight, "The weight of the cycles.", { default: cyclegan.cycleWeight }),
      identityWeight: optional(z.number().min(0), "The weight of the identity, in cycle weights.", {
        default: cyclegan.identityWeight,
      }),
      historySize: optional(count.max(1000), "Images that the discriminators are shown again.", {
        default: cyclegan.historySize,
      }),
    }),
    z.strictObject({
      preset: z.literal("super-resolution").describe(
        "From a small image to a large one (Ledig et al. 2017, Wang et al. 2018).",
      ),
      factor: optional(
        z.number().int().min(2).max(8),
        "How many times larger each side becomes.",
        { default: superResolution.factor },
      ),
      filters: filters(superResolution.filters),
      blocks: optional(count.max(64), "Residual blocks.", { default: superResolution.blocks }),
      adversarialWeight: optional(weight, "The weight of the adversarial loss.", {
        default: superResolution.adversarialWeight,
      }),
      adversarialFromStep: optional(
        z.number().int().min(0),
        "The first step with the adversarial loss.",
        { default: superResolution.adversarialFromStep },
      ),
      learningRate: optional(z.number().positive(), "The learning rate of both networks.", {
        default: superResolution.learningRate,
      }),
    }),
    z.strictObject({
      preset: z.literal("tabular").describe("Rows like those of a table (Xu et al. 2019, CTGAN)."),
      latentDimension: optional(count.max(4096), "Values of the latent.", {
        default: tabular.latentDimension,
      }),
      units: optional(
        z.array(count.max(8192)).min(1),
        "Units of each hidden layer of the generator and of the discriminator.",
        { default: tabular.units },
      ),
      pack: optional(
        count.max(64),
        "Rows that the discriminator sees at once; it divides the batch.",
        {
          default: tabular.pack,
        },
      ),
      penaltyWeight: optional(z.number().positive(), "The weight of the gradient penalty.", {
        default: tabular.penaltyWeight,
      }),
    }),
    z.strictObject({
      preset: z.literal("captions").describe(
        "Images from captions (Reed et al. 2016, GAN-INT-CLS).",
      ),
      filters: filters(captions.filters),
      latentDimension: optional(count.max(4096), "Values of the latent.", {
        default: captions.latentDimension,
      }),
      embedding: optional(count.max(4096), "Values that a caption is embedded in.", {
        default: captions.embedding,
      }),
      learningRate: optional(z.number().positive(), "The learning rate of all networks.", {
        default: captions.learningRate,
      }),
    }),
  ]),
  "ModelRecipe",
  { meaning: "The preset that a model's networks were made by, and its options." },
);
