/** Recognises what kind of data a file or folder holds, by names and first bytes. */
import type { DataSourceName, DataSpec } from "../config/data.ts";
import { UserError } from "../errors.ts";
import { accessError, inspectPath, openBytes } from "./byte_reader.ts";
import { isCifarBatch } from "./cifar.ts";
import { IMAGE_EXTENSIONS } from "./images/decode.ts";
import { findIdxPair, type IdxPair, idxPair } from "./mnist.ts";

/** What lies at a path, with what its reader needs. */
export type Recognised =
  | { source: "mnist"; pair: IdxPair }
  | { source: "cifar-10"; form: "file" | "archive"; path: string }
  | { source: "cifar-10"; form: "folder"; path: string; names: string[] }
  | { source: "images"; form: "folder" | "zip"; path: string }
  | { source: "npy" | "csv"; path: string };

const CIFAR_ARCHIVE = "cifar-10-binary.tar.gz";
const CIFAR_FOLDER = "cifar-10-batches-bin";

/** Where MNIST's files may lie below the folder that a user names; torchvision puts them deeper. */
const MNIST_FOLDERS = ["", "/MNIST/raw", "/raw", "/mnist"];

/** What is looked for in a folder besides pictures. */
export const FOLDER_CONTENTS: string =
  `MNIST (train-images-idx3-ubyte or t10k-images-idx3-ubyte, plain or .gz), ` +
  `CIFAR-10 (data_batch_1.bin, test_batch.bin or ${CIFAR_ARCHIVE}) and `;

/**
 * Recognises the data at a path.
 * @param source what the user said that it is; "auto" for anything
 * @throws {UserError} when it is nothing known, or not what the user said
 */
export async function recognise(
  path: string,
  { source, split }: Pick<DataSpec, "source" | "split">,
): Promise<Recognised> {
  const place = path.length > 1 ? path.replace(/[\\/]+$/, "") : path;
  const found = (await inspectPath(place)).isDirectory
    ? await recogniseFolder(place, { source, split })
    : await recogniseFile(place);
  if (source !== "auto" && source !== found.source) {
    throw new UserError(
      `Cannot read ${path} as "${source}": it looks like "${found.source}"; ` +
        `take the source "auto" to read it as what it is`,
    );
  }
  return found;
}

async function recogniseFolder(
  folder: string,
  { source, split }: Pick<DataSpec, "source" | "split">,
): Promise<Recognised> {
  const isWanted = (candidate: DataSourceName) => source === "auto" || source === candidate;
  const mnist = isWanted("mnist") ? await findMnist(folder, split) : undefined;
  const cifar = isWanted("cifar-10") ? await findCifar(folder) : undefined;
  if (mnist && cifar) {
    throw new UserError(
      `Cannot choose in ${folder}: it holds MNIST and CIFAR-10; say which by the data source ` +
        `"mnist" or "cifar-10"`,
    );
  }
  const found = mnist ?? cifar;
  if (found) return found;
  if (isWanted("images")) return { source: "images", form: "folder", path: folder };
  throw missingFiles(folder, source);
}

async function findMnist(
  folder: string,
  split: DataSpec["split"],
): Promise<Recognised | undefined> {
  for (const below of MNIST_FOLDERS) {
    const place = folder + below;
    const pair = findIdxPair(place, await listFiles(place), { split });
    if (pair) return { source: "mnist", pair };
  }
  return undefined;
}

async function findCifar(folder: string): Promise<Recognised | undefined> {
  for (const path of [folder, `${folder}/${CIFAR_FOLDER}`]) {
    const names = await listFiles(path);
    if (names.some(isCifarBatch)) return { source: "cifar-10", form: "folder", path, names };
    if (names.includes(CIFAR_ARCHIVE)) {
      return { source: "cifar-10", form: "archive", path: `${path}/${CIFAR_ARCHIVE}` };
    }
    if (names.includes("data_batch_1")) {
      throw new UserError(
        `Cannot read ${path}: data_batch_1 belongs to CIFAR-10's Python version; the binary version ` +
          `is needed (${CIFAR_ARCHIVE}, or its data_batch_1.bin and the others)`,
      );
    }
  }
  return undefined;
}

function missingFiles(folder: string, source: DataSourceName): UserError {
  return new UserError(
    `Cannot find data in ${folder} for the source "${source}": looked for ${
      EXPECTED[source] ?? "a file"
    }`,
  );
}

/** What the sources that need a path want there. */
export const EXPECTED: Partial<Record<DataSourceName, string>> = {
  "auto": "a file or folder of data",
  "mnist":
    "train-images-idx3-ubyte and train-labels-idx1-ubyte (or t10k-...), each plain or .gz, in a folder",
  "cifar-10": `data_batch_1.bin to data_batch_5.bin (or test_batch.bin), or ${CIFAR_ARCHIVE}`,
  "images":
    "a folder or a .zip of JPEG, PNG, WebP, GIF, AVIF or TIFF files, its sub-folders being the classes",
  "npy": "a .npy file of pictures or points",
  "csv": "a .csv file with one point a line",
};

/** The names of a folder's files; none where there is no such folder. */
async function listFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw accessError(folder, error);
  }
  return names.sort();
}

async function recogniseFile(path: string): Promise<Recognised> {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const name = path.slice(slash + 1);
  const lower = name.toLowerCase();
  const endsWith = (...endings: string[]) => endings.some((ending) => lower.endsWith(ending));
  if (isCifarBatch(name)) return { source: "cifar-10", form: "file", path };
  if (endsWith(".tar", ".tar.gz", ".tgz")) return { source: "cifar-10", form: "archive", path };
  if (endsWith(".csv", ".tsv", ".txt")) return { source: "csv", path };
  if (endsWith(".npy")) return { source: "npy", path };
  if (endsWith(".zip")) return { source: "images", form: "zip", path };
  if (endsWith(...IMAGE_EXTENSIONS)) {
    throw new UserError(
      `Cannot train on ${path}: it is a single picture; name the folder it is in`,
    );
  }
  const start = await readStart(path);
  if (start === "00 00 08 03") {
    return { source: "mnist", pair: idxPair(folder, name, await listFiles(folder)) };
  }
  if (start === "00 00 08 01") {
    throw new UserError(
      `Cannot train on ${path}: it holds the labels of MNIST; name the file of pictures or the folder`,
    );
  }
  if (start === "93 4e 55 4d") return { source: "npy", path };
  if (start === "50 4b 03 04") return { source: "images", form: "zip", path };
  throw new UserError(
    `Cannot recognise ${path}: it starts with ${start}; known are MNIST's IDX files (plain or .gz), ` +
      `CIFAR-10's .bin and .tar.gz, a .zip of pictures, .npy, .csv, .tsv and .txt`,
  );
}

/** The first four bytes, unpacked, in hexadecimal. */
async function readStart(path: string): Promise<string> {
  const reader = await openBytes(path);
  try {
    const bytes = await reader.read(4, "the first four bytes");
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  } finally {
    await reader.close();
  }
}
