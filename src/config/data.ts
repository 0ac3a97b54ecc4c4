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
    "size",
    "channels",
    "count",
    "seed",
    "background",
    "range",
    "broken",
  ],
  "mixture-1d": ["count", "seed", "components"],
  "normal-1d": ["count", "seed"],
  "ring-2d": ["count", "seed"],
  "grid-2d": ["count", "seed"],
  "digits": ["size", "channels", "count", "seed"],
  "stacked-mnist": ["path", "split", "size", "count", "seed"],
  "mnist": ["path", "split", "size", "channels", "count", "seed"],
  "cifar-10": ["path", "split", "size", "channels", "count", "seed"],
  "images": ["path", "size", "channels", "count", "seed", "background", "range", "broken"],
  "npy": ["path", "size", "channels", "count", "seed"],
  "csv": ["path", "count", "seed"],
  "memory": [],
};

const SOURCE_MEANINGS: Record<DataSourceName, string> = {
  "auto": "the file or folder at `path`, whose kind is detected",
  "mixture-1d": "points of a mixture of Gaussians",
  "normal-1d": "points of N(0, 1)",
  "ring-2d": "points of 8 Gaussians on a circle",
  "grid-2d": "points of 25 Gaussians on a square grid",
  "digits": "labeled grey synthetic digits",
  "stacked-mnist": "three digits, from `path` or synthetic, as the channels of one image",
  "mnist": "IDX files (MNIST, Fashion-MNIST and the like), plain or .gz",
  "cifar-10": "CIFAR-10's binary version, a folder or the .tar.gz",
  "images": "a folder or a .zip of JPEG, PNG, WebP, GIF, AVIF and TIFF files",
  "npy": "one NumPy array of images or points",
  "csv": "points, one per line",
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
    split: optional(z.enum(["train", "test"]), "Which part of MNIST or CIFAR-10 to read.", {
      otherwise: "the training split if it is there, else the test split",
    }),
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
