/**
 * The binary versions of CIFAR-10 and CIFAR-100: records of one label (CIFAR-10: the class from 0 to 9) or
 * two (CIFAR-100: one of 20 coarse classes, one of 100 fine ones) and 32 x 32 pixels, all red ones first,
 * then green, then blue, rows from the top. They lie in a folder or an archive.
 * Format: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
 */
import { UserError } from "../errors.ts";
import type { PixelSet } from "./pixel_set.ts";
import { counted } from "./source.ts";
import type { StoredFile } from "./stores/file_store.ts";

const SIDE = 32;
const CHANNEL = SIDE * SIDE;
const PIXEL_BYTES = 3 * CHANNEL;

/** The classes of CIFAR-10, by label. */
const CIFAR10_CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

/** Which of the two. */
export type CifarKind = "cifar-10" | "cifar-100";

/** What tells the two apart. */
const KINDS = {
  "cifar-10": {
    title: "CIFAR-10",
    recordBytes: 1 + PIXEL_BYTES,
    name: /^(?:data_batch_[0-9]+|test_batch)\.bin$/,
    expected: { train: "data_batch_1.bin to data_batch_5.bin", test: "test_batch.bin" },
  },
  "cifar-100": {
    title: "CIFAR-100",
    recordBytes: 2 + PIXEL_BYTES,
    name: /^(?:train|test)\.bin$/,
    expected: { train: "train.bin", test: "test.bin" },
  },
} as const;

/** The labels of a record: which byte, how many classes, the file of their names. */
const LABELS = {
  "class": { byte: 0, classCount: 10, namesFile: "batches.meta.txt" },
  "coarse": { byte: 0, classCount: 20, namesFile: "coarse_label_names.txt" },
  "fine": { byte: 1, classCount: 100, namesFile: "fine_label_names.txt" },
} as const;

/** The most bytes of one file of records: 100,000 of them. */
const MAX_BATCH_BYTES = 100_000 * KINDS["cifar-100"].recordBytes;

/** Files of records, and the file of class names where there is one. */
export interface CifarFiles {
  kind: CifarKind;
  /** Names them all in messages. */
  origin: string;
  /** All files of records, of each split. */
  batches: StoredFile[];
  /** Files that may hold class names. */
  others: readonly StoredFile[];
}

/** What is wanted of them. */
export interface CifarOptions {
  /** Default: the training split where it is there. */
  split?: "train" | "test";
  /** For CIFAR-100: `fine` (the default) or `coarse` classes. */
  label?: string;
}

/** A file's name without the folders that it lies in. */
function baseName({ path }: StoredFile): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether a file is one of records, by its name and size. */
export function cifarKindOf(file: StoredFile): CifarKind | undefined {
  const name = baseName(file);
  if (KINDS["cifar-10"].name.test(name)) return "cifar-10";
  const { name: pattern, recordBytes } = KINDS["cifar-100"];
  return pattern.test(name) && file.sizeBytes > 0 && file.sizeBytes % recordBytes === 0
    ? "cifar-100"
    : undefined;
}

/** Finds the files of records among others. @returns nothing where there are none */
export function findCifar(files: readonly StoredFile[], origin: string): CifarFiles[] {
  return (["cifar-10", "cifar-100"] as const).map((kind) => ({
    kind,
    origin,
    batches: files.filter((file) => cifarKindOf(file) === kind),
    others: files,
  })).filter(({ batches }) => batches.length > 0);
}

/**
 * Reads the records of one split.
 * @throws {UserError} when the split is not there, or a file is damaged
 */
export async function readCifar(files: CifarFiles, options: CifarOptions): Promise<PixelSet> {
  const { kind, origin } = files;
  const { title, recordBytes } = KINDS[kind];
  const labels = LABELS[labelsOf(kind, options.label)];
  const { batches, split } = chooseBatches(files, options);
  const counts = batches.map((file) => recordCount(file, kind));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const set = { pixels: new Uint8Array(total * PIXEL_BYTES), labels: new Int32Array(total) };
  let first = 0;
  for (const [i, file] of batches.entries()) {
    const bytes = await file.read({ maxBytes: MAX_BATCH_BYTES });
    if (bytes.length !== counts[i] * recordBytes) throw changed(file);
    copyRecords(bytes, file.origin, { ...set, first, recordBytes, label: labels, title });
    first += counts[i];
  }
  const part = files.batches.length > 1 || options.split
    ? `, ${split} split in ${batches.length} ${batches.length === 1 ? "file" : "files"}`
    : "";
  return {
    name: kind,
    origin: `${counted(total)} images of ${title} (${origin}${part})`,
    shape: [SIDE, SIDE, 3],
    ...set,
    classNames: await classNames(files, labels),
  };
}

function labelsOf(kind: CifarKind, label: string | undefined): keyof typeof LABELS {
  if (kind === "cifar-10") {
    if (label === undefined) return "class";
    throw new UserError(
      `Cannot take classes "${label}" of CIFAR-10: it has one kind; leave it away`,
    );
  }
  if (label === undefined || label === "fine") return "fine";
  if (label === "coarse") return "coarse";
  throw new UserError(`Cannot take classes "${label}" of CIFAR-100: it has "fine" and "coarse"`);
}

/** The training files, or the test file; training ones where the user has no wish. */
function chooseBatches(
  { kind, batches, origin }: CifarFiles,
  { split }: CifarOptions,
): { batches: StoredFile[]; split: "train" | "test" } {
  const { title, expected } = KINDS[kind];
  const test = batches.filter((file) => baseName(file).startsWith("test"));
  const train = batches.filter((file) => !test.includes(file))
    .sort((a, b) => baseName(a) < baseName(b) ? -1 : 1);
  const chosen = split ?? (train.length > 0 ? "train" : "test");
  const found = chosen === "train" ? train : test;
  if (found.length === 0) {
    throw new UserError(
      `Cannot find the ${chosen} split of ${title} in ${origin}: looked for ${
        expected[chosen]
      }, and ` +
        `there is ${batches.map(baseName).join(", ")}`,
    );
  }
  return { batches: found, split: chosen };
}

function recordCount({ origin, sizeBytes }: StoredFile, kind: CifarKind): number {
  const { recordBytes, title } = KINDS[kind];
  const count = sizeBytes / recordBytes;
  if (Number.isInteger(count) && count > 0) return count;
  throw new UserError(
    `Cannot read ${origin}: it has ${sizeBytes} bytes, which is ${
      sizeBytes === 0 ? "no record" : `${Math.floor(count)} records and a part of one`
    }; a ${title} record has ${recordBytes} bytes, so the file is truncated or of another kind`,
  );
}

function changed({ origin }: StoredFile): UserError {
  return new UserError(`Cannot read ${origin}: its size changed meanwhile`);
}

/** Copies a file's records to where its samples are among all. */
function copyRecords(
  bytes: Uint8Array,
  origin: string,
  { pixels, labels, first, recordBytes, label, title }: {
    pixels: Uint8Array;
    labels: Int32Array;
    first: number;
    recordBytes: number;
    label: { byte: number; classCount: number };
    title: string;
  },
): void {
  const skipped = recordBytes - PIXEL_BYTES;
  for (let record = 0; record < bytes.length / recordBytes; record++) {
    const start = record * recordBytes;
    const value = bytes[start + label.byte];
    if (value >= label.classCount) {
      throw new UserError(
        `Cannot read ${origin}: record ${record} has the label ${value}, and ${title} has 0 to ` +
          `${label.classCount - 1}: the file is damaged or of another kind`,
      );
    }
    labels[first + record] = value;
    let to = (first + record) * PIXEL_BYTES;
    const red = start + skipped;
    for (let at = red; at < red + CHANNEL; at++) { // [3, 32, 32] -> [32, 32, 3]
      pixels[to++] = bytes[at];
      pixels[to++] = bytes[at + CHANNEL];
      pixels[to++] = bytes[at + 2 * CHANNEL];
    }
  }
}

async function classNames(
  { kind, others }: CifarFiles,
  { namesFile, classCount }: { namesFile: string; classCount: number },
): Promise<readonly string[]> {
  const file = others.find((file) => baseName(file) === namesFile);
  if (!file) {
    return kind === "cifar-10"
      ? CIFAR10_CLASSES
      : Array.from({ length: classCount }, (_, label) => String(label));
  }
  const names = new TextDecoder().decode(await file.read({ maxBytes: 65536 })).split("\n")
    .map((line) => line.trim()).filter((line) => line !== "");
  if (names.length === classCount) return names;
  throw new UserError(
    `Cannot read ${file.origin}: it has ${names.length} class names, and ${
      KINDS[kind].title
    } has ` +
      `${classCount}, one a line`,
  );
}
