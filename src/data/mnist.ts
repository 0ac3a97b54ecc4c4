/**
 * MNIST and the data sets that share its files (Fashion-MNIST, KMNIST, EMNIST, QMNIST): which files
 * belong together, what their classes are called, and the data that they hold.
 */
import { UserError } from "../errors.ts";
import { readIdxFile } from "./idx.ts";
import { mnistVariant } from "./mnist_classes.ts";
import type { PixelSet } from "./pixel_set.ts";
import { counted } from "./source.ts";
import type { StoredFile } from "./stores/file_store.ts";

/** A file of images and, where it is there, that of their labels. */
export interface IdxPair {
  /** The file of images. */
  images: StoredFile;
  /** The file of labels, where there is one. */
  labels?: StoredFile;
  /** Which split its name says that it is. */
  split?: "train" | "test";
}

const IMAGES_NAME = /^(?<set>.*?)(?<split>train|t10k|test)-images[-.]idx3-ubyte(?<gz>\.gz)?$/;

/** A file of images with what its name says. */
interface NamedImages {
  file: StoredFile;
  /** What tells its data set from others. */
  set: string;
  split: "train" | "test";
  isPacked: boolean;
}

/**
 * Finds images and labels among files.
 * @param options.subset which data set, where there are several
 * @returns nothing where there are no IDX images
 * @throws {UserError} when the wanted split is not there, or several sets are
 */
export function findIdxPair(
  files: readonly StoredFile[],
  { split, subset, origin }: { split?: "train" | "test"; subset?: string; origin: string },
): IdxPair | undefined {
  const found = files.flatMap(asImages);
  if (found.length === 0) return undefined;
  const sets = [...new Set(found.map(({ set }) => set))].sort();
  const chosen = subset === undefined
    ? sets
    : sets.filter((set) => set.toLowerCase() === subset.toLowerCase());
  if (chosen.length !== 1) {
    throw new UserError(
      `Cannot choose among the ${sets.length} data sets in ${origin}: name one by ` +
        `--set data.subset=${sets[0]}, or as ${sets.slice(1, 12).join(", ")}`,
    );
  }
  const ofSet = found.filter(({ set }) => set === chosen[0]);
  const ranked = ofSet
    .filter((images) => split === undefined || images.split === split)
    .sort((a, b) =>
      Number(a.split === "test") - Number(b.split === "test") ||
      Number(a.isPacked) - Number(b.isPacked)
    );
  if (ranked.length === 0) {
    const wanted = split === "train" ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte";
    throw new UserError(
      `Cannot find the ${split} split in ${origin}: there is ${
        ofSet[0].file.path
      }, but no ${wanted} ` +
        `or ${wanted}.gz`,
    );
  }
  return { ...idxPair(ranked[0].file, files), split: ranked[0].split };
}

function asImages(file: StoredFile): NamedImages[] {
  const parts = file.path.split("/");
  const groups = IMAGES_NAME.exec(parts.at(-1)!)?.groups;
  if (!groups) return [];
  const folder = parts.slice(0, -1).filter((part) => part !== "raw" && part !== "gzip");
  const prefix = groups.set.replace(/[-_.]+$/, "");
  return [{
    file,
    set: prefix || folder.at(-1) || "files",
    split: groups.split === "train" ? "train" : "test",
    isPacked: groups.gz !== undefined,
  }];
}

/** Pairs a file of images with the labels beside it. */
export function idxPair(images: StoredFile, files: readonly StoredFile[]): IdxPair {
  const unpacked = images.path.replace(/\.gz$/, "");
  const plain = unpacked.replace(/-images(?=[^/]*$)/, "-labels").replace("idx3", "idx1");
  if (plain === unpacked) return { images };
  const wide = plain.replace("idx1-ubyte", "idx2-int");
  const candidates = [plain, `${plain}.gz`, wide, `${wide}.gz`];
  const path = candidates.find((path) => files.some((file) => file.path === path));
  const labels = files.find((file) => file.path === path);
  return labels ? { images, labels } : { images };
}

/**
 * Reads images with their labels.
 * @throws {UserError} when a file is broken, or there are not as many labels as images
 */
export async function readMnist({ images, labels: file, split }: IdxPair): Promise<PixelSet> {
  const { shape: [count, height, width], values } = await readIdxFile(images, 3);
  const variant = mnistVariant(images.origin);
  const part = split === undefined ? "" : `, ${split} split`;
  const upright = variant.isTransposed ? ", turned upright" : "";
  const set: PixelSet = {
    name: variant.name,
    origin: `${counted(count)} images of ${images.origin}${part}${upright}`,
    shape: variant.isTransposed ? [width, height, 1] : [height, width, 1],
    pixels: variant.isTransposed ? transpose(values, { height, width }) : values,
  };
  if (file === undefined) return set;
  const { values: numbers } = await readIdxFile(file, 1);
  if (numbers.length !== count) {
    throw new UserError(
      `Cannot pair ${file.origin} with ${images.origin}: it has ${numbers.length} labels, and there ` +
        `are ${count} images`,
    );
  }
  const maxLabel = numbers.reduce((max, label) => Math.max(max, label), 0);
  const { firstLabel, classNames } = variant;
  const isKnown = maxLabel - firstLabel < classNames.length &&
    numbers.every((n) => n >= firstLabel);
  if (!isKnown) {
    const names = Array.from({ length: maxLabel + 1 }, (_, label) => String(label));
    return { ...set, labels: Int32Array.from(numbers), classNames: names };
  }
  // digits are as many as there are, so that a part of MNIST keeps the classes that it has
  const names = variant.isOpen ? classNames.slice(0, maxLabel + 1) : classNames;
  return { ...set, labels: Int32Array.from(numbers, (n) => n - firstLabel), classNames: names };
}

/** `[N, height, width] -> [N, width, height]` */
function transpose(
  values: Uint8Array,
  { height, width }: { height: number; width: number },
): Uint8Array {
  const turned = new Uint8Array(values.length);
  const size = height * width;
  for (let start = 0; start < values.length; start += size) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        turned[start + x * height + y] = values[start + y * width + x];
      }
    }
  }
  return turned;
}
