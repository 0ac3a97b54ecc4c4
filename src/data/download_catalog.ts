/** The data sets that can be fetched: addresses, sizes and checksums; and who reads them. */
import type { DataSourceName } from "../config/data.ts";

/** A file of a data set on a server. */
export interface RemoteFile {
  /** Its name on the server and in the folder. */
  name: string;
  /** Its size. */
  sizeBytes: number;
  /** In hexadecimal. */
  sha256: string;
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
 * The data sets that can be fetched. SHA-256: TensorFlow Datasets' `url_checksums/mnist.txt` and
 * `cifar10.txt`. The authors publish MD5 only (CIFAR's page, torchvision's `datasets.MNIST`).
 */
export const DOWNLOADS: Record<DownloadName, RemoteDataset> = {
  "mnist": {
    title: "MNIST",
    baseUrl: "https://ossci-datasets.s3.amazonaws.com/mnist/",
    files: [
      {
        name: "train-images-idx3-ubyte.gz",
        sizeBytes: 9912422,
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
      },
      {
        name: "train-labels-idx1-ubyte.gz",
        sizeBytes: 28881,
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
      },
      {
        name: "t10k-images-idx3-ubyte.gz",
        sizeBytes: 1648877,
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
      },
      {
        name: "t10k-labels-idx1-ubyte.gz",
        sizeBytes: 4542,
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      },
    ],
  },
  "cifar-10": {
    title: "CIFAR-10",
    baseUrl: "https://www.cs.toronto.edu/~kriz/",
    files: [{
      name: "cifar-10-binary.tar.gz",
      sizeBytes: 170052171,
      sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }],
  },
};

/** The sources that read files that can be fetched, and whose files those are. */
export const DOWNLOAD_OF: Partial<Record<DataSourceName, DownloadName>> = {
  "mnist": "mnist",
  "stacked-mnist": "mnist",
  "cifar-10": "cifar-10",
};
