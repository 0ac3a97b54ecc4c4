/**
 * Which data a run trains on, as one serializable value.
 * `src/data/open.ts` turns it into a data source.
 */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";
import type { DataSourceName, DataSpec, ImageSize } from "./types.ts";

export type { DataSourceName, DataSpec, ImageSize, MixtureComponent } from "./types.ts";

/** Height and width in pixels. */
export function imageSize(size: ImageSize): [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

/** A size in the shorter form: a square by its side. */
export function shortSize([height, width]: readonly [number, number]): ImageSize {
  return height === width ? height : [height, width];
}

/** The sources that generate their own points. */
export const TOY_SOURCES = ["mixture-1d", "normal-1d", "ring-2d", "grid-2d"] as const;

type Option = Exclude<keyof DataSpec, "source">;

/** Which options each source uses. */
const OPTIONS: Record<DataSourceName, readonly Option[]> = {
  "auto": [
    "path",
    "split",
    "subset",
    "size",
    "channels",
    "range",
    "label",
    "columns",
    "missing",
    "standardize",
    "count",
    "seed",
    "background",
    "broken",
  ],
  "mixture-1d": ["count", "seed", "components"],
  "normal-1d": ["count", "seed"],
  "ring-2d": ["count", "seed"],
  "grid-2d": ["count", "seed"],
  "digits": ["size", "channels", "count", "seed"],
  "stacked-mnist": ["path", "split", "size", "count", "seed"],
  "mnist": ["path", "split", "subset", "size", "channels", "count", "seed"],
  "cifar-10": ["path", "split", "size", "channels", "count", "seed"],
  "cifar-100": ["path", "split", "size", "channels", "label", "count", "seed"],
  "images": [
    "path",
    "split",
    "size",
    "channels",
    "range",
    "label",
    "count",
    "seed",
    "background",
    "broken",
  ],
  "npy": [
    "path",
    "split",
    "subset",
    "size",
    "channels",
    "range",
    "label",
    "standardize",
    "count",
    "seed",
  ],
  "csv": [
    "path",
    "split",
    "size",
    "channels",
    "label",
    "columns",
    "missing",
    "standardize",
    "count",
    "seed",
  ],
  "memory": [],
};

const SOURCE_MEANINGS: Record<DataSourceName, string> = {
  "auto": "the file or folder at `path`, whose kind is detected",
  "mixture-1d": "points of a mixture of Gaussians",
  "normal-1d": "points of N(0, 1)",
  "ring-2d": "points of 8 Gaussians on a circle",
  "grid-2d": "points of 25 Gaussians on a square grid",
  "digits": "labeled gray synthetic digits",
  "stacked-mnist": "three digits, from `path` or synthetic, as the channels of one image",
  "mnist": "IDX files (MNIST, Fashion-MNIST and the like), plain or .gz",
  "cifar-10": "CIFAR-10's binary version, a folder or an archive",
  "cifar-100": "CIFAR-100's binary version, a folder or an archive",
  "images": "a folder, .zip or .tar.gz of image files",
  "npy": "images or points in a NumPy array: a .npy or .npz file, or a folder of .npy files",
  "csv": "a table of points, one per line, or of images, one per line as MNIST's",
  "memory": "arrays that a program gives: `imageData()`, `tensorData()`",
};

const positive = z.number().int().positive();
const side = positive.max(4096);
const sourceName = named(
  z.enum(Object.keys(OPTIONS) as [DataSourceName, ...DataSourceName[]]),
  "DataSourceName",
  { meaning: "Where data come from.", words: SOURCE_MEANINGS },
);
const size = named(z.union([side, z.tuple([side, side])]), "ImageSize", {
  meaning: "The side of a square in pixels, or height and width.",
});
const component = named(
  z.strictObject({
    weight: z.number().positive().describe("Its share of the samples, relative to the others."),
    mean: z.number().describe("Its mean."),
    sigma: z.number().positive().describe("Its standard deviation."),
  }),
  "MixtureComponent",
  { meaning: "One Gaussian of a 1-D mixture." },
);

/** Checks a {@linkcode DataSpec}: options that the source cannot use are refused. */
export const dataSchema = named(
  z.strictObject({
    source: sourceName.describe("Where the data come from."),
    path: optional(z.string().min(1), "The file or folder, for the sources that read one."),
    split: optional(
      z.enum(["train", "test"]),
      "Which part of the data to read, where they come in parts: MNIST, CIFAR, folders called " +
        "train and test, arrays called x_train and x_test.",
      { otherwise: "the training split if it is there, else the test split" },
    ),
    subset: optional(
      z.string().min(1),
      "Which data set to read where there are several: the folder or prefix of MNIST's files " +
        "(emnist-letters), or the name of an array.",
    ),
    size: optional(
      size,
      "Pixels of an image: it is cropped to this aspect ratio around its center and resized.",
      { otherwise: "as the data are" },
    ),
    channels: optional(
      z.union([z.literal(1), z.literal(3), z.literal(4)]),
      "Channels of an image: 1 for gray, 3 for RGB, 4 for RGB and alpha.",
      { otherwise: "as the data are, without alpha" },
    ),
    range: optional(
      z.tuple([z.number(), z.number()]),
      "The values of images that are black and white, in the file's own units, such as [0, 4095] " +
        "for 12 bits in files of 16; values beyond are cut.",
      { otherwise: "all that the file's depth can hold" },
    ),
    broken: optional(
      z.enum(["refuse", "skip"]),
      "What to do about image files that cannot be read: refuse the data and name them, or leave " +
        "them out and name them.",
      { default: DEFAULTS.data.broken },
    ),
    label: optional(
      z.string().min(1),
      "Where classes are: a column of a table or of the metadata of images, the name of an array, " +
        '"coarse" or "fine" of CIFAR-100.',
      { otherwise: "the column or array called label, the sub-folders of images" },
    ),
    columns: optional(
      z.array(z.string().min(1)).min(1),
      "The columns of a table that are the coordinates of points, in this order.",
      { otherwise: "all but the classes" },
    ),
    missing: optional(
      z.enum(["refuse", "drop"]),
      "What to do about rows of a table in which values are missing.",
      { default: DEFAULTS.data.missing },
    ),
    standardize: optional(
      z.union([z.boolean(), z.literal("auto")]),
      "Whether columns of points are brought to mean 0 and standard deviation 1 for training, or " +
        "only where one is far from that. Samples, files and plots have the units of the data.",
      { default: DEFAULTS.data.standardize },
    ),
    count: optional(
      positive.max(100_000_000),
      "How many samples to generate, or to pick at random from what is there.",
      {
        otherwise: `all; ${DEFAULTS.data.pointCount} points, ${DEFAULTS.data.digitCount} digits, ` +
          `${DEFAULTS.data.stackedCount} stacked images`,
      },
    ),
    seed: optional(
      z.number().int().min(0).max(0xffff_ffff),
      "The seed of generated data and of the random pick.",
      { default: DEFAULTS.data.seed },
    ),
    components: optional(z.array(component).min(1), "The Gaussians of `mixture-1d`.", {
      default: DEFAULTS.data.components,
    }),
    background: optional(
      z.number().int().min(0).max(255),
      "The gray level behind transparent pixels where alpha is not kept, from 0 to 255.",
      { default: DEFAULTS.data.background },
    ),
  }).superRefine((spec, context) => {
    const known: readonly string[] = OPTIONS[spec.source];
    const isSynthetic = spec.source === "digits" ||
      (spec.source === "stacked-mnist" && !spec.path);
    if (
      isSynthetic && spec.size !== undefined && typeof shortSize(imageSize(spec.size)) !== "number"
    ) {
      context.addIssue({
        code: "custom",
        path: ["size"],
        message: `synthetic digits are square, and this is ${spec.size}; give one number`,
      });
    }
    if (spec.range !== undefined && !(spec.range[0] < spec.range[1])) {
      context.addIssue({
        code: "custom",
        path: ["range"],
        message: `expected a low and a high value, as in [0, 4095], found [${
          spec.range.join(", ")
        }]`,
      });
    }
    for (const [key, value] of Object.entries(spec)) {
      if (key === "source" || value === undefined || known.includes(key)) continue;
      context.addIssue({
        code: "custom",
        path: [key],
        message: `the source "${spec.source}" has no use for "${key}"; it takes ${
          known.join(", ") || "no options"
        }`,
      });
    }
  }),
  "DataSpec",
  { meaning: "What to train on. An option that the source cannot use is refused, not ignored." },
);

/**
 * The spec that reads `path` instead of what `spec` names: what a user means by naming a file for a
 * preset. The preset's image size and channels stay, because its networks need them, and stacked
 * digits stay stacked.
 */
export function withDataPath(spec: DataSpec, path: string): DataSpec {
  if (spec.source === "stacked-mnist") return { ...spec, path };
  const { source: _source, path: _path, count: _count, components: _components, ...rest } = spec;
  const kept = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { source: "auto", path, ...Object.fromEntries(kept) };
}
