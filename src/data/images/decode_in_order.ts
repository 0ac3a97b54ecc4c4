/**
 * Decodes images on all cores, and hands them on in the sequence of their files. What is in memory at once is
 * bounded in bytes, however many and large the files are.
 */
import { UserError } from "../../errors.ts";
import type { DataProgress } from "../progress.ts";
import type { KnownHeader } from "./check_images.ts";
import { type DecodedImage, decodeImage, type DecodeOptions } from "./decode.ts";
import { MAX_FAILURES } from "./image_faults.ts";
import type { StoredFile } from "./image_store.ts";
import type { ImageChannels } from "./raster.ts";
import type { PixelSize } from "./resize.ts";

/** Bytes that the files and pixels of images in decoding may take together. */
const MAX_DECODING_BYTES = 128e6;

/** Images that may wait for one before them. */
const MAX_AHEAD = 64;

/** How images are decoded, and who takes them. */
export interface OrderedDecoding extends Omit<DecodeOptions, "size" | "channels"> {
  size: PixelSize | undefined;
  channels: ImageChannels;
  /** Whether files that cannot be read are left out. Default: refused. */
  broken?: "refuse" | "skip";
  /** Called after each. */
  onProgress?: (progress: DataProgress) => void;
  /** Stops the decoding. */
  signal?: AbortSignal;
  /** Gets each image, or why it cannot be had, in the sequence of the files. */
  take(index: number, image: DecodedImage | UserError): void;
}

/** Decodes what has a header, side by side, and hands it on in order. */
export async function decodeInOrder(
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
