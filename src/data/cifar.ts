/**
 * CIFAR-10's binary version: records of 3073 bytes, a label from 0 to 9 and then 32 x 32 pixels, all
 * red ones first, then green, then blue, rows from the top. Five files of 10,000 for training, one for
 * testing; a folder or the .tar.gz. Format: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
 */
import { UserError } from "../errors.ts";
import { type ByteReader, openBytes, readSmallFile } from "./byte_reader.ts";
import type { PixelSet } from "./pixel_set.ts";
import { readTar } from "./tar.ts";
import { counted } from "./source.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

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

const BATCH_NAME = /^(?:data_batch_(?:[0-9]+)|test_batch)\.bin$/;
const CLASSES_NAME = "batches.meta.txt";

/** The most bytes of one file of records: 100,000 of them, ten times what CIFAR-10 has. */
const MAX_BATCH_BYTES = 100_000 * RECORD;

/** A file of records in memory. */
interface BatchFile {
  /** Its name without the folder. */
  name: string;
  /** Names it in messages. */
  origin: string;
  bytes: Uint8Array;
}

/** Whether a file's name is that of a batch of CIFAR-10's binary version. */
export function isCifarBatch(name: string): boolean {
  return BATCH_NAME.test(name);
}

/**
 * Turns records into pixels.
 * @returns pixels `[count, 32, 32, 3]`, labels `[count]`
 * @throws {UserError} when the size is no whole number of records, or a label is above 9
 */
export function parseCifarBatch(
  bytes: Uint8Array,
  origin: string,
): { pixels: Uint8Array; labels: Int32Array } {
  const count = bytes.length / RECORD;
  if (bytes.length === 0 || !Number.isInteger(count)) {
    throw new UserError(
      `Cannot read ${origin}: it has ${bytes.length} bytes, which is ${
        bytes.length === 0 ? "no record" : `${Math.floor(count)} records and a part of one`
      }; a CIFAR-10 record has ${RECORD} bytes, so the file is truncated or of another kind`,
    );
  }
  const pixels = new Uint8Array(count * 3 * PLANE);
  const labels = new Int32Array(count);
  for (let record = 0; record < count; record++) {
    const start = record * RECORD;
    const label = bytes[start];
    if (label > 9) {
      throw new UserError(
        `Cannot read ${origin}: record ${record} has the label ${label}, and CIFAR-10 has 0 to 9: ` +
          `the file is damaged or of another kind`,
      );
    }
    labels[record] = label;
    let to = record * 3 * PLANE;
    for (let red = start + 1; red <= start + PLANE; red++) { // [3, 32, 32] -> [32, 32, 3]
      pixels[to++] = bytes[red];
      pixels[to++] = bytes[red + PLANE];
      pixels[to++] = bytes[red + 2 * PLANE];
    }
  }
  return { pixels, labels };
}

/**
 * Reads the batches of a folder.
 * @param names the folder's files
 */
export async function readCifarFolder(
  folder: string,
  names: readonly string[],
  { split }: { split?: "train" | "test" },
): Promise<PixelSet> {
  const chosen = chooseBatches(names.filter(isCifarBatch), { split, origin: folder });
  const files: BatchFile[] = [];
  for (const name of chosen.names) {
    const origin = `${folder}/${name}`;
    files.push({ name, origin, bytes: await readSmallFile(origin, { maxBytes: MAX_BATCH_BYTES }) });
  }
  const classes = names.includes(CLASSES_NAME)
    ? parseClassNames(
      await readSmallFile(`${folder}/${CLASSES_NAME}`, { maxBytes: 65536 }),
      `${folder}/${CLASSES_NAME}`,
    )
    : CIFAR10_CLASSES;
  return joinBatches(files, { classes, origin: folder, split: chosen.split });
}

/** Reads one batch file. */
export async function readCifarFile(path: string): Promise<PixelSet> {
  const bytes = await readSmallFile(path, { maxBytes: MAX_BATCH_BYTES });
  return joinBatches([{ name: path, origin: path, bytes }], {
    classes: CIFAR10_CLASSES,
    origin: path,
  });
}

/** Reads the batches of a .tar or .tar.gz. */
export async function readCifarArchive(
  path: string,
  { split }: { split?: "train" | "test" },
): Promise<PixelSet> {
  const reader = await openBytes(path);
  try {
    return await parseCifarArchive(reader, { split });
  } finally {
    await reader.close();
  }
}

/** Reads the batches of a tar archive from its bytes. */
export async function parseCifarArchive(
  reader: ByteReader,
  { split }: { split?: "train" | "test" },
): Promise<PixelSet> {
  const files: BatchFile[] = [];
  let classes: readonly string[] = CIFAR10_CLASSES;
  for await (const entry of readTar(reader)) {
    const name = entry.path.split("/").pop()!;
    const origin = `${reader.origin}/${entry.path}`;
    if (isCifarBatch(name)) {
      if (entry.sizeBytes > MAX_BATCH_BYTES) {
        throw new UserError(
          `Cannot read ${origin}: it has ${entry.sizeBytes} bytes, and the limit is ${MAX_BATCH_BYTES}`,
        );
      }
      files.push({ name, origin, bytes: await entry.read() });
    } else if (name === CLASSES_NAME && entry.sizeBytes <= 65536) {
      classes = parseClassNames(await entry.read(), origin);
    }
  }
  const { origin } = reader;
  const chosen = chooseBatches(files.map(({ name }) => name), { split, origin });
  const batches = files.filter(({ name }) => chosen.names.includes(name))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  return joinBatches(batches, { classes, origin, split: chosen.split });
}

/** The training batches, or the test batch; training ones where the user has no wish. */
function chooseBatches(
  names: readonly string[],
  { split, origin }: { split?: "train" | "test"; origin: string },
): { names: string[]; split: "train" | "test" } {
  const train = names.filter((name) => name.startsWith("data_batch_")).sort();
  const test = names.filter((name) => name === "test_batch.bin");
  const chosen = split ?? (train.length > 0 ? "train" : "test");
  const files = chosen === "train" ? train : test;
  if (files.length === 0) {
    const wanted = chosen === "train" ? "data_batch_1.bin to data_batch_5.bin" : "test_batch.bin";
    const found = names.length > 0 ? names.join(", ") : "neither these nor other batches";
    throw new UserError(
      `Cannot find the ${chosen} split of CIFAR-10 in ${origin}: looked for ${wanted}, and there ` +
        `is ${found}`,
    );
  }
  return { names: files, split: chosen };
}

function parseClassNames(bytes: Uint8Array, origin: string): string[] {
  const names = new TextDecoder().decode(bytes).split("\n").map((line) => line.trim())
    .filter((line) => line !== "");
  if (names.length !== 10) {
    throw new UserError(
      `Cannot read ${origin}: it has ${names.length} class names, and CIFAR-10 has 10, one a line`,
    );
  }
  return names;
}

function joinBatches(
  files: readonly BatchFile[],
  { classes, origin, split }: {
    classes: readonly string[];
    origin: string;
    split?: "train" | "test";
  },
): PixelSet {
  const total = files.reduce((sum, { bytes }) => sum + Math.floor(bytes.length / RECORD), 0);
  const pixels = new Uint8Array(total * 3 * PLANE);
  const labels = new Int32Array(total);
  let at = 0;
  for (const file of files) {
    const batch = parseCifarBatch(file.bytes, file.origin);
    pixels.set(batch.pixels, at * 3 * PLANE);
    labels.set(batch.labels, at);
    at += batch.labels.length;
  }
  const part = split === undefined ? "" : `, ${split} split in ${files.length} files`;
  return {
    name: "cifar-10",
    origin: `${counted(total)} pictures of CIFAR-10 (${origin}${part})`,
    shape: [SIDE, SIDE, 3],
    pixels,
    labels,
    classNames: classes,
  };
}
