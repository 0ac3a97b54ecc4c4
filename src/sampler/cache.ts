/** Keeps downloaded models: the Cache API in a page, a folder in Deno and Node. */
import { sha256Hex } from "../bytes.ts";
import { builtin, hasFiles } from "./platform.ts";

/** A store of models by address. */
export interface ModelCache {
  /** The bytes kept for an address, or null. */
  get(address: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Keeps bytes for an address: complete or not at all. */
  put(address: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/**
 * Opens a cache.
 * @param name the folder's path in Deno and Node, the name of a `Cache` in a page
 * @throws {TypeError} in a page without the Cache API: one that is not served over HTTPS or from
 * localhost
 */
export async function openCache(name: string): Promise<ModelCache> {
  return hasFiles ? folderCache(name) : await pageCache(name);
}

async function pageCache(name: string): Promise<ModelCache> {
  if (typeof caches === "undefined") {
    throw new TypeError("there is no Cache API here: it takes HTTPS or localhost");
  }
  const cache = await caches.open(name);
  return {
    async get(address) {
      const kept = await cache.match(address);
      return kept === undefined ? null : new Uint8Array(await kept.arrayBuffer());
    },
    async put(address, bytes) {
      await cache.put(address, new Response(bytes));
    },
  };
}

/** One file an address, named by its hash; written aside and renamed. */
function folderCache(folder: string): ModelCache {
  const { mkdir, readFile, rename, rm, writeFile } = builtin("node:fs/promises");
  const { join } = builtin("node:path");
  const fileOf = async (address: string) => {
    const digest = await sha256Hex(new TextEncoder().encode(address));
    return join(folder, `${digest.slice(0, 32)}.onnx`);
  };
  return {
    async get(address) {
      try {
        return new Uint8Array(await readFile(await fileOf(address)));
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return null;
        throw error;
      }
    },
    async put(address, bytes) {
      await mkdir(folder, { recursive: true });
      const file = await fileOf(address);
      const aside = `${file}.${crypto.randomUUID()}.part`;
      try {
        await writeFile(aside, bytes);
        await rename(aside, file);
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
  };
}
