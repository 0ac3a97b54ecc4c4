/**
 * The class of each image: from a `dataset.json` beside the images, as StyleGAN's tools write it, from
 * a column of Hugging Face's `metadata.csv` or `metadata.jsonl`, or else from the sub-folder that the
 * image lies in.
 */
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { classNamesOf } from "../natural_order.ts";
import { sharedFolder, type StoredFile } from "../stores/file_store.ts";
import { type ImageMetadata, readImageMetadata } from "./image_metadata.ts";
import type { ImageStore } from "./image_store.ts";

/** Class numbers and names of images; nothing where the images have no classes. */
export interface ImageLabels {
  /** One for each of the store's images, in their sequence. */
  labels?: Int32Array;
  /** The name of each class. */
  classNames?: string[];
}

const manifestSchema = z.object({
  labels: z.array(z.tuple([z.string(), z.number().int().min(0).max(1_000_000)])).nullish(),
});

/** The column of metadata that holds classes, where the user names none. */
const LABEL_COLUMN = "label";

/**
 * The classes of a store's images.
 * @param options.label the column of the metadata that holds classes
 * @throws {UserError} when what describes the images is malformed, or does not match them
 */
export async function readImageLabels(
  store: ImageStore,
  { label }: { label?: string } = {},
): Promise<ImageLabels> {
  const { images, manifest, metadata, origin } = store;
  if (metadata.length > 0) {
    const read = await readImageMetadata(metadata, images);
    const column = label ?? LABEL_COLUMN;
    if (label !== undefined || read.columns.includes(column)) return labelsOfColumn(read, column);
  } else if (label !== undefined) {
    throw new UserError(
      `Cannot take classes from the column "${label}": ${origin} has no metadata.csv or metadata.jsonl`,
    );
  }
  return manifest ? await labelsOfManifest(manifest, images) : labelsOfFolders(images);
}

function labelsOfColumn({ origin, columns, rows }: ImageMetadata, column: string): ImageLabels {
  if (!columns.includes(column)) {
    throw new UserError(
      `Cannot take classes from the column "${column}" of ${origin}: it has ${columns.join(", ")}`,
    );
  }
  const names = rows.map((row) => row.get(column) ?? "");
  const empty = names.filter((name) => name === "").length;
  if (empty > 0) {
    throw new UserError(
      `Cannot take classes from the column "${column}" of ${origin}: it is empty for ${empty} of ` +
        `${rows.length} images`,
    );
  }
  return numbered(names);
}

/** Class numbers in the sequence of the classes' names. */
function numbered(names: readonly string[]): ImageLabels {
  const classNames = classNamesOf(names);
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  return { labels: Int32Array.from(names, (name) => numbers.get(name)!), classNames };
}

async function labelsOfManifest(
  manifest: StoredFile,
  images: readonly StoredFile[],
): Promise<ImageLabels> {
  const fail = (detail: string) => new UserError(`Cannot use ${manifest.origin}: ${detail}`);
  const parsed = manifestSchema.safeParse(parseJson(await manifest.read(), fail));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw fail(
      `expected {"labels": [["folder/image.png", 0], ...]} or {"labels": null}, ` +
        `and at ${path.join(".") || "its top"}: ${message}`,
    );
  }
  const pairs = parsed.data.labels;
  if (!pairs) return {};
  const folder = manifest.path.slice(0, manifest.path.lastIndexOf("/") + 1);
  const byPath = new Map(pairs.map(([path, label]) => [folder + path, label]));
  const labels = Int32Array.from(images, ({ path }) => {
    const label = byPath.get(path);
    if (label === undefined) throw fail(`it has no label for ${path}`);
    return label;
  });
  const paths = new Set(images.map(({ path }) => path));
  for (const path of byPath.keys()) {
    if (!paths.has(path)) throw fail(`it has a label for ${path}, which is not there`);
  }
  const classCount = labels.reduce((max, label) => Math.max(max, label), 0) + 1;
  return { labels, classNames: Array.from({ length: classCount }, (_, label) => String(label)) };
}

function parseJson(bytes: Uint8Array, fail: (detail: string) => UserError): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw fail(`it is no JSON (${error instanceof Error ? error.message : error})`);
  }
}

/** Classes are the folders right below the one that all images share, where each lies in one. */
function labelsOfFolders(images: readonly StoredFile[]): ImageLabels {
  const shared = sharedFolder(images.map(({ path }) => path)).length;
  const folders = images.map(({ path }) => {
    const slash = path.indexOf("/", shared);
    return slash < 0 ? undefined : path.slice(shared, slash);
  });
  if (folders.some((folder) => folder === undefined)) return {};
  return numbered(folders as string[]);
}
