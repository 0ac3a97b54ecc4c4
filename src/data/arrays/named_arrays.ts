/**
 * Which of several arrays are the samples and which their labels: the arrays of a .npz or of a folder of
 * .npy files, by their names (`x_train`, `y_train`, `train_images`, `labels`) and shapes.
 */
import { UserError } from "../../errors.ts";
import { splitOfWord } from "../images/split_folders.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { type NpyHeader, withNpy } from "./npy.ts";

/** The samples' array, and that of their labels where there is one. */
export interface ChosenArrays {
  samples: StoredFile;
  labels?: StoredFile;
  /** The split that the name of the samples says. */
  split?: "train" | "test" | "validation";
  /** What was chosen or left out, one line each. */
  notes: string[];
}

/** What is wanted of the arrays. */
export interface ChooseOptions {
  /** Names them all in messages. */
  origin: string;
  split?: "train" | "test";
  /** The name of the samples' array. */
  subset?: string;
  /** The name of the labels' array. */
  label?: string;
}

const LABEL_WORDS = new Set([
  "y",
  "label",
  "labels",
  "target",
  "targets",
  "class",
  "classes",
  "lbl",
]);

interface NamedArray {
  file: StoredFile;
  name: string;
  header: NpyHeader;
  isLabels: boolean;
  split?: "train" | "test" | "validation";
  /** The name without the words for split and role: what samples and labels have in common. */
  stem: string;
}

/** The name of an array without its folders and ending. */
export function arrayName({ path }: StoredFile): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.np[yz](?:\.gz)?$/i, "");
}

const SAMPLE_WORDS = new Set(["x", "image", "images", "imgs", "img", "data", "samples", "inputs"]);

function describeName(name: string): Pick<NamedArray, "isLabels" | "split" | "stem"> {
  const words = name.toLowerCase().split(/[^a-z0-9]+|(?<=[a-z])(?=[0-9])/).filter(Boolean);
  const isRole = (word: string) => LABEL_WORDS.has(word) || SAMPLE_WORDS.has(word);
  const split = words.map(splitOfWord).find((found) => found !== undefined);
  const stem = words.filter((word) => splitOfWord(word) === undefined && !isRole(word)).join("-");
  const isLabels = words.some((word) => LABEL_WORDS.has(word));
  return { isLabels, stem, ...(split ? { split } : {}) };
}

/**
 * Chooses samples and labels.
 * @throws {UserError} when several arrays could be meant, or the wanted one is not there
 */
export async function chooseArrays(
  files: readonly StoredFile[],
  { origin, split, subset, label }: ChooseOptions,
): Promise<ChosenArrays> {
  const all: NamedArray[] = [];
  for (const file of files) {
    const header = await withNpy(file, (_, header) => Promise.resolve(header));
    all.push({ file, name: arrayName(file), header, ...describeName(arrayName(file)) });
  }
  const listed = all.map(({ name, header: { dtype, shape } }) =>
    `${name} (${dtype.text} ${shape.join("x")})`
  ).join(", ");
  const labelNames = new Set(all.filter(({ isLabels }) => isLabels).map(({ name }) => name));
  const isLabels = (array: NamedArray) =>
    label === undefined ? labelNames.has(array.name) : array.name === label;
  const candidates = all.filter((array) =>
    subset === undefined ? !isLabels(array) && isNumeric(array) : array.name === subset
  );
  const samples = pickSamples(candidates, split);
  if (samples === undefined) {
    const wish = split === undefined ? "" : ` of the ${split} split`;
    throw new UserError(
      `Cannot choose the samples${wish} in ${origin}: it holds ${listed}; name one by --set ` +
        `data.subset=${candidates[0]?.name ?? all[0]?.name ?? "NAME"}`,
    );
  }
  const count = samples.header.shape[0];
  const fits = (array: NamedArray) => array !== samples && array.header.shape[0] === count;
  const labels = label === undefined
    ? pickLabels(all.filter(fits), samples)
    : all.find((array) => array.name === label);
  if (label !== undefined && (!labels || !fits(labels))) {
    throw new UserError(
      `Cannot take classes from the array "${label}" of ${origin}: it needs one with ${count} rows, ` +
        `and there is ${listed}`,
    );
  }
  const rest = all.filter((array) => array !== samples && array !== labels).map(({ name }) => name);
  return {
    samples: samples.file,
    ...(labels ? { labels: labels.file } : {}),
    ...(samples.split ? { split: samples.split } : {}),
    notes: rest.length ? [`took the array ${samples.name}; left out ${rest.join(", ")}`] : [],
  };
}

function isNumeric({ header: { dtype, shape } }: NamedArray): boolean {
  return dtype.kind !== "U" && dtype.kind !== "S" && shape.length > 0;
}

/** The array of the wanted split, or the only one. */
function pickSamples(
  candidates: readonly NamedArray[],
  split: "train" | "test" | undefined,
): NamedArray | undefined {
  if (candidates.length === 1 && candidates[0].split === undefined) return candidates[0];
  const order = split === "test" ? ["test", "validation"] : split ? [split] : ["train", undefined];
  for (const wanted of order) {
    const found = candidates.filter(({ split }) => split === wanted);
    if (found.length === 1) return found[0];
    const largest = largestOf(found);
    if (largest) return largest;
  }
  return split === undefined && candidates.length === 1 ? candidates[0] : undefined;
}

/** The array with more axes than all others of the same split: images beside their features. */
function largestOf(arrays: readonly NamedArray[]): NamedArray | undefined {
  const maxRank = Math.max(...arrays.map(({ header }) => header.shape.length));
  const found = arrays.filter(({ header }) => header.shape.length === maxRank);
  return found.length === 1 ? found[0] : undefined;
}

/** The labels that go with samples: of the same split and stem, or the only flat ones. */
function pickLabels(
  fitting: readonly NamedArray[],
  samples: NamedArray,
): NamedArray | undefined {
  const named = fitting.filter(({ isLabels, split }) => isLabels && split === samples.split);
  const same = named.filter(({ stem }) => stem === samples.stem);
  if (same.length === 1) return same[0];
  if (named.length === 1) return named[0];
  const positional = fitting.filter(({ name, header }) =>
    // np.savez(path, images, labels)
    /^arr_[0-9]+$/.test(name) && header.shape.length === 1 && header.dtype.kind !== "f"
  );
  return named.length === 0 && positional.length === 1 ? positional[0] : undefined;
}
