/**
 * From a run's description of its data to the data: draws what is drawn, and reads what lies at a path
 * with the reader of its kind.
 */
import { checkData } from "../config/check_config.ts";
import { type DataSpec, imageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { UserError } from "../errors.ts";
import { readArrayLabels } from "./arrays/array_labels.ts";
import { arraySource } from "./arrays/array_source.ts";
import { openLargeArray } from "./arrays/large_array.ts";
import { readNpyFile } from "./arrays/npy.ts";
import { readCifar } from "./cifar.ts";
import { drawDigits } from "./digits/draw_digits.ts";
import { decodedSource, type DecodedStorage, findDecoded } from "./cache/cached_source.ts";
import { selectImages } from "./images/image_store.ts";
import { decodedImages } from "./images/decoded_images.ts";
import { pickImages } from "./images/load_images.ts";
import type { DataProgress } from "./progress.ts";
import { RESIZER } from "./images/resize.ts";
import { loadSharp } from "./images/sharp.ts";
import { readMnist } from "./mnist.ts";
import { type KeepReshaped, pixelSource } from "./pixel_set.ts";
import { pointSource } from "./points.ts";
import { EXPECTED, recognize, type Recognized } from "./recognize.ts";
import type { DataSource } from "./source.ts";
import { stackDigits } from "./stacked.ts";
import type { StoredFile } from "./stores/file_store.ts";
import { detectDialect } from "./tables/records.ts";
import { readTable } from "./tables/table.ts";
import { findRowImages, readRowImages } from "./tables/table_images.ts";
import { tablePoints } from "./tables/table_points.ts";
import { drawToyData } from "./toy.ts";

/** How to open a data source. */
export interface OpenOptions extends DecodedStorage {
  /** Called as images of a folder or an archive are looked at, and then decoded. */
  onProgress?: (progress: DataProgress) => void;
  /** Stops the loading of images. */
  signal?: AbortSignal;
}

/**
 * Opens the data that a run asks for.
 *
 * @example
 * ```ts
 * import { openDataSource } from "./open.ts";
 *
 * const data = await openDataSource({ source: "digits", count: 100 });
 * const { values, labels } = data.batch(new Uint32Array([0, 1, 2])); // [3, 28, 28, 1] in [-1, 1]
 * ```
 *
 * @throws {UserError} when the description makes no sense, nothing usable lies at its path, or a file
 * is broken
 */
export async function openDataSource(
  spec: DataSpec,
  options: OpenOptions = {},
): Promise<DataSource> {
  checkData(spec);
  const { source, path } = spec;
  switch (source) {
    case "mixture-1d":
    case "normal-1d":
    case "ring-2d":
    case "grid-2d":
      return drawToyData(source, spec);
    case "digits":
      return drawDigits({ ...spec, size: syntheticSide(spec) });
    case "stacked-mnist":
      return await openStacked(spec, options);
    case "memory":
      throw new UserError(
        "Cannot open the data: they were arrays in a program's memory; give them again as `data`, or " +
          "name files with --data PATH",
      );
  }
  if (path === undefined) throw new UserError(missingPath(spec));
  using found = await recognize(path, spec);
  checkData({ ...spec, source: found.data.source });
  return await readFound(found, spec, options);
}

/** Stacks the digits at the path, or synthetic ones. */
async function openStacked(spec: DataSpec, options: OpenOptions): Promise<DataSource> {
  const { path, size, split, count = DEFAULTS.data.stackedCount } = spec;
  const { seed = DEFAULTS.data.seed } = spec;
  const wanted = { seed, channels: 1, ...(size === undefined ? {} : { size }) } as const;
  const digits = path === undefined
    ? drawDigits({ ...wanted, size: syntheticSide(spec) })
    : await openDataSource(
      { source: "auto", path, ...wanted, ...(split ? { split } : {}) },
      options,
    );
  return stackDigits(digits, { count, seed });
}

/** The side of synthetic digits, which are squares; checkData() has seen to that. */
function syntheticSide({ size }: DataSpec): number | undefined {
  return size === undefined ? undefined : imageSize(size)[0];
}

function missingPath({ source }: DataSpec): string {
  const fetchable = source === "mnist" || source === "cifar-10"
    ? ", or fetch them by --download"
    : "";
  return `The data "${source}" need a path: name ${EXPECTED[source]} by --data PATH${fetchable}`;
}

async function readFound(
  { data, origin }: Recognized,
  spec: DataSpec,
  { onProgress, signal, ...storage }: OpenOptions,
): Promise<DataSource> {
  const { size, channels, count, split, label, range } = spec;
  const { seed = DEFAULTS.data.seed } = spec;
  const wanted = { size, channels, count, seed };
  switch (data.source) {
    case "mnist": {
      const { images, labels } = data.pair;
      const files = labels ? [images, labels] : [images];
      return await reshaped(
        { files, origin, spec, storage },
        (keep) => readMnist(data.pair).then((set) => pixelSource(set, wanted, keep)),
      );
    }
    case "cifar-10":
    case "cifar-100":
      return await reshaped(
        { files: data.files.batches, origin, spec, storage },
        (keep) =>
          readCifar(data.files, { split, label }).then((set) => pixelSource(set, wanted, keep)),
      );
    case "images": {
      const store = await selectImages(data.store, { split });
      const { background = DEFAULTS.data.background, broken } = spec;
      const options = { ...wanted, label, background, range, broken, onProgress, signal };
      const picked = await pickImages(store, options);
      return await decodedImages(store, picked, { origin, storage, options });
    }
    case "npy":
      return await readArrays({ data, origin }, spec, { onProgress, signal, ...storage });
    case "csv":
      return await readTableFile(data.file, spec, storage);
  }
}

/** Reads an array of images or points. */
async function readArrays(
  { data, origin }: { data: Recognized["data"] & { source: "npy" }; origin: string },
  spec: DataSpec,
  { onProgress, signal, ...storage }: OpenOptions,
): Promise<DataSource> {
  const { samples, labels, notes } = data.arrays;
  const { size, channels, count, seed = DEFAULTS.data.seed, range, standardize } = spec;
  const files = labels ? [samples, labels] : [samples];
  const name = baseName(origin);
  const wanted = { size, channels, count, seed, name };
  const readClasses = async (rows: number) => labels && await readArrayLabels(labels, rows);
  const large = range ? undefined : await openLargeArray(samples, {
    ...wanted,
    readClasses,
    noClasses: labels && severalLabels(labels),
    notes,
    storage,
    identity: await identityOf({ files, origin, spec }),
    onProgress,
    signal,
  });
  if (large) return large;
  return await reshaped({ files, origin, spec, storage }, async (keep) => {
    const array = await readNpyFile(samples);
    const classes = await readClasses(array.shape[0]);
    return await arraySource(array, {
      ...wanted,
      origin: samples.origin,
      range,
      standardize,
      keep,
      ...(classes ? { classes } : {}),
      notes: labels && !classes ? [...notes, severalLabels(labels)] : notes,
    });
  });
}

function severalLabels({ origin }: StoredFile): string {
  return `${origin} has several labels a sample: they are left out`;
}

/** What a data set is read from, and what is wanted of it. */
interface ReadFrom {
  files: readonly StoredFile[];
  origin: string;
  spec: DataSpec;
}

/** Everything that the samples of some files depend on. */
async function identityOf({ files, origin, spec }: ReadFrom): Promise<unknown> {
  const { path: _, ...options } = spec;
  return {
    decoder: (await loadSharp()).decoder,
    resizer: RESIZER,
    options,
    origin: Deno.realPathSync(origin),
    files: files.map(({ path, sizeBytes, modifiedMs }) => [path, sizeBytes, modifiedMs]),
  };
}

/** Opens images that may be resized or converted: then from the cache, where there is one. */
async function reshaped(
  { storage, ...from }: ReadFrom & { storage: DecodedStorage },
  read: (keep?: KeepReshaped) => Promise<DataSource>,
): Promise<DataSource> {
  const { size, channels } = from.spec;
  if (!storage.cache || size === undefined && channels === undefined) return await read();
  const made = { identity: await identityOf(from), name: baseName(from.origin) };
  return await findDecoded(storage, made) ??
    await read((build) => decodedSource(storage, made, build));
}

/** Reads a table of points, or of images that lie in its rows. */
async function readTableFile(
  file: StoredFile,
  spec: DataSpec,
  storage: DecodedStorage,
): Promise<DataSource> {
  const { size, channels, count, label, columns, missing, standardize } = spec;
  const { seed = DEFAULTS.data.seed } = spec;
  const name = baseName(file.origin);
  const wanted = { size, channels, count, seed };
  const dialect = await detectDialect(file);
  const images = columns || label ? undefined : await findRowImages(file, dialect);
  if (images) {
    return await reshaped(
      { files: [file], origin: file.origin, spec, storage },
      (keep) =>
        readRowImages(file, dialect, { ...images, name })
          .then((set) => pixelSource(set, wanted, keep)),
    );
  }
  const table = await readTable(file, {
    textColumns: label === undefined ? [] : [label],
    wanted: [...columns ?? [], ...(label === undefined ? [] : [label])],
  });
  const { origin } = file;
  const points = tablePoints(table, { origin, label, columns, missing });
  return pointSource(points.values, { ...points, ...wanted, name, origin, standardize });
}

/** A file's name without its folder and ending. */
function baseName(path: string): string {
  return path.split(/[\\/]/).pop()!.replace(/(?<=.)(?:\.[^.]{1,6})?(?:\.gz)?$/i, "") || "data";
}
