/** What the data room's tests share: golden files, folders that vanish, and files written by hand. */
import { decodedSource } from "../../src/data/cache/cached_source.ts";
import type { DataSource } from "../../src/data/source.ts";
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
