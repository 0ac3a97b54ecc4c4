/** Gets a model's bytes from wherever they are: a path, run folder, URL, Response, Blob or memory. */
import { DownloadError, UserError } from "../errors.ts";
import { sha256Hex } from "../bytes.ts";
import { openCache } from "./cache.ts";
import {
  type ByteProgress,
  type DownloadLimits,
  downloadTooLarge,
  MAX_BYTES,
  readResponse,
} from "./download.ts";
import { builtin, hasFiles } from "./platform.ts";

/**
 * Where a model comes from: a path of a file or run folder (Deno and Node), a URL (relative to the
 * page in a page; one that ends in `/` means the `generator.onnx` below it), a `Response`, a `Blob`
 * or `File`, or the bytes themselves.
 */
export type ModelSource = string | URL | Response | Blob | Uint8Array | ArrayBuffer;

/** How to get the bytes. */
export interface SourceOptions extends DownloadLimits {
  /** Used instead of the platform's `fetch`. */
  fetch?: typeof fetch;
  /**
   * Keeps what a URL gave: the name of a `Cache` in a page, a folder's path in Deno and Node. A kept
   * model is used without asking the server; give `sha256` to tell versions apart.
   */
  cache?: string;
  /** The file's SHA-256 in hexadecimal digits; another file is refused. */
  sha256?: string;
}

/** What a model's weights, and ONNX Runtime's WebAssembly, are got with. */
export interface ReadOptions extends SourceOptions {
  /** What the bytes belong to, such as the SHA-256 of a model: those kept for another one are not its. */
  model?: string;
}

/** Bytes and where they came from. */
export interface LoadedSource {
  /** For messages: the path or address, or "the given bytes". */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** See `GeneratorInfo.cache`. */
  cache: string;
  /** Where a file beside this one is; null where there is no beside. */
  beside: ((file: string) => string | URL) | null;
}

/**
 * Gets a model's bytes.
 * @param check throws if bytes are no usable model; a kept copy that fails it is fetched anew, and
 * only what passes is kept
 * @throws {UserError} if they are no model, are too many, or are not those of `sha256`
 * @throws {DownloadError} if a server does not give them
 */
export async function readSource(
  source: ModelSource,
  options: ReadOptions,
  onProgress: ByteProgress,
  check: (bytes: Uint8Array<ArrayBuffer>, name: string) => void,
): Promise<LoadedSource> {
  const place = resolve(source);
  const checkAll = async (bytes: Uint8Array<ArrayBuffer>, name: string) => {
    options.signal?.throwIfAborted();
    if (bytes.length > (options.maxBytes ?? MAX_BYTES)) {
      throw downloadTooLarge(name, bytes.length, options);
    }
    check(bytes, name);
    if (options.sha256 !== undefined) await checkDigest(bytes, name, options.sha256);
  };
  if (place instanceof URL) return await readUrl(place, options, onProgress, checkAll);
  const { name, bytes } = typeof place === "string"
    ? await readPath(place, options, onProgress)
    : await readGiven(place, options, onProgress);
  await checkAll(bytes, name);
  const beside = typeof place === "string"
    ? (file: string) => builtin("node:path").join(name, "..", file)
    : null;
  return { name, bytes, cache: "off", beside };
}

/** A string is a path or URL; a URL of a file is a path where there are files. */
function resolve(source: ModelSource): Exclude<ModelSource, string> | string {
  if (typeof source !== "string" && !(source instanceof URL)) return source;
  let url: URL;
  if (source instanceof URL) url = source;
  else if (hasFiles && !/^(https?|file|data|blob):/i.test(source)) return source;
  else {
    const { location, document } = globalThis as {
      location?: { href: string };
      document?: { baseURI: string };
    };
    if (!URL.canParse(source, document?.baseURI ?? location?.href)) {
      throw new UserError(`Cannot load ${JSON.stringify(source)}: it is no URL`);
    }
    url = new URL(source, document?.baseURI ?? location?.href);
  }
  if (hasFiles && url.protocol === "file:") return builtin("node:url").fileURLToPath(url);
  if (!url.pathname.endsWith("/") || url.protocol === "data:") return url;
  const below = new URL(url);
  below.pathname += "generator.onnx";
  return below;
}

async function readUrl(
  url: URL,
  options: ReadOptions,
  onProgress: ByteProgress,
  check: (bytes: Uint8Array<ArrayBuffer>, name: string) => Promise<void>,
): Promise<LoadedSource> {
  const name = url.protocol === "data:" ? "the data: URL" : url.href;
  const beside = /^(data|blob):$/.test(url.protocol)
    ? null
    : (file: string) => new URL(file.split("/").map(encodeURIComponent).join("/"), url);
  const address = keptAs(url, options.model);
  let cacheState = "off";
  const cache = options.cache === undefined || !/^https?:$/.test(url.protocol)
    ? null
    : await openCache(options.cache).catch((error: Error) => {
      cacheState = `failed: ${error.message}`;
      return null;
    });
  const kept = await cache?.get(address).catch(() => null) ?? null;
  if (kept !== null) {
    try {
      await check(kept, name);
      onProgress(kept.length, kept.length);
      return { name, bytes: kept, cache: "hit", beside };
    } catch {
      options.signal?.throwIfAborted(); // otherwise the copy is damaged or outdated: get a new one
    }
  }
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(url, { signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = (error as Error).message;
    throw new DownloadError(`Cannot load ${name}: it could not be fetched (${reason})`, {
      cause: error,
    });
  }
  const bytes = await readResponse(response, name, options, onProgress);
  await check(bytes, name);
  if (cache !== null) {
    cacheState = await cache.put(address, bytes).then(
      () => "stored",
      (error: Error) => `failed: ${error.message}`,
    );
  }
  return { name, bytes, cache: cacheState, beside };
}

/** The address under which a cache keeps what a URL gave. */
function keptAs(url: URL, model: string | undefined): string {
  if (model === undefined) return url.href;
  const own = new URL(url);
  own.searchParams.append("of-model", model);
  return own.href;
}

async function readGiven(
  given: Response | Blob | Uint8Array | ArrayBuffer | URL,
  options: SourceOptions,
  onProgress: ByteProgress,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  if (given instanceof Response) {
    const name = given.url || "the response";
    return { name, bytes: await readResponse(given, name, options, onProgress) };
  }
  if (given instanceof Blob) {
    const name = "name" in given ? `${given.name}` : "the blob";
    if (given.size > (options.maxBytes ?? MAX_BYTES)) {
      throw downloadTooLarge(name, given.size, options);
    }
    return { name, bytes: await readResponse(new Response(given), name, options, onProgress) };
  }
  const name = "the given bytes";
  let bytes: Uint8Array<ArrayBuffer>;
  if (given instanceof Uint8Array) {
    const { buffer, byteOffset, length } = given;
    bytes = buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer, byteOffset, length)
      : Uint8Array.from(given); // shared memory
  } else if (given instanceof ArrayBuffer) bytes = new Uint8Array(given);
  else {
    throw new UserError(
      "Cannot load a generator: the source must be a path, URL, Response, Blob, Uint8Array or " +
        `ArrayBuffer, and it is ${given === null ? "null" : typeof given}`,
    );
  }
  onProgress(bytes.length, bytes.length);
  return { name, bytes };
}

async function readPath(
  path: string,
  options: SourceOptions,
  onProgress: ByteProgress,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const { open, stat } = builtin("node:fs/promises");
  let file = path;
  try {
    if ((await stat(path)).isDirectory()) file = builtin("node:path").join(path, "generator.onnx");
    const handle = await open(file);
    try {
      const total = (await handle.stat()).size;
      if (total > (options.maxBytes ?? MAX_BYTES)) throw downloadTooLarge(file, total, options);
      const bytes = new Uint8Array(total);
      for (let at = 0; at < total;) {
        options.signal?.throwIfAborted();
        const { bytesRead } = await handle.read(bytes, at, Math.min(1 << 22, total - at), at);
        if (bytesRead === 0) return { name: file, bytes: bytes.subarray(0, at) }; // it shrank
        at += bytesRead;
        onProgress(at, total);
      }
      return { name: file, bytes };
    } finally {
      await handle.close();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    const { code, message } = error as { code?: string; message: string };
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw new UserError(`Cannot load ${file}: ${message}`, { cause: error });
    }
    const hint = file === path
      ? "there is no such file or run folder"
      : "the run folder has no exported generator; export it first";
    throw new UserError(`Cannot load ${file}: ${hint}`, { cause: error });
  }
}

async function checkDigest(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  expected: string,
): Promise<void> {
  const found = await sha256Hex(bytes);
  if (found === expected.toLowerCase()) return;
  throw new UserError(
    `Cannot load ${name}: its SHA-256 is ${found}, and ${expected} is asked for (sha256)`,
  );
}
