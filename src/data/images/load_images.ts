/**
 * Decodes a store's images into rows of pixels, on all cores, in the sequence of their paths. What is
 * in memory at once is bounded in bytes, however many and large the files are.
 */
import { type ImageSize, imageSize } from "../../config/data.ts";
import { UserError } from "../../errors.ts";
import { randomSubset } from "../order.ts";
import { counted } from "../source.ts";
import type { SampleSink, SetParts } from "../sample_sink.ts";
import { checkImages, type KnownHeader } from "./check_images.ts";
import { type DecodedImage, decodeImage } from "./decode.ts";
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

/** How far the loading of images is. */
export interface DataProgress {
  /** What is being done. */
  stage: "checking" | "decoding";
  /** Images done. */
  done: number;
  /** Images to do. */
  total: number;
}

/** Bytes that the files and pixels of images in decoding may take together. */
const MAX_DECODING_BYTES = 128e6;

/** Images that may wait for one before them. */
const MAX_AHEAD = 64;

/** After so many files that cannot be decoded, the others are not tried. */
const MAX_FAILURES = 20;

/** The images that are taken from a store, and their labels. */
export interface PickedImages extends ImageLabels {
  files: StoredFile[];
  /** Images of the store before the pick. */
  /** Images to do. */
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
    if (faults.size > 0) throw combine(faults, files);
  }
  const readable = headers.filter((header) => header !== undefined);
  if (readable.length === 0) throw combine(failures, files);
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
  if (failures.size > 0 && (broken === "refuse" || !first)) throw combine(failures, files);

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

interface OrderedDecoding extends Omit<LoadImagesOptions, "size"> {
  size: PixelSize | undefined;
  channels: ImageChannels;
  /** Gets each image, or why it cannot be had, in the sequence of the files. */
  take(index: number, image: DecodedImage | UserError): void;
}

/** Decodes what has a header, side by side, and hands it on in order. */
async function decodeInOrder(
  files: readonly StoredFile[],
  headers: readonly (KnownHeader | undefined)[],
  { size, channels, background, range, broken, onProgress, signal, take }: OrderedDecoding,
): Promise<void> {
  const wanted = headers.flatMap((header, index) => header ? [{ index, header }] : []);
  const maxRunning = 2 * navigator.hardwareConcurrency;
  const waiting = new Map<number, DecodedImage | UserError>();
  const running = new Set<Promise<void>>();
  let bytes = 0;
  let handedOn = 0;
  let failed = 0;
  async function decode(place: number): Promise<void> {
    const file = files[wanted[place].index];
    try {
      const pixels = await decodeImage(await file.read(), file.origin, {
        size,
        channels,
        background,
        range,
      });
      waiting.set(place, pixels);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failed++;
      waiting.set(place, error);
    }
    for (let image = waiting.get(handedOn); image; image = waiting.get(handedOn)) {
      waiting.delete(handedOn);
      take(wanted[handedOn].index, image);
      handedOn++;
      onProgress?.({ stage: "decoding", done: handedOn, total: wanted.length });
    }
  }
  try {
    for (let place = 0; place < wanted.length; place++) {
      if (broken !== "skip" && failed >= MAX_FAILURES) break;
      const cost = decodingBytes(wanted[place].header, size);
      while (
        running.size >= maxRunning || place - handedOn >= MAX_AHEAD ||
        (running.size > 0 && bytes + cost > MAX_DECODING_BYTES)
      ) await Promise.race(running);
      signal?.throwIfAborted();
      bytes += cost;
      const task: Promise<void> = decode(place).finally(() => {
        running.delete(task);
        bytes -= cost;
      });
      running.add(task);
    }
    await Promise.all(running);
    signal?.throwIfAborted(); // also when it was aborted while the last ones were decoded
  } catch (error) {
    await Promise.allSettled(running); // nothing may write after the failure has been told
    throw error;
  }
}

/** About how much memory decoding takes: the file, and its pixels as far as they are not shrunk at once. */
function decodingBytes(header: KnownHeader, size: PixelSize | undefined): number {
  const { width, height, format, progressive, sizeBytes } = header;
  const pixels = width * height;
  if (progressive) return sizeBytes + 6 * pixels; // coefficients of 16 bits
  if (size === undefined || format !== "jpeg") return sizeBytes + 4 * pixels;
  const shrink = Math.min(8, width / size.width, height / size.height);
  return sizeBytes + 4 * pixels / Math.max(1, shrink) ** 2;
}

/** Without a size all images must have that of the first; those that are turned may have it turned. */
function findOtherSizes(
  files: readonly StoredFile[],
  headers: readonly (KnownHeader | undefined)[],
): Map<number, UserError> {
  const faults = new Map<number, UserError>();
  const reference = headers.findIndex((header) => header !== undefined);
  if (reference < 0) return faults;
  const sides = ({ width, height }: KnownHeader) => [width, height].sort((a, b) => a - b).join();
  const expected = sides(headers[reference]!);
  for (const [index, header] of headers.entries()) {
    if (header === undefined || sides(header) === expected) continue;
    const names = { origin: files[index].origin, reference: files[reference] };
    faults.set(index, otherSize(header, headers[reference]!, names));
  }
  return faults;
}

function isSameSize(a: PixelSize, b: PixelSize): boolean {
  return a.width === b.width && a.height === b.height;
}

function otherSize(
  found: PixelSize,
  expected: PixelSize,
  { origin, reference }: { origin: string; reference: StoredFile },
): UserError {
  return new UserError(
    `Cannot use ${origin}: it has ${found.width} x ${found.height} pixels, and ` +
      `${reference.origin} has ${expected.width} x ${expected.height}; --size HxW cuts and ` +
      `resizes all to one`,
  );
}

/** One error that names all files, with the first one's fault. */
function combine(failures: Map<number, UserError>, files: readonly StoredFile[]): UserError {
  const indices = [...failures.keys()].sort((a, b) => a - b);
  const first = failures.get(indices[0])!;
  const isUnread = [...failures.values()].some(({ message }) => message.startsWith("Cannot read"));
  const them = indices.length === 1 ? "it" : "them";
  const skip = isUnread ? `; --broken skip trains without ${them}` : "";
  if (indices.length === 1) return new UserError(`${first.message}${skip}`, { cause: first });
  const names = indices.slice(1, MAX_FAILURES).map((index) => files[index].path).join(", ");
  const more = indices.length > MAX_FAILURES ? ` and ${indices.length - MAX_FAILURES} more` : "";
  return new UserError(
    `${first.message}; ${indices.length} of ${counted(files.length)} files cannot be used, also ` +
      `${names}${more}${skip}`,
    { cause: first },
  );
}

function skippedNote(failures: Map<number, UserError>, files: readonly StoredFile[]): string {
  const names = [...failures.keys()].sort((a, b) => a - b).map((index) => files[index].path);
  const shown = names.slice(0, MAX_FAILURES).join(", ");
  const more = names.length > MAX_FAILURES ? ` and ${names.length - MAX_FAILURES} more` : "";
  return names.length === 1
    ? `1 file is left out, because it cannot be read: ${shown}`
    : `${counted(names.length)} files are left out, because they cannot be read: ${shown}${more}`;
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
