/** What a preset of several networks trains on, as one serializable value. `src/data` opens it. */
import { z } from "zod";
import { dataSchema } from "./data.ts";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { ModelDataSpec } from "./types.ts";

const data = dataSchema.shape;
const side = z.number().int().positive().max(4096);

/** What all sources have. */
const common = {
  path: optional(z.string().min(1), "The file or folder.", {
    otherwise: "what the project makes itself",
  }),
  count: optional(z.number().int().positive(), "How many samples to make, or to pick at random.", {
    otherwise: "all, or as many as the preset makes",
  }),
  seed: optional(data.seed.unwrap(), "Decides the pick, the part held back and made data.", {
    default: DEFAULTS.data.seed,
  }),
  heldBack: optional(
    z.number().min(0).lt(1),
    "The share of samples that are not trained on, to measure with; a folder called test comes first.",
    { default: DEFAULTS.modelData.heldBack },
  ),
};

const images = {
  size: data.size,
  loadSize: optional(
    side,
    "The side to which images are resized before a random part of `size` is cropped, the same one of " +
      "a pair.",
    { otherwise: "no random crops" },
  ),
  flip: optional(
    z.boolean(),
    "Whether half of the samples are mirrored left to right, both sides of a pair alike.",
    { default: DEFAULTS.modelData.flip },
  ),
};

const channels = optional(
  z.union([z.literal(1), z.literal(3)]),
  "Channels: 1 for gray, 3 for RGB.",
  { otherwise: "as the images are" },
);

const direction = optional(z.enum(["AtoB", "BtoA"]), "Which side is the input.", {
  default: DEFAULTS.modelData.direction,
});

/** Checks a {@linkcode ModelDataSpec}. */
export const modelDataSchema = named(
  z.discriminatedUnion("source", [
    z.strictObject({
      source: z.literal("image-pairs").describe(
        "Pairs of images. By default synthetic digits and their edges.",
      ),
      pairs: optional(
        z.enum(["side-by-side", "folders", "gray", "edges"]),
        "Where pairs come from: each image holds both sides, A on its left half; two folders A and B " +
          "(or trainA, trainB) have files of the same names; or A is made of each image, its gray " +
          "version or its edges.",
        { otherwise: "folders where there are A and B, else side-by-side; edges without a path" },
      ),
      direction,
      ...common,
      ...images,
    }),
    z.strictObject({
      source: z.literal("image-sets").describe(
        "Two sets of images, in folders A and B (or trainA, trainB). By default synthetic digits, and " +
          "others that are thicker and in color.",
      ),
      direction,
      channels,
      ...common,
      ...images,
    }),
    z.strictObject({
      source: z.literal("images").describe("Images to enlarge to. By default synthetic digits."),
      channels,
      ...common,
      ...images,
    }),
    z.strictObject({
      source: z.literal("table").describe(
        "A table: a .csv, .tsv or .txt file. By default a synthetic one with a known joint distribution.",
      ),
      columns: optional(
        z.array(z.string().min(1)).min(1),
        "The columns to use, each as it looks or as `age=integer` says: number, integer, category, " +
          "boolean, date or skip; `*` stands for all that are not named.",
        { otherwise: "all" },
      ),
      ...common,
    }),
    z.strictObject({
      source: z.literal("captions").describe(
        "Images with captions.csv or metadata.jsonl. By default synthetic digits with captions.",
      ),
      size: data.size,
      channels,
      column: optional(z.string().min(1), "The column of texts.", {
        otherwise: "the one called text, caption, captions, prompt or description",
      }),
      maxWords: optional(
        z.number().int().positive().max(20_000),
        "Words of the vocabulary at most: the most frequent ones.",
        { default: DEFAULTS.modelData.maxWords },
      ),
      ...common,
    }),
  ]),
  "ModelDataSpec",
  { meaning: "What a preset of several networks trains on." },
);
