/**
 * Which data a run trains on, as one serialisable value, with the defaults.
 * `src/data/open.ts` turns it into a data source.
 */
import { z } from "zod";

/**
 * Where data comes from.
 *
 * - `"auto"`: the file or folder at `path`, whose kind is recognised
 * - `"mixture-1d"`, `"normal-1d"`, `"ring-2d"`, `"grid-2d"`: points of a known density
 * - `"digits"`: labelled grey digits that the project draws
 * - `"stacked-mnist"`: three of the digits at `path`, or of drawn ones, as the channels of one picture
 * - `"mnist"`: IDX files (MNIST, Fashion-MNIST and the like), plain or .gz
 * - `"cifar-10"`: CIFAR-10's binary version, a folder or the .tar.gz
 * - `"images"`: a folder or a .zip of JPEG, PNG, WebP and GIF files
 * - `"npy"`: one NumPy array of images or points
 * - `"csv"`: points, one a line
 */
export type DataSourceName =
  | "auto"
  | "mixture-1d"
  | "normal-1d"
  | "ring-2d"
  | "grid-2d"
  | "digits"
  | "stacked-mnist"
  | "mnist"
  | "cifar-10"
  | "images"
  | "npy"
  | "csv";

/** One Gaussian of a 1-D mixture. Weights need not sum to 1. */
export interface MixtureComponent {
  /** Its share of the samples, relative to the other weights; above 0. */
  weight: number;
  /** Where it is centred. */
  mean: number;
  /** Its standard deviation; above 0. */
  sigma: number;
}

/** A side of a square in pixels, or height and width. */
export type PictureSize = number | [number, number];

/** Height and width in pixels. */
export function pictureSize(size: PictureSize): [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

/** A size in the shorter way: a square by its side. */
export function shortSize([height, width]: readonly [number, number]): PictureSize {
  return height === width ? height : [height, width];
}

/** What to train on. A field that the source has no use for is refused, not ignored. */
export interface DataSpec {
  /** Where the data come from. */
  source: DataSourceName;
  /** The file or folder, for the sources that read one. */
  path?: string;
  /** For MNIST and CIFAR-10. Default: the training split where it is there, else the test split. */
  split?: "train" | "test";
  /** Pixels of an image: its middle is cut to their aspect ratio and resized. */
  size?: PictureSize;
  /** 1 for grey, 3 for RGB. Default: as the data are. */
  channels?: 1 | 3;
  /** How many samples: to draw, or to pick at random from what is there. */
  count?: number;
  /** Seed of drawn data and of the random pick. Default 0. */
  seed?: number;
  /** The Gaussians of `mixture-1d`. */
  components?: MixtureComponent[];
  /** The grey level, 0 to 255, behind transparent pixels. Default 255, white. */
  background?: number;
}

/** What a {@linkcode DataSpec} means where it says nothing. */
export const DATA_DEFAULTS = {
  /** Points of a toy density. */
  pointCount: 100_000,
  /** Drawn digits. */
  digitCount: 10_000,
  /** Pictures of stacked digits. */
  stackedCount: 128_000,
  /** Pixels of a drawn digit's side. */
  digitSize: 28,
  seed: 0,
  background: 255,
  /** Two equal, well separated bumps: a generator that drops one is seen at a glance. */
  components: [
    { weight: 0.5, mean: -2, sigma: 0.5 },
    { weight: 0.5, mean: 2, sigma: 0.5 },
  ] as readonly MixtureComponent[],
} as const;

/** The sources that draw their own points. */
export const TOY_SOURCES = ["mixture-1d", "normal-1d", "ring-2d", "grid-2d"] as const;

type Option = Exclude<keyof DataSpec, "source">;

/** Which options each source uses. */
const OPTIONS: Record<DataSourceName, readonly Option[]> = {
  "auto": ["path", "split", "size", "channels", "count", "seed", "background"],
  "mixture-1d": ["count", "seed", "components"],
  "normal-1d": ["count", "seed"],
  "ring-2d": ["count", "seed"],
  "grid-2d": ["count", "seed"],
  "digits": ["size", "channels", "count", "seed"],
  "stacked-mnist": ["path", "split", "size", "count", "seed"],
  "mnist": ["path", "split", "size", "channels", "count", "seed"],
  "cifar-10": ["path", "split", "size", "channels", "count", "seed"],
  "images": ["path", "size", "channels", "count", "seed", "background"],
  "npy": ["path", "size", "channels", "count", "seed"],
  "csv": ["path", "count", "seed"],
};

const positive = z.number().int().positive();
const side = positive.max(4096);

/** Checks a {@linkcode DataSpec}: unknown options, and options that the source cannot use, are refused. */
export const dataSchema: z.ZodType<DataSpec> = z.strictObject({
  source: z.enum(Object.keys(OPTIONS) as [DataSourceName, ...DataSourceName[]]),
  path: z.string().min(1).optional(),
  split: z.enum(["train", "test"]).optional(),
  size: z.union([side, z.tuple([side, side])]).optional(),
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  count: positive.max(100_000_000).optional(),
  seed: z.number().int().min(0).max(0xffff_ffff).optional(),
  components: z.array(z.strictObject({
    weight: z.number().positive(),
    mean: z.number(),
    sigma: z.number().positive(),
  })).min(1).optional(),
  background: z.number().int().min(0).max(255).optional(),
}).superRefine((spec, context) => {
  const known: readonly string[] = OPTIONS[spec.source];
  const isDrawn = spec.source === "digits" || (spec.source === "stacked-mnist" && !spec.path);
  if (isDrawn && spec.size !== undefined && typeof shortSize(pictureSize(spec.size)) !== "number") {
    context.addIssue({
      code: "custom",
      path: ["size"],
      message: `digits are drawn in squares, and this is ${spec.size}; give one number`,
    });
  }
  for (const [key, value] of Object.entries(spec)) {
    if (key === "source" || value === undefined || known.includes(key)) continue;
    context.addIssue({
      code: "custom",
      path: [key],
      message: `the source "${spec.source}" has no use for "${key}"; it takes ${known.join(", ")}`,
    });
  }
});

/**
 * The spec that reads `path` instead of what `spec` names: what a user means by naming a file for a
 * preset. The preset's picture size and channels stay, because its networks need them, and stacked
 * digits stay stacked.
 */
export function withDataPath(spec: DataSpec, path: string): DataSpec {
  if (spec.source === "stacked-mnist") return { ...spec, path };
  const { size, channels, seed, split, background } = spec;
  const next: DataSpec = { source: "auto", path };
  if (size !== undefined) next.size = size;
  if (channels !== undefined) next.channels = channels;
  if (seed !== undefined) next.seed = seed;
  if (split !== undefined) next.split = split;
  if (background !== undefined) next.background = background;
  return next;
}
