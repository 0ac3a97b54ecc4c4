/** What the data room's tests share: golden files, folders that vanish, and files written by hand. */
import { decodedSource } from "../../src/data/cache/cached_source.ts";
import type { DataSource } from "../../src/data/source.ts";
import type { StoredFile } from "../../src/data/stores/file_store.ts";
import expected from "../../fixtures/data/expected.json" with { type: "json" };

/** What the golden files hold, by fixtures/data/make_fixtures.py. */
export const golden = expected;

/** The folder of the golden files. */
export const FIXTURES = new URL("../../fixtures/data", import.meta.url).pathname;

/** Bytes from hexadecimal. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Runs a test with a folder of its own. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a file of a test's folder, and the folders that it lies in. */
export async function put(path: string, contents: Uint8Array | string): Promise<string> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  if (typeof contents === "string") await Deno.writeTextFile(path, contents);
  else await Deno.writeFile(path, contents);
  return path;
}

/** An IDX file: big-endian sizes, then bytes. */
export function idxBytes(shape: readonly number[], values: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, shape.length]);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/**
 * The images of a source in memory as one that reads them from a file.
 * @param folder where the file goes
 */
export async function fromFile(data: DataSource, folder: string): Promise<DataSource> {
  const storage = { cache: { folder }, memoryBytes: 0 };
  return await decodedSource(storage, { identity: data.fingerprint, name: data.name }, (sink) => {
    const [height, width, channels] = data.shape as [number, number, 1 | 3 | 4];
    sink.begin([height, width, channels], data.count);
    for (let i = 0; i < data.count; i++) {
      sink.write(data.pixels!.subarray(i * data.sampleSize, (i + 1) * data.sampleSize));
    }
    const { name, labels, classNames } = data;
    const parts = { name, origin: name, labels, classNames };
    return Promise.resolve({ ...parts, shape: [height, width, channels] });
  });
}

/** A file of a store that is in memory. */
export function memoryFile(path: string, contents: Uint8Array | string): StoredFile {
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  return {
    path,
    origin: path,
    sizeBytes: bytes.length,
    modifiedMs: 0,
    read: () => Promise.resolve(bytes),
    readStart: (size) => Promise.resolve(bytes.subarray(0, size)),
    stream: () => ReadableStream.from([bytes]),
  };
}

/** A .npy file with any header. */
export function npyBytes(header: string, data: Uint8Array, version = 1): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const size = version === 1
    ? [text.length & 255, text.length >> 8]
    : [text.length & 255, text.length >> 8, 0, 0];
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  return Uint8Array.from([...magic, version, 0, ...size, ...text, ...data]);
}

/** A .npy file of an array in C order. */
export function npyOf(
  type: string,
  shape: readonly number[],
  values: ArrayBufferView<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return npyBytes(`{'descr': '${type}', 'fortran_order': False, 'shape': (${sides}), }`, bytes);
}

/** A tar archive of files, as ustar. @param kinds the type of entries that are no files, by path */
export function tarOf(
  files: Readonly<Record<string, Uint8Array>>,
  kinds: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const [path, bytes] of Object.entries(files)) {
    const header = new Uint8Array(512);
    const write = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    write(path, 0);
    write("0000644\0", 100);
    write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    write("        ", 148);
    write(kinds[path] ?? "0", 156);
    write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, bytes, new Uint8Array((512 - bytes.length % 512) % 512));
  }
  blocks.push(new Uint8Array(1024));
  return Uint8Array.from(blocks.flatMap((block) => [...block]));
}
