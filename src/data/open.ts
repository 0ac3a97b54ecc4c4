/**
 * From a run's description of its data to the data: draws what is drawn, and reads what lies at a path
 * with the reader of its kind.
 */
import { checkData } from "../config/check_config.ts";
import { type DataSpec, imageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { UserError } from "../errors.ts";
import { arraySource, pointSource } from "./array_source.ts";
import { readCifarArchive, readCifarFile, readCifarFolder } from "./cifar.ts";
import { readCsvFile } from "./csv.ts";
import { drawDigits } from "./digits/draw_digits.ts";
import { decodedSource, type DecodedStorage } from "./cache/cached_source.ts";
import { RESIZER } from "./images/resize.ts";
import { loadSharp } from "./images/sharp.ts";
import { openFolderStore, openZipStore } from "./images/image_store.ts";
import { type DataProgress, loadImages, pickImages } from "./images/load_images.ts";
import { readMnist } from "./mnist.ts";
import { readNpyFile } from "./npy.ts";
import { type PixelSet, pixelSource } from "./pixel_set.ts";
import { EXPECTED, FOLDER_CONTENTS, recognise, type Recognised } from "./recognise.ts";
import type { DataSource } from "./source.ts";
import { stackDigits } from "./stacked.ts";
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
      return drawDigits({ ...spec, size: drawnSide(spec) });
    case "stacked-mnist":
      return await openStacked(spec, options);
    case "memory":
      throw new UserError(
        "Cannot open the data: they were arrays in a program's memory; give them again as `data`, or " +
          "name files with --data PATH",
      );
  }
  if (path === undefined) throw new UserError(missingPath(spec));
  const found = await recognise(path, spec);
  checkData({ ...spec, source: found.source });
  return await readFound(found, spec, options);
}

/** Stacks the digits at the path, or drawn ones. */
async function openStacked(spec: DataSpec, options: OpenOptions): Promise<DataSource> {
  const { path, size, split, count = DEFAULTS.data.stackedCount } = spec;
  const { seed = DEFAULTS.data.seed } = spec;
  const wanted = { seed, channels: 1, ...(size === undefined ? {} : { size }) } as const;
  const digits = path === undefined
    ? drawDigits({ ...wanted, size: drawnSide(spec) })
    : await openDataSource(
      { source: "auto", path, ...wanted, ...(split ? { split } : {}) },
      options,
    );
  return stackDigits(digits, { count, seed });
}

/** The side of drawn digits, which are squares; checkData() has seen to that. */
function drawnSide({ size }: DataSpec): number | undefined {
  return size === undefined ? undefined : imageSize(size)[0];
}

function missingPath({ source }: DataSpec): string {
  const fetchable = source === "mnist" || source === "cifar-10"
    ? ", or fetch them by --download"
    : "";
  return `The data "${source}" need a path: name ${EXPECTED[source]} by --data PATH${fetchable}`;
}

async function readFound(
  found: Recognised,
  spec: DataSpec,
  { onProgress, signal, ...storage }: OpenOptions,
): Promise<DataSource> {
  const { size, channels, count, split, seed = DEFAULTS.data.seed } = spec;
  const wanted = { size, channels, count, seed };
  switch (found.source) {
    case "mnist":
      return await pixelSource(await readMnist(found.pair), wanted);
    case "cifar-10":
      return await pixelSource(await readCifar(found, split), wanted);
    case "images": {
      using store = found.form === "zip"
        ? openZipStore(found.path)
        : await openFolderStore(found.path, spec.source === "auto" ? FOLDER_CONTENTS : "");
      const { background = DEFAULTS.data.background, range, broken } = spec;
      const options = { ...wanted, background, range, broken, onProgress, signal };
      const picked = await pickImages(store, options);
      const { decoder } = await loadSharp();
      const identity = {
        decoder,
        resizer: RESIZER,
        options: { size, channels, background, range, broken },
        origin: Deno.realPathSync(found.path),
        files: picked.files.map(({ path, sizeBytes, modifiedMs }) => [path, sizeBytes, modifiedMs]),
        labels: picked.labels && [...picked.labels],
        classNames: picked.classNames,
      };
      return await decodedSource(
        storage,
        { identity, name: baseName(found.path) },
        (sink) => loadImages(store.origin, picked, options, sink),
      );
    }
    case "npy": {
      const named = { ...wanted, name: baseName(found.path), origin: found.path };
      return await arraySource(await readNpyFile(found.path), named);
    }
    case "csv": {
      const { values, dimension, labels, classNames } = await readCsvFile(found.path);
      return pointSource(values, {
        ...wanted,
        name: baseName(found.path),
        origin: found.path,
        shape: [dimension],
        labels,
        classNames,
      });
    }
  }
}

async function readCifar(
  found: Extract<Recognised, { source: "cifar-10" }>,
  split: DataSpec["split"],
): Promise<PixelSet> {
  switch (found.form) {
    case "file":
      return await readCifarFile(found.path);
    case "archive":
      return await readCifarArchive(found.path, { split });
    case "folder":
      return await readCifarFolder(found.path, found.names, { split });
  }
}

/** A file's name without its folder and ending. */
function baseName(path: string): string {
  return path.split(/[\\/]/).pop()!.replace(/\.[^.]*$/, "") || "data";
}
