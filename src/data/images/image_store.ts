/**
 * Which files of a folder or an archive are images of the wanted split, what describes them, and what is
 * left out. A file is an image by its name or by its first bytes.
 */
import { UserError } from "../../errors.ts";
import {
  type FileStore,
  MAX_FILE_BYTES,
  sharedFolder,
  type StoredFile,
} from "../stores/file_store.ts";
import { READABLE_FORMATS } from "./decode.ts";
import {
  type ImageFormat,
  imageFormatOfName,
  SNIFFED_BYTES,
  sniffImageFormat,
} from "./image_formats.ts";
import { chooseSplit, type Split } from "./split_folders.ts";

export { MAX_FILE_BYTES as MAX_IMAGE_BYTES, type StoredFile };

/** Images in a folder or an archive. */
export interface ImageStore extends Disposable {
  /** The folder or the archive. */
  origin: string;
  /** A short name of the data set. */
  name: string;
  /** The images, by path. */
  images: StoredFile[];
  /** `dataset.json`, where there is one beside the images. */
  manifest?: StoredFile;
  /** `metadata.csv` and `metadata.jsonl` of Hugging Face's image folders. */
  metadata: StoredFile[];
  /** What was chosen or left out, one line each. */
  notes: string[];
}

/** What is wanted of the images. */
export interface ImageStoreOptions {
  /** Which split, where the folders are splits. Default: train. */
  split?: Split;
  /** Files that are used besides the images, which are not said to be left out. */
  used?: RegExp;
}

const METADATA_NAME = /(?:^|\/)metadata\.(?:csv|jsonl)$/i;

/**
 * The images of a store, which is disposed of with what is returned.
 * @throws {UserError} when there are none
 */
export async function selectImages(
  store: FileStore,
  { split, used }: ImageStoreOptions = {},
): Promise<ImageStore> {
  const { origin } = store;
  const { images: all, others } = await findImages(store.files);
  if (all.length === 0) throw nothingFound(store);
  const notes = [
    ...describeLeftOut(others.filter(({ path }) => !used?.test(path)), store.passedOver),
  ];
  const chosen = chooseSplit(all, { split, origin });
  if (chosen.note) notes.unshift(chosen.note);
  const images = chosen.files.map(refuseForeign);
  const shared = sharedFolder(images.map(({ path }) => path));
  const manifest = others.find(({ path }) => path === `${shared}dataset.json`) ??
    others.find(({ path }) => path === "dataset.json");
  const name = origin.replace(/[\\/]+$/, "").split(/[\\/]/).pop()!
    .replace(/\.(?:zip|tar|tgz|tar\.gz)$/i, "") || "images";
  return {
    origin,
    name,
    images,
    ...(manifest ? { manifest } : {}),
    metadata: others.filter(({ path }) => METADATA_NAME.test(path)),
    notes,
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

/** Sorts the files into images and others. */
async function findImages(
  files: readonly StoredFile[],
): Promise<{ images: StoredFile[]; others: StoredFile[] }> {
  const images: StoredFile[] = [];
  const others: StoredFile[] = [];
  for (const file of files) {
    const isImage = imageFormatOfName(file.path) !== undefined || await startsAsImage(file);
    (isImage ? images : others).push(file);
  }
  return { images, others };
}

async function startsAsImage(file: StoredFile): Promise<boolean> {
  try {
    return sniffImageFormat(await file.readStart(SNIFFED_BYTES)) !== undefined;
  } catch (error) {
    if (error instanceof UserError) return false; // counted among those left out
    throw error;
  }
}

/** Whether any of the files is an image; they are opened where no name says so. */
export async function holdsImages(files: readonly StoredFile[]): Promise<boolean> {
  if (files.some(({ path }) => imageFormatOfName(path) !== undefined)) return true;
  for (const file of files) if (await startsAsImage(file)) return true;
  return false;
}

/** Lets an image of a format that is not decoded say so when it is read. */
function refuseForeign(file: StoredFile): StoredFile {
  const format = imageFormatOfName(file.path);
  const isReadable = (format: ImageFormat) => READABLE_FORMATS.some((known) => known === format);
  if (format === undefined || isReadable(format)) return file;
  function check(start: Uint8Array): void {
    const found = sniffImageFormat(start);
    if (found !== undefined && isReadable(found)) return; // it has the wrong name only
    throw new UserError(
      `Cannot read ${file.origin}: images have to be ${formatNames()}, and this is ` +
        `${format!.toUpperCase()}: convert it`,
    );
  }
  return {
    ...file,
    async read(options) {
      const bytes = await file.read(options);
      check(bytes);
      return bytes;
    },
    ...(file.ends
      ? {
        async ends() {
          const ends = await file.ends!();
          check(ends.head);
          return ends;
        },
      }
      : {}),
  };
}

/** The formats that are decoded, for messages. */
export function formatNames(): string {
  const names = READABLE_FORMATS.map((format) => format === "webp" ? "WebP" : format.toUpperCase());
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** Says how many files of which kinds are not looked at. */
function* describeLeftOut(
  others: readonly StoredFile[],
  passedOver: readonly string[],
): Generator<string> {
  const kinds = new Map<string, number>();
  for (const { path } of others) {
    if (METADATA_NAME.test(path) || path.endsWith("dataset.json")) continue;
    const ending = /(\.[^./]{1,12})$/.exec(path)?.[1].toLowerCase() ?? "without an ending";
    kinds.set(ending, (kinds.get(ending) ?? 0) + 1);
  }
  const counts = [...kinds].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const shown = counts.slice(0, 5).map(([ending, count]) => `${count} ${ending}`);
  const rest = counts.slice(5).reduce((sum, [, count]) => sum + count, 0);
  if (rest > 0) shown.push(`${rest} others`);
  shown.push(...passedOver);
  if (shown.length > 0) yield `left out ${shown.join(", ")}: they are no images`;
}

function nothingFound({ origin, files }: FileStore): UserError {
  return new UserError(
    `Cannot find images in ${origin}: looked for ${formatNames()}, by name or by their first bytes, and ` +
      `it holds ${files.length === 0 ? "no files" : `${files.length} others`}`,
  );
}
