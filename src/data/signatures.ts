/** What the first bytes of a file say, besides the formats that are read. */
import { openStoredFile, type StoredFile } from "./stores/file_store.ts";

/** How many first bytes are looked at. */
const START_BYTES = 512;

/** The first bytes of a file, unpacked where it is a .gz, one character a byte. */
export async function startsAs(file: StoredFile): Promise<string> {
  const reader = await openStoredFile(file);
  try {
    let start = "";
    for await (const chunk of reader.chunks()) {
      start += String.fromCharCode(...chunk.subarray(0, START_BYTES - start.length));
      if (start.length >= START_BYTES) break;
    }
    return start;
  } finally {
    await reader.close();
  }
}

/** Files that people have data in and that are not read: how they start, what they are, what to do. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ["PAR1", "a Parquet file, which is not read: write it as .csv, or its images as files"],
  ["\x89HDF\r\n", "an HDF5 file, which is not read: save its arrays by np.savez"],
  ["7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first, or pack it as .zip or .tar.gz"],
  ["Rar!", "a RAR archive: unpack it first, or pack it as .zip or .tar.gz"],
  ["\xfd7zXZ", "packed by xz: unpack it first, or pack it as .tar.gz"],
  ["BZh", "packed by bzip2: unpack it first, or pack it as .tar.gz"],
  ["\x28\xb5\x2f\xfd", "packed by zstd: unpack it first, or pack it as .tar.gz"],
  ["MATLAB 5.0", "a MATLAB file, which is not read: save its arrays by np.savez"],
  ["SQLite format 3", "an SQLite database, which is not read: write a table as .csv"],
  ["ARROW1", "an Arrow file, which is not read: write it as .csv"],
  ["%PDF", "a PDF"],
];

/** What a file of a known format that is not read is; undefined for others. */
export function foreignFormat(start: string, name: string): string | undefined {
  const known = FOREIGN.find(([signature]) => start.startsWith(signature));
  if (known) return known[1];
  if (
    ["\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"].includes(start.slice(0, 2)) ||
    /\.(?:pkl|pickle|pt|pth)$/i.test(name)
  ) {
    return "a pickle, which is a program and is not run: save its arrays by np.savez";
  }
  return undefined;
}

/** Whether bytes are text: no control characters but tabs and line ends, or UTF-16. */
export function looksLikeText(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const zeros = bytes.filter((byte) => byte === 0).length;
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe || bytes[0] === 0xfe && bytes[1] === 0xff;
  if (isWide || zeros >= bytes.length * 0.4 && zeros <= bytes.length * 0.6) return true;
  return bytes.every((byte) =>
    byte >= 32 || byte === 9 || byte === 10 || byte === 13 || byte === 12
  );
}
