/**
 * The class of each picture: from a `dataset.json` beside the pictures, as StyleGAN's tools write it,
 * or else from the sub-folder that the picture lies in.
 */
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { type ImageStore, sharedFolder, type StoredFile } from "./image_store.ts";

/** Class numbers and names of pictures; nothing where the pictures have no classes. */
export interface ImageLabels {
  /** One for each of the store's images, in their sequence. */
  labels?: Int32Array;
  /** The name of each class. */
  classNames?: string[];
}

const manifestSchema = z.object({
  labels: z.array(z.tuple([z.string(), z.number().int().min(0).max(1_000_000)])).nullish(),
});

/**
 * The classes of a store's pictures.
 * @throws {UserError} when `dataset.json` is malformed, or does not match the pictures
 */
export async function readImageLabels(store: ImageStore): Promise<ImageLabels> {
  return store.manifest
    ? await labelsOfManifest(store.manifest, store.images)
    : labelsOfFolders(store.images);
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
      `expected {"labels": [["folder/picture.png", 0], ...]} or {"labels": null}, ` +
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
  const classCount = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  return { labels, classNames: Array.from({ length: classCount }, (_, label) => String(label)) };
}

function parseJson(bytes: Uint8Array, fail: (detail: string) => UserError): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw fail(`it is no JSON (${error instanceof Error ? error.message : error})`);
  }
}

/** Classes are the folders right below the one that all pictures share, where each lies in one. */
function labelsOfFolders(images: readonly StoredFile[]): ImageLabels {
  const shared = sharedFolder(images.map(({ path }) => path)).length;
  const folders = images.map(({ path }) => {
    const slash = path.indexOf("/", shared);
    return slash < 0 ? undefined : path.slice(shared, slash);
  });
  if (folders.some((folder) => folder === undefined)) return {};
  const classNames = [...new Set(folders as string[])].sort();
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  return { labels: Int32Array.from(folders, (folder) => numbers.get(folder!)!), classNames };
}
