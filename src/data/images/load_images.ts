/** Decodes a store's pictures into one array of pixels, a few at a time. */
import { type ImageSize, imageSize } from "../../config/data.ts";
import { UserError } from "../../errors.ts";
import { MAX_DATA_BYTES } from "../byte_reader.ts";
import { randomSubset } from "../order.ts";
import type { PixelSet } from "../pixel_set.ts";
import { decodeImage } from "./decode.ts";
import { readImageLabels } from "./image_labels.ts";
import type { ImageStore, StoredFile } from "./image_store.ts";
import { compositeAlpha, cropAndResize, type Raster, toChannels } from "./raster.ts";
import { counted } from "../source.ts";

/** How pictures are brought to one shape. */
export interface LoadImagesOptions {
  /** Pixels to which the middle, cut to their aspect ratio, is resized; without it all must have one size. */
  size?: ImageSize;
  /** 1 for grey, 3 for RGB; without it RGB, or grey where all pictures are. */
  channels?: 1 | 3;
  /** The grey level behind transparent pixels, 0 to 255. */
  background: number;
  /** How many pictures to take, picked at random. */
  count?: number;
  /** Seed of the random pick. */
  seed: number;
  /** Called after each picture. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Stops the loading. */
  signal?: AbortSignal;
}

/** How many files are read and decoded at once: enough to hide the reading. */
const CONCURRENCY = 8;

/** After so many files that cannot be used, the others are not looked at. */
const MAX_FAILURES = 20;

/**
 * Loads pictures with their labels.
 * @throws {UserError} naming the files that cannot be used
 */
export async function loadImages(store: ImageStore, options: LoadImagesOptions): Promise<PixelSet> {
  const { labels, classNames } = await readImageLabels(store);
  const picked = pickImages(store, options);
  const files = Array.from(picked, (index) => store.images[index]);
  const rasters = await decodeAll(files, options);
  const channels = options.channels ?? (rasters.every(({ channels }) => channels === 1) ? 1 : 3);
  const { width, height } = rasters[0];
  checkMemory({ width, height, channels }, files.length);
  const size = width * height * channels;
  const pixels = new Uint8Array(files.length * size);
  for (const [i, raster] of rasters.entries()) {
    pixels.set(toChannels(raster, channels).data, i * size);
  }
  const name = store.origin.replace(/\.zip$/i, "").split(/[\\/]/).pop() || "images";
  const set: PixelSet = {
    name,
    origin: `${counted(files.length)}${
      files.length < store.images.length ? ` of the ${counted(store.images.length)}` : ""
    } pictures of ${store.origin}, decoded by Deno ${Deno.version.deno}`,
    shape: [height, width, channels],
    pixels,
  };
  if (labels) {
    set.labels = Int32Array.from(picked, (index) => labels[index]);
    set.classNames = classNames;
  }
  return set;
}

function pickImages(store: ImageStore, { count, seed }: LoadImagesOptions): Uint32Array {
  const total = store.images.length;
  if (count === undefined || count === total) {
    return Uint32Array.from({ length: total }, (_, index) => index);
  }
  if (count > total) {
    throw new UserError(
      `Cannot take ${count} pictures from ${store.origin}: it has ${total}; lower "count"`,
    );
  }
  return randomSubset(total, { wanted: count, seed });
}

/** The pictures without alpha, all of one size. */
async function decodeAll(
  files: readonly StoredFile[],
  options: LoadImagesOptions,
): Promise<Raster[]> {
  const { onProgress, signal } = options;
  const failures = new Map<number, UserError>();
  const rasters = new Array<Raster>(files.length);
  let reference: { raster: Raster; origin: string } | undefined;
  let next = 0;
  let done = 0;
  async function decodeNext(): Promise<void> {
    signal?.throwIfAborted();
    const index = next++;
    const { origin } = files[index];
    try {
      const raster = await loadPicture(files[index], options);
      reference ??= { raster, origin };
      checkSize(raster, origin, reference);
      checkMemory(raster, files.length);
      rasters[index] = raster;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.set(index, error);
    }
    onProgress?.({ done: ++done, total: files.length });
  }
  async function decodeOn(): Promise<void> {
    while (next < files.length && failures.size < MAX_FAILURES) await decodeNext();
  }
  await decodeNext(); // alone, so that the first picture sets the size
  await Promise.all(Array.from({ length: CONCURRENCY }, decodeOn));
  if (failures.size > 0) throw combine(failures, files);
  return rasters;
}

async function loadPicture(
  file: StoredFile,
  { size, channels, background }: LoadImagesOptions,
): Promise<Raster> {
  const decoded = await decodeImage(await file.read(), file.origin);
  const opaque = compositeAlpha(decoded, background);
  const raster = channels ? toChannels(opaque, channels) : opaque;
  if (size === undefined) return raster;
  const [height, width] = imageSize(size);
  return cropAndResize(raster, { height, width });
}

function checkSize(
  { width, height }: Raster,
  origin: string,
  reference: { raster: Raster; origin: string },
): void {
  const expected = reference.raster;
  if (width === expected.width && height === expected.height) return;
  throw new UserError(
    `Cannot use ${origin}: it has ${width} x ${height} pixels, and ${reference.origin} has ` +
      `${expected.width} x ${expected.height}; give "size" to cut and resize all to one`,
  );
}

function checkMemory(
  { width, height, channels }: Pick<Raster, "width" | "height" | "channels">,
  count: number,
): void {
  const bytes = width * height * channels * count;
  if (bytes <= MAX_DATA_BYTES) return;
  throw new UserError(
    `Cannot hold ${count} pictures of ${width} x ${height} pixels: they take ${bytes} bytes, and ` +
      `the limit is ${MAX_DATA_BYTES}; give a smaller "size" or "count"`,
  );
}

/** One error for all files: the first fault in full, the next files by name. */
function combine(failures: Map<number, UserError>, files: readonly StoredFile[]): UserError {
  const indices = [...failures.keys()].sort((a, b) => a - b);
  const first = failures.get(indices[0])!;
  if (indices.length === 1) return first;
  const others = indices.slice(1, 6).map((index) => files[index].origin).join(", ");
  const more = indices.length > 6 ? ` and ${indices.length - 6} more` : "";
  return new UserError(`${first.message} (also: ${others}${more})`);
}
