/** Opens images with captions: a folder or archive with `captions.csv` or Hugging Face's `metadata.jsonl`. */
import type { ImageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { DecodedStorage } from "./cache/cached_source.ts";
import { captionData } from "./captions/caption_data.ts";
import { CAPTION_FILE, readCaptions } from "./captions/read_captions.ts";
import { captionedDigits } from "./digits/digit_models.ts";
import { decodedImages } from "./images/decoded_images.ts";
import { selectImages } from "./images/image_store.ts";
import type { DataProgress } from "./progress.ts";
import type { ModelData } from "./model_data.ts";
import { randomSubset } from "./order.ts";
import { UserError } from "../errors.ts";
import { openStore } from "./stores/open_store.ts";

/** Which images and captions, and what of them. */
export interface OpenCaptionsOptions extends DecodedStorage {
  /** A folder or an archive. Default: synthetic digits with captions such as "thick slanted red seven". */
  path?: string;
  /** Pixels of an image: it is cropped to this aspect ratio around its center and resized. */
  size?: ImageSize;
  /** 1 for gray, 3 for RGB. Default: as the images are. */
  channels?: 1 | 3;
  /** The column of texts. Default: the one called text, caption, captions, prompt or description. */
  column?: string;
  /** Words of the vocabulary at most: the most frequent ones. Default 2,000. */
  maxWords?: number;
  /** Images to pick at random. Default: all, or 10,000 synthetic digits. */
  count?: number;
  /** Decides the pick, what is held back and the synthetic digits. Default 0. */
  seed?: number;
  /** The share of images, or of the digits' captions, that are held back to compare with. Default 0.1. */
  heldBack?: number;
  /** The gray level behind transparent pixels, 0 to 255. Default 255. */
  background?: number;
  /** Called as images are looked at, and then decoded. */
  onProgress?: (progress: DataProgress) => void;
  /** Stops the loading of images. */
  signal?: AbortSignal;
}

const SYNTHETIC_COUNT = 10_000;
const HELD_BACK = 0.1;

/**
 * Opens the data of `captionsModel()`.
 *
 * @example
 * ```ts
 * import { openCaptions } from "@ganforge/ganforge";
 *
 * const data = await openCaptions({ count: 200, size: 16 });
 * console.log(data.captions!.vocabulary.words.length); // 19
 * ```
 *
 * @throws {UserError} when nothing is there, an image has no caption, or a caption has no image
 */
export async function openCaptions(options: OpenCaptionsOptions = {}): Promise<ModelData> {
  const { path, size, channels, column, maxWords, count, seed = 0, heldBack = HELD_BACK } = options;
  const { background = DEFAULTS.data.background, onProgress, signal, ...storage } = options;
  if (!(heldBack >= 0 && heldBack < 1)) {
    throw new UserError(
      `Cannot hold back a share of ${heldBack} of the captions: it is from 0 to below 1, such as 0.1`,
    );
  }
  if (path === undefined) {
    if (size !== undefined && typeof size !== "number") {
      throw new UserError(
        `Cannot draw synthetic digits of ${size.join(" x ")} pixels: they are square`,
      );
    }
    return captionedDigits({ count: count ?? SYNTHETIC_COUNT, size, seed, heldBack });
  }
  const files = await openStore(path);
  if (files === undefined) {
    throw new UserError(
      `Cannot read ${path} as images with captions: expected a folder, .zip or .tar.gz of images with ` +
        `captions.csv or metadata.jsonl`,
    );
  }
  using store = await selectImages(files, { used: CAPTION_FILE });
  const total = store.images.length;
  if (count !== undefined && count > total) {
    throw new UserError(`Cannot take ${count} images from ${path}: it has ${total}; lower "count"`);
  }
  const picked = count === undefined
    ? store.images
    : Array.from(randomSubset(total, { wanted: count, seed }), (index) => store.images[index]);
  const { images, texts } = await readCaptions({
    origin: store.origin,
    files: files.files,
    images: picked,
    column,
  });
  const image = await decodedImages(store, { files: picked, total }, {
    origin: path,
    storage,
    options: { size, channels, background, seed, onProgress, signal },
  });
  const wanted = Math.round(heldBack * picked.length);
  const apart = new Set(
    wanted === 0 ? [] : randomSubset(picked.length, { wanted, seed: seed + 1 }),
  );
  const held = Uint32Array.from(images.keys()).filter((caption) => apart.has(images[caption]));
  return captionData({ image, images, texts, heldBack: held }, { maxWords, name: store.name });
}
