/** Fetches MNIST and CIFAR-10 from their documented addresses, or says where to put them. */
import { type DataSpec, withDataPath } from "../config/data.ts";
import { DownloadError, UserError } from "../errors.ts";
import {
  DOWNLOAD_OF,
  type DownloadName,
  DOWNLOADS,
  type RemoteDataset,
} from "./download_catalog.ts";
import { fetchFile, TransferError, type TransferOptions, write } from "./transfer.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** Name of the file that is being fetched. */
  file: string;
  /** Bytes of all files that are there. */
  doneBytes: number;
  /** Bytes of all files. */
  totalBytes: number;
}

/** How to fetch. */
export interface DownloadOptions extends TransferOptions {
  /** Another server with the same files, with a `/` at its end. */
  baseUrl?: string;
  /** Called as bytes arrive. */
  onProgress?: (progress: DownloadProgress) => void;
}

/** What {@linkcode downloadSource} fetched. */
export interface DownloadedSource {
  /** The same source, reading the files that were fetched. */
  spec: DataSpec;
  /** What people call the data set. */
  title: string;
  /** Where its files are. */
  folder: string;
}

/**
 * Fetches what a source reads into `data/<data set>`: stacked digits and `mnist` share MNIST's files.
 * @param options.root the folder that `data` is in; default the working directory
 * @param options.catalog other descriptions of the files
 * @throws {UserError} when nothing can be fetched for the source, or as {@linkcode downloadDataset} does
 */
export async function downloadSource(
  spec: DataSpec,
  options: DownloadOptions & {
    root?: string;
    catalog?: Readonly<Record<DownloadName, RemoteDataset>>;
  } = {},
): Promise<DownloadedSource> {
  const { root, catalog = DOWNLOADS, ...rest } = options;
  const name = DOWNLOAD_OF[spec.source];
  if (name === undefined) {
    const sources = Object.keys(DOWNLOAD_OF).join(", ");
    throw new UserError(
      `Cannot download data for the source "${spec.source}": there are files to fetch for ` +
        `${sources} only; name your files with --data`,
    );
  }
  const folder = `${root === undefined ? "" : `${root}/`}data/${name}`;
  await downloadFiles(catalog[name], folder, rest);
  const { title } = catalog[name];
  return { spec: { ...withDataPath(spec, folder), source: spec.source }, title, folder };
}

/**
 * Fetches a data set into a folder, which is made where it is missing. Files that are there already
 * are checked and kept.
 * @returns the paths of its files
 * @throws {DownloadError} when a file cannot be had or is not as published; it says where to put it
 * @throws {UserError} when a file cannot be written, or its place is taken
 */
export async function downloadDataset(
  name: DownloadName,
  folder: string,
  options: DownloadOptions = {},
): Promise<string[]> {
  return await downloadFiles(DOWNLOADS[name], folder, options);
}

/** Fetches any described files; see {@linkcode downloadDataset}. */
export async function downloadFiles(
  dataset: RemoteDataset,
  folder: string,
  options: DownloadOptions = {},
): Promise<string[]> {
  const { files, title } = dataset;
  const baseUrl = options.baseUrl ?? dataset.baseUrl;
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await write(folder, () => Deno.mkdir(folder, { recursive: true }));
  let before = 0;
  const paths: string[] = [];
  for (const file of files) {
    const start = before;
    const report = (fileBytes: number) =>
      options.onProgress?.({ file: file.name, doneBytes: start + fileBytes, totalBytes });
    const path = `${folder}/${file.name}`;
    try {
      await fetchFile(file, { ...options, url: baseUrl + file.name, path, report });
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      const names = files.map(({ name }) => name).join(", ");
      throw new DownloadError(
        `Cannot fetch ${baseUrl}${file.name}: ${error.message}; without a network, put ${title}'s ` +
          `files (${names}) into ${folder} and name that folder as the data`,
        { cause: error },
      );
    }
    before += file.sizeBytes;
    paths.push(path);
  }
  return paths;
}
