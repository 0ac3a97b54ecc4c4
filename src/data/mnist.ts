/**
 * MNIST and the data sets that share its files (Fashion-MNIST, KMNIST, EMNIST): which files of a folder
 * belong together, and the data that they hold.
 */
import { UserError } from "../errors.ts";
import { readIdxFile } from "./idx.ts";
import type { PixelSet } from "./pixel_set.ts";
import { counted } from "./source.ts";

/** A file of pictures and, where it is there, that of their labels. */
export interface IdxPair {
  /** The file of pictures. */
  imagesPath: string;
  /** The file of labels, where there is one. */
  labelsPath?: string;
  /** Which split its name says that it is. */
  split?: "train" | "test";
}

const IMAGES_NAME = /^(?<set>.*?)(?<split>train|t10k|test)-images[-.]idx3-ubyte(?<gz>\.gz)?$/;

/** The name of the labels that belong to a file of pictures. */
function labelsName(imagesName: string): string {
  return imagesName.replace("-images", "-labels").replace("idx3", "idx1").replace(/\.gz$/, "");
}

/**
 * Finds pictures and labels among the files of a folder.
 * @param names the folder's files
 * @returns nothing where there are no IDX pictures
 * @throws {UserError} when the wanted split is not there, or several sets are
 */
export function findIdxPair(
  folder: string,
  names: readonly string[],
  { split }: { split?: "train" | "test" },
): IdxPair | undefined {
  const found = names.flatMap((name) => {
    const groups = IMAGES_NAME.exec(name)?.groups;
    if (!groups) return [];
    const foundSplit = groups.split === "train" ? "train" as const : "test" as const;
    return [{ name, set: groups.set, split: foundSplit, packed: groups.gz !== undefined }];
  });
  if (found.length === 0) return undefined;
  const sets = [...new Set(found.map(({ set }) => set))];
  if (sets.length > 1) {
    throw new UserError(
      `Cannot choose among the ${sets.length} data sets in ${folder} ` +
        `(${sets.slice(0, 5).join(", ")}): name the file of pictures itself`,
    );
  }
  const ranked = found
    .filter((file) => split === undefined || file.split === split)
    .sort((a, b) =>
      Number(a.split === "test") - Number(b.split === "test") || Number(a.packed) - Number(b.packed)
    );
  if (ranked.length === 0) {
    const wanted = split === "train" ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte";
    throw new UserError(
      `Cannot find the ${split} split in ${folder}: there is ${found[0].name}, but no ${wanted} ` +
        `or ${wanted}.gz`,
    );
  }
  const chosen = ranked[0];
  return idxPair(folder, chosen.name, names, chosen.split);
}

/** Pairs a named file of pictures with the labels beside it. */
export function idxPair(
  folder: string,
  imagesName: string,
  names: readonly string[],
  split?: "train" | "test",
): IdxPair {
  const pair: IdxPair = { imagesPath: `${folder}/${imagesName}` };
  const plain = labelsName(imagesName);
  const label = plain === imagesName.replace(/\.gz$/, "")
    ? undefined
    : [plain, `${plain}.gz`].find((name) => names.includes(name));
  if (label) pair.labelsPath = `${folder}/${label}`;
  if (split) pair.split = split;
  return pair;
}

/**
 * Reads pictures with their labels.
 * @throws {UserError} when a file is broken, or there are not as many labels as pictures
 */
export async function readMnist({ imagesPath, labelsPath, split }: IdxPair): Promise<PixelSet> {
  const { shape: [count, height, width], values: pixels } = await readIdxFile(imagesPath, 3);
  const part = split === undefined ? "" : `, ${split} split`;
  const set: PixelSet = {
    name: "mnist",
    origin: `${counted(count)} pictures of ${imagesPath}${part}`,
    shape: [height, width, 1],
    pixels,
  };
  if (labelsPath === undefined) return set;
  const labels = Int32Array.from((await readIdxFile(labelsPath, 1)).values);
  if (labels.length !== count) {
    throw new UserError(
      `Cannot pair ${labelsPath} with ${imagesPath}: it has ${labels.length} labels, and there are ` +
        `${count} pictures`,
    );
  }
  const classCount = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const classNames = Array.from({ length: classCount }, (_, label) => String(label));
  return { ...set, labels, classNames };
}
