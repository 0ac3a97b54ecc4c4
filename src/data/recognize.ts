/** Recognizes what kind of data a file, a folder or an archive holds, by names and first bytes. */
import type { DataSourceName, DataSpec } from "../config/data.ts";
import { UserError } from "../errors.ts";
import { withSlashes } from "../files.ts";
import { arrayName, chooseArrays, type ChosenArrays } from "./arrays/named_arrays.ts";
import { type CifarFiles, cifarKindOf, findCifar } from "./cifar.ts";
import { formatNames, holdsImages } from "./images/image_store.ts";
import { imageFormatOfName, sniffImageFormat } from "./images/image_formats.ts";
import { splitOfWord } from "./images/split_folders.ts";
import { findIdxPair, type IdxPair, idxPair } from "./mnist.ts";
import { foreignFormat, looksLikeText, startsAs } from "./signatures.ts";
import type { FileStore, StoredFile } from "./stores/file_store.ts";
import { openFile, openStore, siblingFiles } from "./stores/open_store.ts";

/** What lies at a path, with what its reader needs; disposed of when it has been read. */
export type Recognized = Disposable & {
  /** The path, as the user named it. */
  origin: string;
  data: RecognizedData;
};

/** The files of the data, by kind. */
export type RecognizedData =
  | { source: "mnist"; pair: IdxPair }
  | { source: "cifar-10" | "cifar-100"; files: CifarFiles }
  | { source: "images"; store: FileStore }
  | { source: "npy"; arrays: ChosenArrays }
  | { source: "csv"; file: StoredFile };

/** What the user said of the data. */
export type Wanted = Pick<DataSpec, "source" | "split" | "subset" | "label">;

/** What the sources that need a path want there. */
export const EXPECTED: Partial<Record<DataSourceName, string>> = {
  "auto": "a file or folder of data",
  "mnist":
    "train-images-idx3-ubyte and train-labels-idx1-ubyte (or t10k-...), each plain or .gz, in a folder",
  "cifar-10": "data_batch_1.bin to data_batch_5.bin (or test_batch.bin), or cifar-10-binary.tar.gz",
  "cifar-100": "train.bin or test.bin of CIFAR-100's binary version, or cifar-100-binary.tar.gz",
  "images": "a folder, .zip or .tar.gz of image files, its sub-folders being the classes",
  "npy": "a .npy or .npz file of images or points",
  "csv": "a .csv file with one point a line",
};

/** What is looked for in a folder besides images. */
const FOLDER_CONTENTS =
  "MNIST (train-images-idx3-ubyte or t10k-images-idx3-ubyte, plain or .gz), " +
  "CIFAR (data_batch_1.bin or train.bin), .npz, .npy and .csv files and ";

/**
 * Recognizes the data at a path.
 * @param wanted what the user said that it is; the source "auto" for anything
 * @throws {UserError} when it is nothing known, or not what the user said
 */
export async function recognize(path: string, wanted: Wanted): Promise<Recognized> {
  const slashed = withSlashes(path);
  const origin = slashed.length > 1 ? slashed.replace(/(?<=.)\/+$/, "") : slashed;
  using cleanup = new DisposableStack();
  const store = await openStore(origin);
  if (store) cleanup.use(store);
  const data = store
    ? await recognizeStore(store, { wanted, cleanup })
    : await recognizeFile(await openFile(origin), wanted);
  if (wanted.source !== "auto" && wanted.source !== data.source) {
    throw new UserError(
      `Cannot read ${path} as "${wanted.source}": it looks like "${data.source}"; ` +
        `take the source "auto" to read it as what it is`,
    );
  }
  const resources = cleanup.move();
  return { origin, data, [Symbol.dispose]: () => resources.dispose() };
}

async function recognizeStore(
  store: FileStore,
  { wanted, cleanup }: { wanted: Wanted; cleanup: DisposableStack },
): Promise<RecognizedData> {
  const { files, origin } = store;
  const { source, split, subset, label } = wanted;
  const isWanted = (candidate: DataSourceName) => source === "auto" || source === candidate;
  const mnist = isWanted("mnist") ? findIdxPair(files, { split, subset, origin }) : undefined;
  const cifar = findCifar(files, origin).filter(({ kind }) => isWanted(kind));
  const found: RecognizedData[] = [
    ...(mnist ? [{ source: "mnist", pair: mnist } as const] : []),
    ...cifar.map((files) => ({ source: files.kind, files })),
  ];
  if (found.length > 1) {
    const names = found.map(({ source }) => source);
    throw new UserError(
      `Cannot choose in ${origin}: it holds ${
        names.join(" and ")
      }; say which by --set data.source=${names[0]}`,
    );
  }
  if (found.length === 1) return found[0];
  if (source === "auto" || source.startsWith("cifar")) {
    const inner = await innerArchive(store, cleanup);
    if (inner) return await recognizeStore(inner, { wanted, cleanup });
    refusePickles(files);
  }
  const arrays = files.filter(({ path }) => /\.npy(?:\.gz)?$/i.test(path));
  const isArchiveOfArrays = arrays.length > 0 && arrays.length === files.length;
  const hasImages = !isArchiveOfArrays && isWanted("images") && await holdsImages(files);
  if (hasImages) return { source: "images", store };
  if (isWanted("npy")) {
    if (arrays.length > 0) {
      return {
        source: "npy",
        arrays: await chooseArrays(arrays, { origin, split, subset, label }),
      };
    }
    const packed = pickBySplit(files.filter(({ path }) => /\.npz$/i.test(path)), wanted);
    if (packed) return await recognizePacked(packed, { wanted, cleanup });
  }
  const table = isWanted("csv")
    ? pickBySplit(files.filter(({ path }) => TABLE_NAME.test(path)), wanted)
    : undefined;
  if (table) return { source: "csv", file: table };
  throw nothingFound(store, source);
}

const TABLE_NAME = /\.(?:csv|tsv|tab)(?:\.gz)?$/i;

/** The only file, or the only one of the wanted split by its name. */
function pickBySplit(
  files: readonly StoredFile[],
  { split, subset }: Wanted,
): StoredFile | undefined {
  if (subset !== undefined) return files.find(({ path }) => path.includes(subset));
  if (files.length <= 1) return files[0];
  const ofSplit = files.filter(({ path }) =>
    path.split(/[^A-Za-z]+/).map(splitOfWord).includes(split ?? "train")
  );
  return ofSplit.length === 1 ? ofSplit[0] : undefined;
}

/** CIFAR's archive, as it was downloaded, in a folder. */
async function innerArchive(
  { files, form }: FileStore,
  cleanup: DisposableStack,
): Promise<FileStore | undefined> {
  const name = /(?:^|\/)cifar-10+-binary\.tar\.gz$/;
  const archives = form === "folder" ? files.filter(({ path }) => name.test(path)) : [];
  if (archives.length !== 1) return undefined;
  const store = await openStore(archives[0].origin);
  return store && cleanup.use(store);
}

/** A .npz file that lies on the disk, as a store; one in an archive would have to be unpacked first. */
async function recognizePacked(
  file: StoredFile,
  { wanted, cleanup }: { wanted: Wanted; cleanup: DisposableStack },
): Promise<RecognizedData> {
  const store = await openStore(file.origin).catch((error) => {
    throw error instanceof UserError
      ? new UserError(`Cannot read ${file.origin}: it lies in another archive; unpack that first`, {
        cause: error,
      })
      : error;
  });
  if (!store) throw new UserError(`Cannot read ${file.origin}: it is no .npz archive`);
  return await recognizeStore(cleanup.use(store), { wanted, cleanup });
}

/** CIFAR's Python version holds pickles, which are programs. */
function refusePickles(files: readonly StoredFile[]): void {
  const pickle = files.find(({ path }) =>
    /(?:^|\/)data_batch_1$|(?:^|\/)cifar-100-python\/train$/.test(path)
  );
  if (!pickle) return;
  throw new UserError(
    `Cannot read ${pickle.origin}: it belongs to CIFAR's Python version; the binary version is needed ` +
      `(cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, or the .bin files in it)`,
  );
}

function nothingFound({ origin, files, form }: FileStore, source: DataSourceName): UserError {
  if (source !== "auto" && source !== "images") {
    return new UserError(
      `Cannot find data in ${origin} for the source "${source}": looked for ${
        EXPECTED[source] ?? "a file"
      }`,
    );
  }
  const names = files.slice(0, 5).map(({ path }) => path).join(", ");
  const more = files.length > 5 ? ` and ${files.length - 5} more` : "";
  const held = files.length === 0 ? "no files" : `${names}${more}`;
  const hint = files.length > 1 && form === "folder" ? "; name a data file itself" : "";
  return new UserError(
    `Cannot find data in ${origin}: looked for ${source === "auto" ? FOLDER_CONTENTS : ""}images ` +
      `(${formatNames()}, by name or by their first bytes, in sub-folders too), and it holds ` +
      held + hint,
  );
}

async function recognizeFile(file: StoredFile, wanted: Wanted): Promise<RecognizedData> {
  const { origin, path: name } = file;
  const cifar = cifarKindOf(file);
  if (cifar) {
    const files = { kind: cifar, origin, batches: [file], others: await siblingFiles(origin) };
    return { source: cifar, files };
  }
  const start = await startsAs(file);
  if (start.startsWith("\0\0\x08\x03")) {
    const siblings = await siblingFiles(origin);
    return { source: "mnist", pair: idxPair(file, siblings) };
  }
  if (["\0\0\x08\x01", "\0\0\x0c\x02"].includes(start.slice(0, 4))) {
    throw new UserError(
      `Cannot train on ${origin}: it holds the labels of MNIST; name the file of images or the folder`,
    );
  }
  if (start.startsWith("\x93NUMPY")) {
    return { source: "npy", arrays: await withLabels(file, wanted) };
  }
  const bytes = Uint8Array.from(start, (character) => character.charCodeAt(0));
  if (sniffImageFormat(bytes) || imageFormatOfName(name)) {
    throw new UserError(
      `Cannot train on ${origin}: it is a single image; name the folder it is in`,
    );
  }
  const foreign = foreignFormat(start, name);
  if (foreign) throw new UserError(`Cannot read ${origin}: it is ${foreign}`);
  if (looksLikeText(bytes)) return { source: "csv", file };
  const hex = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  throw new UserError(
    `Cannot recognize ${origin}: it starts with ${
      hex.join(" ")
    }; known are MNIST's IDX files (plain or ` +
      `.gz), CIFAR's .bin and .tar.gz, a .zip or .tar.gz of images, .npy, .npz, .csv, .tsv and .txt`,
  );
}

/** An array with the labels beside it: `labels.npy`, or `y_train.npy` beside `x_train.npy`. */
async function withLabels(file: StoredFile, wanted: Wanted): Promise<ChosenArrays> {
  const { origin } = file;
  const arrays = (await siblingFiles(origin)).filter(({ path }) => /\.npy(?:\.gz)?$/i.test(path));
  const own = arrays.find((sibling) => sibling.path === file.path) ?? file;
  const near = arrays.filter((sibling) =>
    sibling === own || wanted.label === arrayName(sibling) ||
    /(?:^|[^a-z])(?:y|labels?|targets?|classes)(?![a-z])/i.test(arrayName(sibling))
  );
  const all = near.includes(own) ? near : [own, ...near];
  const chosen = await chooseArrays(all, {
    origin,
    subset: arrayName(own),
    ...(wanted.label === undefined ? {} : { label: wanted.label }),
  });
  return { ...chosen, notes: chosen.labels ? [`labels from ${chosen.labels.origin}`] : [] };
}
