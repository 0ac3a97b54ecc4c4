/** Fetches MNIST and CIFAR-10 from their documented addresses, or says where to put them. */
import { UserError } from "../errors.ts";
import { type DownloadName, DOWNLOADS, type RemoteDataset } from "./download_catalog.ts";
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

/**
 * Fetches a data set into a folder, which is made where it is missing. Files that are there already
 * are checked and kept.
 * @returns the paths of its files
 * @throws {UserError} when a file cannot be had or is not as published; it says where to put it
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
      throw new UserError(
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
