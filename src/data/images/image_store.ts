/**
 * Where a data set's picture files lie: a folder with its sub-folders, or a .zip. Both give the same
 * list of entries, in the sequence of their paths, so that labels and pixels do not depend on which.
 */
import { UserError } from "../../errors.ts";
import { accessError, readSmallFile } from "../byte_reader.ts";
import { IMAGE_EXTENSIONS } from "./decode.ts";
import { readEnds } from "./file_ends.ts";
import type { FileEnds } from "./image_header.ts";
import { openZip } from "./zip_archive.ts";

/** The most bytes of one picture file. */
const MAX_IMAGE_BYTES = 2 ** 28;

/** One file of a store. */
export interface StoredFile {
  /** Within the store, with `/` between folders. */
  path: string;
  /** Names it in messages. */
  origin: string;
  /** Its size when unpacked, as the store lists it. */
  sizeBytes: number;
  /** When it, or the archive that it lies in, was last changed, in milliseconds since 1970. */
  modifiedMs: number;
  /** All its bytes. */
  read(): Promise<Uint8Array>;
  /** Its first and last bytes, where those can be had without the others. */
  ends?(): Promise<FileEnds>;
}

/** Pictures in a folder or an archive. */
export interface ImageStore extends Disposable {
  /** The folder or the archive. */
  origin: string;
  /** The pictures, by path. */
  images: StoredFile[];
  /** `dataset.json`, where there is one beside the pictures. */
  manifest?: StoredFile;
}

/** Pictures that the decoder cannot read: refused by name rather than left out in silence. */
const FOREIGN_EXTENSIONS = [
  ".bmp",
  ".heic",
  ".heif",
  ".ico",
  ".jp2",
  ".jxl",
  ".ppm",
  ".pgm",
  ".svg",
  ".tga",
];

/**
 * Lists the pictures below a folder.
 * @param alsoLookedFor goes into the message when there are none: what else was tried
 * @throws {UserError} when there are none, or one is of a kind that cannot be decoded
 */
export async function openFolderStore(folder: string, alsoLookedFor = ""): Promise<ImageStore> {
  const paths: string[] = [];
  await listFiles(folder, "", { paths, visited: new Set() });
  const files = paths.map((path): StoredFile => {
    const origin = `${folder}/${path}`;
    return {
      path,
      origin,
      ...fileStamp(origin),
      read: () => readSmallFile(origin, { maxBytes: MAX_IMAGE_BYTES }),
      async ends() {
        try {
          return await readEnds(origin);
        } catch (error) {
          throw accessError(origin, error);
        }
      },
    };
  });
  return { ...selectImages(folder, files, alsoLookedFor), [Symbol.dispose]: () => {} };
}

/** Size and time of a file; a dangling link has neither, and is told when it is read. */
function fileStamp(path: string): { sizeBytes: number; modifiedMs: number } {
  try {
    const { size, mtime } = Deno.statSync(path);
    return { sizeBytes: size, modifiedMs: mtime?.getTime() ?? 0 };
  } catch {
    return { sizeBytes: 0, modifiedMs: 0 };
  }
}

async function listFiles(
  folder: string,
  below: string,
  { paths, visited }: { paths: string[]; visited: Set<string> },
): Promise<void> {
  const here = below === "" ? folder : `${folder}/${below}`;
  try {
    const real = await Deno.realPath(here);
    if (visited.has(real)) return; // a link that leads back
    visited.add(real);
    for await (const entry of Deno.readDir(here)) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const { isDirectory } = entry.isSymlink ? await Deno.stat(`${folder}/${path}`) : entry;
      if (isHidden(path)) continue;
      if (isDirectory) await listFiles(folder, path, { paths, visited });
      else paths.push(path);
    }
  } catch (error) {
    throw accessError(here, error);
  }
}

/**
 * Lists the pictures in a .zip.
 * @throws {UserError} when it is damaged, has none, or one is of a kind that cannot be decoded
 */
export function openZipStore(path: string): ImageStore {
  const archive = openZip(path);
  try {
    const { modifiedMs } = fileStamp(path);
    const files = archive.entries
      .filter((entry) => !entry.path.endsWith("/") && !isHidden(entry.path))
      .map((entry): StoredFile => ({
        path: entry.path,
        origin: `${path}/${entry.path}`,
        sizeBytes: entry.sizeBytes,
        modifiedMs,
        read: () =>
          Promise.resolve().then(() => archive.read(entry, { maxBytes: MAX_IMAGE_BYTES })),
      }));
    return { ...selectImages(path, files), [Symbol.dispose]: () => archive[Symbol.dispose]() };
  } catch (error) {
    archive[Symbol.dispose]();
    throw error;
  }
}

/** Files that systems leave behind: `.DS_Store`, `._x`, `__MACOSX/`. */
function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}

function selectImages(
  origin: string,
  files: readonly StoredFile[],
  alsoLookedFor = "",
): Pick<ImageStore, "origin" | "images" | "manifest"> {
  const isOf = (extensions: readonly string[]) => ({ path }: StoredFile) =>
    extensions.some((extension) => path.toLowerCase().endsWith(extension));
  const images = files.filter(isOf(IMAGE_EXTENSIONS));
  const foreign = files.find(isOf(FOREIGN_EXTENSIONS));
  if (foreign && (images.length > 0 || files.every(isOf(FOREIGN_EXTENSIONS)))) {
    throw new UserError(
      `Cannot read ${foreign.origin}: images have to be JPEG, PNG, WebP, GIF, AVIF or TIFF: convert it`,
    );
  }
  if (images.length === 0) throw nothingFound(origin, files, alsoLookedFor);
  images.sort((a, b) => a.path < b.path ? -1 : 1);
  const shared = sharedFolder(images.map(({ path }) => path));
  const manifest = files.find(({ path }) => path === `${shared}dataset.json`) ??
    files.find(({ path }) => path === "dataset.json");
  return manifest ? { origin, images, manifest } : { origin, images };
}

function nothingFound(
  origin: string,
  files: readonly StoredFile[],
  alsoLookedFor: string,
): UserError {
  const names = files.slice(0, 5).map(({ path }) => path).join(", ");
  const more = files.length > 5 ? ` and ${files.length - 5} more` : "";
  return new UserError(
    `Cannot find data in ${origin}: looked for ${alsoLookedFor}images ` +
      `(${IMAGE_EXTENSIONS.join(", ")}, in sub-folders too), and it holds ` +
      (files.length === 0 ? "no files" : `${names}${more}; name a .npy, .csv or .zip file itself`),
  );
}

/** The folder, with a `/` at its end, that all paths have in common; "" where they have none. */
export function sharedFolder(paths: readonly string[]): string {
  let shared = paths[0].slice(0, paths[0].lastIndexOf("/") + 1);
  for (const path of paths) {
    while (!path.startsWith(shared)) {
      shared = shared.slice(0, shared.lastIndexOf("/", shared.length - 2) + 1);
    }
  }
  return shared;
}
