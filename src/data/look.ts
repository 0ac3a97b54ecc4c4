/** A look at a data set before anything is decoded: what it is, how large its images are, which are broken. */
import type { DataSpec } from "../config/data.ts";
import { UserError } from "../errors.ts";
import { checkImages, type KnownHeader } from "./images/check_images.ts";
import { selectImages } from "./images/image_store.ts";
import { openDataSource, type OpenOptions } from "./open.ts";
import { recognize } from "./recognize.ts";
import type { DataSource } from "./source.ts";

/** Images in files, of which only the ends were read. */
export interface ImageFilesLook {
  form: "files";
  /** Of the files that can be read. */
  headers: KnownHeader[];
  /** Why other files cannot be read. */
  broken: string[];
}

/** Data of another kind, which are small enough to be opened as they are. */
export interface OpenedLook {
  form: "opened";
  data: DataSource;
}

/**
 * Looks at what lies at a path.
 * @throws {UserError} when nothing usable lies there
 */
export async function lookAtData(
  spec: DataSpec & { path: string },
  options: OpenOptions = {},
): Promise<ImageFilesLook | OpenedLook> {
  using found = await recognize(spec.path, spec);
  if (found.data.source !== "images") {
    return { form: "opened", data: await openDataSource(spec, options) };
  }
  const store = await selectImages(found.data.store, { split: spec.split });
  const { onProgress, signal } = options;
  const { headers, failures } = await checkImages(store.images, {
    signal,
    onProgress: (progress) => onProgress?.({ stage: "checking", ...progress }),
  });
  const readable = headers.filter((header) => header !== undefined);
  const broken = [...failures.values()].map(({ message }) => message.replace(/^Cannot read /, ""));
  if (readable.length === 0) {
    throw new UserError(`Cannot use ${spec.path}: no image can be read; the first: ${broken[0]}`);
  }
  return { form: "files", headers: readable, broken };
}
