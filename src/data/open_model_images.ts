/**
 * Opens the images that presets of several networks train on: pairs, two sets, or images to enlarge to.
 * What is held back is never mirrored or cropped at random.
 */
import { imageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { ModelDataSpec } from "../config/types.ts";
import { UserError } from "../errors.ts";
import { digitPairs } from "./digits/digit_models.ts";
import { edgesOf } from "./digits/digit_variants.ts";
import { drawDigits } from "./digits/draw_digits.ts";
import { holdBack, type OpenedImages } from "./image_models/held_back.ts";
import { pairFiles, type SidedFiles, splitSides } from "./image_models/sides.ts";
import {
  madeImages,
  middleOf,
  partOf,
  viewCount,
  viewedImages,
  type ViewOptions,
} from "./image_models/views.ts";
import { decodedImages } from "./images/decoded_images.ts";
import { selectImages } from "./images/image_store.ts";
import { toChannels } from "./images/raster.ts";
import { type ModelData, modelData } from "./model_data.ts";
import { openDataSource, type OpenOptions } from "./open.ts";
import { randomSubset } from "./order.ts";
import { counted, type DataSource } from "./source.ts";
import type { StoredFile } from "./stores/file_store.ts";
import { openStore } from "./stores/open_store.ts";

type SpecOf<Source extends ModelDataSpec["source"]> = Extract<ModelDataSpec, { source: Source }>;

/** A spec of images, whatever they are for. */
export type ImageModelSpec = Extract<
  ModelDataSpec,
  { source: "image-pairs" | "image-sets" | "images" }
>;

/** Images that the project makes, where no path is given. */
const MADE = { count: 4000, size: 32 };

/**
 * Opens images for `pix2pixModel()`, `cycleGanModel()` or `superResolutionModel()`.
 *
 * @example
 * ```ts
 * import { openModelImages } from "@ganforge/ganforge";
 *
 * const data = await openModelImages({ source: "image-pairs", count: 40, size: 32 });
 * console.log(data.count, data.heldBack!.a.count); // 36 4
 * ```
 *
 * @throws {UserError} when nothing is there, a pair is incomplete, images are too few or a size does not fit
 */
export async function openModelImages(
  spec: ImageModelSpec,
  options: OpenOptions = {},
): Promise<ModelData> {
  const opened = await openSource(spec, options);
  const { name, pairing } = opened;
  const { train, test } = opened.test
    ? { train: opened.train, test: opened.test }
    : holdBack(opened, spec);
  const size = imageSize(spec.size ?? MADE.size) as [number, number];
  const flip = spec.flip ?? DEFAULTS.modelData.flip;
  const first = Object.values(train)[0];
  const views: ViewOptions = { size, flip };
  const count = viewCount(first.shape, views);
  const seen = (source: DataSource) => count > 1 ? viewedImages(source, views) : source;
  const largest = 2 ** 32 / count;
  if (first.count > largest) {
    throw new UserError(
      `Cannot crop ${counted(first.count)} images in ${counted(count)} ways each: use at most ${
        counted(Math.floor(largest))
      } images, or a smaller data.loadSize`,
    );
  }
  return modelData(mapped(train, seen), {
    pairing,
    name,
    views: count,
    ...(count > 1 ? { trained: mapped(train, (source) => middleOf(source, size)) } : {}),
    ...(test ? { heldBack: mapped(test, (source) => middleOf(source, size)) } : {}),
    // Both sets that the project makes show the same digits.
    ...(spec.path === undefined ? { isHeldBackPaired: true } : {}),
  });
}

async function openSource(spec: ImageModelSpec, options: OpenOptions): Promise<OpenedImages> {
  checkLoadSize(spec);
  if (spec.path === undefined) return madeDigits(spec);
  switch (spec.source) {
    case "image-pairs":
      return await openPairs(spec, options);
    case "image-sets":
      return await openSets(spec, options);
    case "images": {
      const high = await openDataSource(anyImages(spec, spec.channels), options);
      return { name: high.name, train: { high: images(high, spec.path) }, pairing: "together" };
    }
  }
}

/** Synthetic digits in the form that the source asks for. */
function madeDigits(spec: ImageModelSpec): OpenedImages {
  const { count = MADE.count, seed = DEFAULTS.data.seed } = spec;
  const size = loadedSize(spec);
  if (typeof size !== "number") {
    throw new UserError(
      `Cannot draw synthetic digits of ${
        size.join(" x ")
      } pixels: they are square; give data.size one number`,
    );
  }
  if (spec.source === "images") {
    const channels = spec.channels ?? 1;
    const high = drawDigits({ count, size, seed, channels });
    return { name: high.name, train: { high }, pairing: "together" };
  }
  const isPairs = spec.source === "image-pairs";
  if (isPairs && (spec.pairs ?? "edges") !== "edges") {
    throw new UserError(
      `Cannot make pairs "${spec.pairs}" without data: name a folder by --data PATH`,
    );
  }
  if (!isPairs && spec.channels === 1) {
    throw new UserError("Cannot make colored digits of one channel: leave data.channels away");
  }
  const { inputs, name } = digitPairs(isPairs ? "edges" : "colored", { count, size, seed });
  return {
    name,
    train: directed(inputs, spec.direction),
    pairing: isPairs ? "together" : "apart",
  };
}

async function openPairs(
  spec: SpecOf<"image-pairs">,
  options: OpenOptions,
): Promise<OpenedImages> {
  const path = spec.path!;
  if (spec.pairs === "gray" || spec.pairs === "edges") {
    return await openMadePairs(spec, options);
  }
  const files = await openImageStore(path);
  const sides = spec.pairs === "side-by-side" ? undefined : splitSides(files.files);
  if (sides) {
    const read = async (part: SidedFiles) => {
      const { A, B } = pairFiles(part, path);
      return {
        a: await readFiles(A, { spec, path, options }),
        b: await readFiles(B, { spec, path, options }),
      };
    };
    const chosen = { ...sides, train: pickPairs(sides.train, spec) };
    const train = directed(await read(chosen.train), spec.direction);
    const test = chosen.test && directed(await read(chosen.test), spec.direction);
    return { name: train.a.name, train, test, pairing: "together" };
  }
  if (spec.pairs === "folders") {
    throw new UserError(
      `Cannot find pairs in ${path}: expected folders A and B, or trainA and trainB, with files of the ` +
        "same names",
    );
  }
  const split = async (part: "train" | "test") => {
    const store = await selectImages(await openImageStore(path), { split: part });
    const wanted = part === "train" ? picked(store.images, spec) : store.images;
    const both = await readFiles(wanted, { spec, path, options, isWide: true });
    const [height, width, channels] = both.shape;
    const half = width / 2;
    const side = (letter: string, left: number) =>
      madeImages(both, {
        shape: [height, half, channels],
        name: both.name,
        description: `side ${letter} of ${both.description}`,
        by: `side ${letter}`,
        make: (pixels) =>
          partOf(pixels, { width, channels }, { top: 0, left, height, width: half }),
      });
    return directed({ a: side("A", 0), b: side("B", half) }, spec.direction);
  };
  const hasTest = await hasTestSplit(path);
  const train = await split("train");
  return {
    name: train.a.name,
    train,
    ...(hasTest ? { test: await split("test") } : {}),
    pairing: "together",
  };
}

/** Pairs of each image and its gray version or its edges. */
async function openMadePairs(
  spec: SpecOf<"image-pairs">,
  options: OpenOptions,
): Promise<OpenedImages> {
  const isGray = spec.pairs === "gray";
  const b = images(
    await openDataSource(anyImages(spec, isGray ? 3 : undefined), options),
    spec.path!,
  );
  const [height, width, channels] = b.shape as [number, number, 1 | 3];
  const gray = (data: Uint8Array) => toChannels({ width, height, channels, data }, 1).data;
  if (!isGray && height !== width) {
    throw new UserError(
      `Cannot make edges of ${width} x ${height} pixels: images have to be square`,
    );
  }
  const a = madeImages(b, {
    shape: [height, width, 1],
    name: b.name,
    description: `${isGray ? "gray version" : "edges"} of ${b.description}`,
    by: spec.pairs!,
    make: (pixels) => isGray ? gray(pixels) : edgesOf({ pixels: gray(pixels), size: width }),
  });
  return { name: b.name, train: directed({ a, b }, spec.direction), pairing: "together" };
}

async function openSets(spec: SpecOf<"image-sets">, options: OpenOptions): Promise<OpenedImages> {
  const path = spec.path!;
  const sides = splitSides((await openImageStore(path)).files);
  if (!sides) {
    throw new UserError(
      `Cannot find two sets of images in ${path}: expected folders A and B, or trainA and trainB`,
    );
  }
  const { channels = 3 } = spec;
  const read = async ({ A, B }: SidedFiles, pick: boolean) => ({
    a: await readFiles(pick ? picked(A, spec) : A, { spec, path, options, channels }),
    b: await readFiles(pick ? picked(B, spec) : B, { spec, path, options, channels }),
  });
  const train = directed(await read(sides.train, true), spec.direction);
  const test = sides.test && directed(await read(sides.test, false), spec.direction);
  return { name: train.a.name, train, test, pairing: "apart" };
}

/** Swaps both sides where B is the input. */
function directed(
  { a, b }: Readonly<Record<string, DataSource>>,
  direction: "AtoB" | "BtoA" | undefined,
): Record<string, DataSource> {
  return direction === "BtoA" ? { a: b, b: a } : { a, b };
}

async function openImageStore(path: string) {
  const store = await openStore(path);
  if (store) return store;
  throw new UserError(
    `Cannot read ${path} as images: expected a folder, .zip or .tar.gz of images`,
  );
}

async function hasTestSplit(path: string): Promise<boolean> {
  const store = await openImageStore(path);
  const all = await selectImages(store, { split: "train" });
  if (!all.notes.some((note) => note.startsWith("took the train split"))) return false;
  try {
    await selectImages(await openImageStore(path), { split: "test" });
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Decodes files, to the size that is loaded. */
async function readFiles(
  files: StoredFile[],
  { spec, path, options, isWide = false, channels }: {
    spec: ImageModelSpec;
    path: string;
    options: OpenOptions;
    isWide?: boolean;
    channels?: 1 | 3;
  },
): Promise<DataSource> {
  const [height, width] = imageSize(loadedSize(spec));
  const { onProgress, signal, ...storage } = options;
  const { seed = DEFAULTS.data.seed } = spec;
  const store = await selectImages({ ...await openImageStore(path), files });
  return await decodedImages(store, { files: store.images, total: store.images.length }, {
    origin: path,
    storage,
    options: {
      size: [height, isWide ? 2 * width : width],
      channels,
      background: DEFAULTS.data.background,
      seed,
      onProgress,
      signal,
    },
  });
}

function pickPairs({ A, B }: SidedFiles, spec: ImageModelSpec): SidedFiles {
  if (spec.count === undefined) return { A, B };
  const paired = pairFiles({ A, B }, spec.path!);
  const chosen = picked(paired.A, spec).map((file) => paired.A.indexOf(file));
  return { A: chosen.map((i) => paired.A[i]), B: chosen.map((i) => paired.B[i]) };
}

function picked(files: readonly StoredFile[], spec: ImageModelSpec): StoredFile[] {
  const { count, seed = DEFAULTS.data.seed } = spec;
  if (count === undefined) return [...files];
  if (count > files.length) {
    throw new UserError(
      `Cannot take ${count} images from ${spec.path}: it has ${files.length}; lower data.count`,
    );
  }
  return Array.from(randomSubset(files.length, { wanted: count, seed }), (i) => files[i]);
}

/** The spec of any data of images at a path. */
function anyImages(spec: ImageModelSpec, channels: 1 | 3 | undefined) {
  const { path, count, seed } = spec;
  return { source: "auto" as const, path, count, seed, channels, size: loadedSize(spec) };
}

function images(source: DataSource, path: string): DataSource {
  if (source.kind === "image" && source.shape[2] !== 4) return source;
  throw new UserError(`Cannot use ${path}: it holds points, and the preset takes images`);
}

function loadedSize(spec: ImageModelSpec) {
  return spec.loadSize ?? spec.size ?? MADE.size;
}

function checkLoadSize({ loadSize, size = MADE.size }: ImageModelSpec): void {
  if (loadSize === undefined) return;
  const [height, width] = imageSize(size);
  if (loadSize >= Math.max(height, width)) return;
  throw new UserError(
    `Cannot crop ${width} x ${height} pixels from images of data.loadSize=${loadSize}: it has to be at ` +
      `least ${Math.max(height, width)}`,
  );
}

function mapped(
  sources: Record<string, DataSource>,
  change: (source: DataSource) => DataSource,
): Record<string, DataSource> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, change(source)]),
  );
}
