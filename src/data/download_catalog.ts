/** The data sets that can be fetched: addresses, sizes and published checksums; and who reads them. */
import type { DataSourceName } from "../config/data.ts";

/** A file of a data set on a server. */
export interface RemoteFile {
  /** Its name on the server and in the folder. */
  name: string;
  /** Its size. */
  sizeBytes: number;
  /** In hexadecimal, as published with the file. */
  md5: string;
}

/** A data set on a server. */
export interface RemoteDataset {
  /** What people call it. */
  title: string;
  /** Where the files lie, with a `/` at its end. */
  baseUrl: string;
  /** All files that the data set consists of. */
  files: readonly RemoteFile[];
}

/** The name of a data set that can be fetched. */
export type DownloadName = "mnist" | "cifar-10";

/**
 * The data sets that can be fetched. Checksums: torchvision's `datasets.MNIST`, and
 * https://www.cs.toronto.edu/~kriz/cifar.html.
 */
export const DOWNLOADS: Record<DownloadName, RemoteDataset> = {
  "mnist": {
    title: "MNIST",
    baseUrl: "https://ossci-datasets.s3.amazonaws.com/mnist/",
    files: [
      {
        name: "train-images-idx3-ubyte.gz",
        sizeBytes: 9912422,
        md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
      },
      {
        name: "train-labels-idx1-ubyte.gz",
        sizeBytes: 28881,
        md5: "d53e105ee54ea40749a09fcbcd1e9432",
      },
      {
        name: "t10k-images-idx3-ubyte.gz",
        sizeBytes: 1648877,
        md5: "9fb629c4189551a2d022fa330f9573f3",
      },
      {
        name: "t10k-labels-idx1-ubyte.gz",
        sizeBytes: 4542,
        md5: "ec29112dd5afa0611ce80d1b7f02629c",
      },
    ],
  },
  "cifar-10": {
    title: "CIFAR-10",
    baseUrl: "https://www.cs.toronto.edu/~kriz/",
    files: [{
      name: "cifar-10-binary.tar.gz",
      sizeBytes: 170052171,
      md5: "c32a1d4ab5d03f1284b67883e8d87530",
    }],
  },
};

/** The sources that read files that can be fetched, and whose files those are. */
export const DOWNLOAD_OF: Partial<Record<DataSourceName, DownloadName>> = {
  "mnist": "mnist",
  "stacked-mnist": "mnist",
  "cifar-10": "cifar-10",
};
