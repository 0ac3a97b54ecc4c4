/** From a store's images to rows of pixels of one shape: which are taken, and what to say about them. */
import { type ImageSize, imageSize } from "../../config/data.ts";
import { UserError } from "../../errors.ts";
import { randomSubset } from "../order.ts";
import { counted } from "../source.ts";
import type { DataProgress } from "../progress.ts";
import type { SampleSink, SetParts } from "../sample_sink.ts";
import { checkImages, type KnownHeader } from "./check_images.ts";
import type { DecodedImage } from "./decode.ts";
import { decodeInOrder } from "./decode_in_order.ts";
import {
  combineFaults,
  findOtherSizes,
  isSameSize,
  otherSize,
  skippedNote,
} from "./image_faults.ts";
import { type ImageLabels, readImageLabels } from "./image_labels.ts";
import { depthNotes, sizeNotes } from "./image_notes.ts";
import type { ImageStore, StoredFile } from "./image_store.ts";
import type { ImageChannels } from "./raster.ts";
import { type PixelSize, RESIZER } from "./resize.ts";
import { loadSharp } from "./sharp.ts";

/** How images are brought to one shape. */
export interface LoadImagesOptions {
  /** Pixels to which the middle, cut to their aspect ratio, is resized; without it all must have one size. */
  size?: ImageSize;
  /** 1 gray, 3 RGB, 4 RGB and alpha; without it RGB, or gray where all images are. */
  channels?: ImageChannels;
  /** The gray level behind transparent pixels, 0 to 255, where alpha is not kept. */
  background: number;
  /** The values that become black and white. Default: all that a file's depth can hold. */
  range?: readonly [number, number];
  /** What to do about files that cannot be read. Default: refuse all. */
  broken?: "refuse" | "skip";
  /** The column of the images' metadata that holds classes. */
  label?: string;
  /** How many images to take, picked at random. */
  count?: number;
  /** Seed of the random pick. */
  seed: number;
  /** Called after each file, first as all are looked at, then as all are decoded. */
  onProgress?: (progress: DataProgress) => void;
  /** Stops the loading. */
  signal?: AbortSignal;
}

/** The images that are taken from a store, and their labels. */
export interface PickedImages extends ImageLabels {
  files: StoredFile[];
  /** Images of the store before the pick. */
  total: number;
}

/**
 * Picks the images that a run takes.
 * @throws {UserError} when more are wanted than are there, or labels do not match
 */
export async function pickImages(
  store: ImageStore,
  { count, seed, label }: Pick<LoadImagesOptions, "count" | "seed" | "label">,
): Promise<PickedImages> {
  const { labels, classNames } = await readImageLabels(store, { label });
  const total = store.images.length;
  if (count !== undefined && count > total) {
    throw new UserError(
      `Cannot take ${count} images from ${store.origin}: it has ${total}; lower "count"`,
    );
  }
  const picked = count === undefined || count === total
    ? Uint32Array.from({ length: total }, (_, index) => index)
    : randomSubset(total, { wanted: count, seed });
  const files = Array.from(picked, (index) => store.images[index]);
  if (!labels) return { files, total };
  return { files, total, labels: Int32Array.from(picked, (index) => labels[index]), classNames };
}

/**
 * Decodes picked images into a sink.
 * @throws {UserError} naming the files that cannot be used
 */
export async function loadImages(
  origin: string,
  picked: PickedImages,
  options: LoadImagesOptions,
  sink: SampleSink,
): Promise<SetParts> {
  const { files, total, labels, classNames } = picked;
  const { broken = "refuse", onProgress, signal } = options;
  const { decoder, fallback } = await loadSharp();
  const { headers, failures } = await checkImages(files, {
    signal,
    onProgress: (progress) => onProgress?.({ stage: "checking", ...progress }),
  });
  const size = options.size === undefined ? undefined : pixelSize(options.size);
  const otherSizes = size === undefined ? findOtherSizes(files, headers) : new Map();
  if (broken === "refuse" || otherSizes.size > 0) {
    const faults = new Map([...otherSizes, ...(broken === "refuse" ? failures : [])]);
    if (faults.size > 0) throw combineFaults(faults, files);
  }
  const readable = headers.filter((header) => header !== undefined);
  if (readable.length === 0) throw combineFaults(failures, files);
  const channels = options.channels ??
    (readable.every((header) => header.channels <= 2) ? 1 : 3);

  const kept: number[] = [];
  const facts = { deepCount: 0, deepPeak: 0, hasRange: options.range !== undefined };
  let first: DecodedImage | undefined;
  function take(index: number, image: DecodedImage | UserError): void {
    if (!(image instanceof UserError) && first && !isSameSize(image, first)) {
      const names = { origin: files[index].origin, reference: files[kept[0]] };
      throw otherSize(image, first, names); // turned by its EXIF orientation, and the first was not
    }
    if (image instanceof UserError) {
      failures.set(index, image);
      return;
    }
    if (!first) sink.begin([image.height, image.width, channels], files.length);
    first ??= image;
    if (image.peak !== undefined) {
      facts.deepCount++;
      facts.deepPeak = Math.max(facts.deepPeak, image.peak);
    }
    kept.push(index);
    sink.write(image.data);
  }
  await decodeInOrder(files, headers, { ...options, size, channels, take });
  if (failures.size > 0 && (broken === "refuse" || !first)) throw combineFaults(failures, files);

  const notes = [
    ...(fallback ? [fallback] : []),
    ...(failures.size > 0 ? [skippedNote(failures, files)] : []),
    ...(size ? sizeNotes(readable, size) : []),
    ...depthNotes(facts),
    ...alphaNotes(readable, options),
  ];
  const { width, height } = first!;
  const of = kept.length < total ? ` of the ${counted(total)}` : "";
  const set: SetParts = {
    name: origin.replace(/\.(zip|tar|tgz|tar\.gz)$/i, "").split(/[\\/]/).pop() || "images",
    origin: `${counted(kept.length)}${of} images of ${origin}`,
    shape: [height, width, channels],
    decoding: `${decoder}; ${RESIZER}`,
    notes,
  };
  if (!labels) return set;
  return { ...set, labels: Int32Array.from(kept, (index) => labels[index]), classNames };
}

function pixelSize(size: ImageSize): PixelSize {
  const [height, width] = imageSize(size);
  return { height, width };
}

function alphaNotes(
  headers: readonly KnownHeader[],
  { channels, background }: LoadImagesOptions,
): string[] {
  if (channels === 4) return [];
  const count =
    headers.filter(({ format, channels }) => channels === 2 || channels === 4 && format !== "jpeg")
      .length;
  if (count === 0) return [];
  return [
    `${counted(count)} of ${
      counted(headers.length)
    } images have an alpha channel: they are laid on ` +
    `gray ${background} (data.background); --set data.channels=4 keeps it`,
  ];
}
