/** Picked images of a folder or an archive as a data source: from the cache, or decoded first. */
import { decodedSource, type DecodedStorage } from "../cache/cached_source.ts";
import type { DataSource } from "../source.ts";
import type { ImageStore } from "./image_store.ts";
import { loadImages, type LoadImagesOptions, type PickedImages } from "./load_images.ts";
import { RESIZER } from "./resize.ts";
import { loadSharp } from "./sharp.ts";

/** Where images come from, where they are kept, and how they are brought to one shape. */
export interface DecodedImagesOptions {
  /** The folder or archive, as the user named it. */
  origin: string;
  storage: DecodedStorage;
  options: LoadImagesOptions;
}

/**
 * The source of picked images.
 * @throws {UserError} naming the files that cannot be used
 */
export async function decodedImages(
  store: ImageStore,
  picked: PickedImages,
  { origin, storage, options }: DecodedImagesOptions,
): Promise<DataSource> {
  const { size, channels, background, range, broken } = options;
  const { decoder } = await loadSharp();
  const identity = {
    decoder,
    resizer: RESIZER,
    options: { size, channels, background, range, broken },
    origin: Deno.realPathSync(origin),
    files: picked.files.map(({ path, sizeBytes, modifiedMs }) => [path, sizeBytes, modifiedMs]),
    labels: picked.labels && [...picked.labels],
    classNames: picked.classNames,
  };
  return await decodedSource(storage, { identity, name: store.name }, async (sink) => {
    const parts = await loadImages(store.origin, picked, options, sink);
    return { ...parts, notes: [...store.notes, ...parts.notes ?? []] };
  });
}
