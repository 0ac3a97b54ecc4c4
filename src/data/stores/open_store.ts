/** Opens a folder or an archive as a store of files. */
import { UserError } from "../../errors.ts";
import { accessError, inspectPath, readSmallFile } from "../byte_reader.ts";
import { readEnds } from "../images/file_ends.ts";
import { startsAs } from "../signatures.ts";
import {
  byPathOrder,
  type FileStore,
  isHidden,
  listedFiles,
  MAX_FILE_BYTES,
  readStreamStart,
  type StoredFile,
} from "./file_store.ts";
import { openRandomAccess } from "./random_access.ts";
import { openTarStore } from "./tar_store.ts";
import { readZip } from "./zip.ts";

/**
 * Opens a folder, a .zip (or .npz) or a .tar, plain or gzip, whatever it is called.
 * @returns nothing for another file
 * @throws {UserError} when nothing is there, or it is damaged
 */
export async function openStore(path: string): Promise<FileStore | undefined> {
  const { isDirectory } = await inspectPath(path);
  if (isDirectory) return await openFolderStore(path);
  const start = await startsAs(openFile(path));
  if (["PK\x03\x04", "PK\x05\x06"].includes(start.slice(0, 4)) || /\.(?:zip|npz)$/i.test(path)) {
    return openZipStore(path);
  }
  const isTar = start.slice(257, 262) === "ustar" || /\.(?:tar|tgz|tar\.gz)$/i.test(path);
  return isTar ? await openTarStore(path) : undefined;
}

/**
 * Opens one file, whose path within its store is its name.
 * @throws {UserError} when nothing is there
 */
export function openFile(path: string): StoredFile {
  try {
    return folderFile(path, baseName(path).normalize("NFC"), Deno.statSync(path));
  } catch (error) {
    throw accessError(path, error);
  }
}

/** The files of the folder that a file lies in, without those of sub-folders. */
export async function siblingFiles(path: string): Promise<StoredFile[]> {
  const folder = path.slice(0, path.length - baseName(path).length);
  const files: StoredFile[] = [];
  try {
    for await (const { name } of Deno.readDir(folder || ".")) {
      const info = isHidden(name) ? undefined : statOrNothing(folder + name);
      if (info && !info.isDirectory) {
        files.push(folderFile(folder + name, name.normalize("NFC"), info));
      }
    }
  } catch (error) {
    throw accessError(folder || ".", error);
  }
  return files.sort(byPathOrder);
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/**
 * Lists the files of a .zip.
 * @throws {UserError} when it is damaged
 */
export function openZipStore(path: string): FileStore {
  using cleanup = new DisposableStack();
  const file = cleanup.use(openRandomAccess(path));
  const archive = readZip(file);
  const files = archive.entries.filter(({ isFolder, path }) => !isFolder && path !== "")
    .map((entry): StoredFile => ({
      path: entry.path,
      origin: `${path}/${entry.path}`,
      sizeBytes: entry.sizeBytes,
      modifiedMs: file.modifiedMs,
      async read({ maxBytes = MAX_FILE_BYTES } = {}) {
        await Promise.resolve();
        return archive.read(entry, { maxBytes });
      },
      async readStart(size) {
        await Promise.resolve();
        return archive.readStart(entry, size);
      },
      stream: () => archive.stream(entry),
    }));
  const resources = cleanup.move();
  return {
    origin: path,
    form: "zip",
    ...listedFiles(files),
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/**
 * Lists the files of a folder and its sub-folders. Links are followed; those that lead nowhere are
 * passed over.
 * @throws {UserError} when a folder cannot be read
 */
async function openFolderStore(folder: string): Promise<FileStore> {
  const found: Found = { files: [], hidden: 0, dangling: [] };
  await listFolder(folder, "", { found, above: [] });
  const passedOver: string[] = [];
  if (found.hidden > 0) {
    passedOver.push(found.hidden === 1 ? "1 hidden file" : `${found.hidden} hidden files`);
  }
  if (found.dangling.length > 0) {
    const more = found.dangling.length > 3 ? ", ..." : "";
    passedOver.push(
      `${found.dangling.length} ${found.dangling.length === 1 ? "link" : "links"} to nothing ` +
        `(${found.dangling.slice(0, 3).join(", ")}${more})`,
    );
  }
  return {
    origin: folder,
    form: "folder",
    files: found.files.sort(byPathOrder),
    passedOver,
    [Symbol.dispose]: () => {},
  };
}

interface Found {
  files: StoredFile[];
  hidden: number;
  dangling: string[];
}

async function listFolder(
  folder: string,
  below: string,
  { found, above }: { found: Found; above: readonly string[] },
): Promise<void> {
  const here = below === "" ? folder : `${folder}/${below}`;
  try {
    const real = await Deno.realPath(here);
    if (above.includes(real)) return; // a link that leads back
    for await (const entry of Deno.readDir(here)) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (isHidden(entry.name)) {
        found.hidden++;
        continue;
      }
      const info = statOrNothing(`${folder}/${path}`);
      if (info?.isDirectory) {
        await listFolder(folder, path, { found, above: [...above, real] });
      } else if (info) {
        found.files.push(folderFile(`${folder}/${path}`, path.normalize("NFC"), info));
      } else if (entry.isSymlink) found.dangling.push(path);
      else found.files.push(unreachableFile(`${folder}/${path}`, path));
    }
  } catch (error) {
    throw accessError(here, error);
  }
}

/** What lies at a path; nothing where a link leads nowhere, or the name cannot be said. */
function statOrNothing(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) {
      return undefined;
    }
    throw error;
  }
}

function folderFile(origin: string, path: string, info: Deno.FileInfo): StoredFile {
  function stream(): ReadableStream<Uint8Array> {
    try {
      return Deno.openSync(origin, { read: true }).readable;
    } catch (error) {
      throw accessError(origin, error);
    }
  }
  return {
    path,
    origin,
    diskPath: origin,
    sizeBytes: info.size,
    modifiedMs: info.mtime?.getTime() ?? 0,
    read: ({ maxBytes = MAX_FILE_BYTES } = {}) => readSmallFile(origin, { maxBytes }),
    readStart: (size) => readStreamStart(stream(), size),
    async ends() {
      try {
        return await readEnds(origin);
      } catch (error) {
        throw accessError(origin, error);
      }
    },
    stream,
  };
}

/** An entry that is listed and cannot be opened: Deno's paths are UTF-8, and its name is not. */
function unreachableFile(origin: string, path: string): StoredFile {
  const fault = () =>
    new UserError(
      `Cannot read ${origin}: its name is not UTF-8 (or it was just removed): rename it`,
    );
  return {
    path,
    origin,
    sizeBytes: 0,
    modifiedMs: 0,
    read: () => Promise.reject(fault()),
    readStart: () => Promise.reject(fault()),
    stream() {
      throw fault();
    },
  };
}
