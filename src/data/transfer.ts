/**
 * Fetches one file whose size and checksum are known: it goes to a `.part` beside its place, is
 * continued where a transfer broke off, and takes its name once its checksum is right.
 */
import { sha256OfFile } from "../hash.ts";
import { GanforgeError, UserError } from "../errors.ts";
import { writeError } from "../files.ts";
import type { RemoteFile } from "./download_catalog.ts";

/** How patient a transfer is. */
export interface TransferOptions {
  /** Stops; what was fetched stays for the next time. */
  signal?: AbortSignal;
  /** How often a file is tried. Default 3. */
  attempts?: number;
  /** Wait before the second attempt, in milliseconds; doubled before each further one. Default 1000. */
  retryDelayMs?: number;
  /** A transfer that brings nothing for so long counts as broken. Default 30000. */
  stallTimeoutMs?: number;
}

/** Where a file is from and goes to. */
export interface FileTransfer extends TransferOptions {
  /** Where the file is. */
  url: string;
  /** Where it goes. */
  path: string;
  /** Called with the bytes of the file that are there. */
  report: (fileBytes: number) => void;
}

/** A transfer failed. */
export class TransferError extends Error {
  /** Whether another attempt may help. */
  readonly retry: boolean;

  /** An error that says what went wrong, and whether another attempt may help. */
  constructor(message: string, { retry, cause }: { retry: boolean; cause?: unknown }) {
    super(message, { cause });
    this.name = "TransferError";
    this.retry = retry;
  }
}

/**
 * Fetches a file, unless it is there already.
 * @throws {TransferError} when the file cannot be had or is not as published
 * @throws {UserError} when it cannot be written, or its place is taken
 * @throws {StorageError} when the disk is full
 */
export async function fetchFile(file: RemoteFile, options: FileTransfer): Promise<void> {
  const { path } = options;
  const existing = await fileSize(path);
  if (existing !== undefined) {
    if (existing !== file.sizeBytes || await sha256OfFile(path) !== file.sha256) {
      throw new UserError(
        `Cannot fetch ${file.name}: ${path} is there with other contents (${existing} bytes; ` +
          `${file.sizeBytes} with SHA-256 ${file.sha256} were expected); move it away first`,
      );
    }
    options.report(file.sizeBytes);
    return;
  }
  const { attempts = 3, retryDelayMs = 1000, signal } = options;
  for (let attempt = 1;; attempt++) {
    try {
      await transfer(file, `${path}.part`, options);
      break;
    } catch (error) {
      if (!(error instanceof TransferError) || !error.retry || attempt >= attempts) throw error;
      await wait(retryDelayMs * 2 ** (attempt - 1), signal);
    }
  }
  await write(path, () => Deno.rename(`${path}.part`, path));
}

/** Fetches what is missing of the part and checks the whole. */
async function transfer(file: RemoteFile, part: string, options: FileTransfer): Promise<void> {
  const there = await fileSize(part) ?? 0;
  const have = there > file.sizeBytes ? 0 : there;
  if (have < file.sizeBytes) await receive(file, part, { ...options, have });
  const sha256 = await sha256OfFile(part);
  if (sha256 === file.sha256) return;
  await Deno.remove(part);
  throw new TransferError(
    `its SHA-256 is ${sha256}, and ${file.sha256} was expected: it was damaged on the way or changed`,
    { retry: have > 0 }, // a part of an earlier time may have been another file's
  );
}

async function receive(
  { sizeBytes }: RemoteFile,
  part: string,
  { url, have, report, signal, stallTimeoutMs = 30_000 }: FileTransfer & { have: number },
): Promise<void> {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => stalled.abort(new Error(`nothing came for ${stallTimeoutMs} ms`)),
      stallTimeoutMs,
    );
  };
  const stop = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
  let output: Deno.FsFile | undefined;
  try {
    watch();
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers.range = `bytes=${have}-`;
    const response = await fetch(url, { headers, signal: stop });
    const continued = await checkStatus(response, have);
    let done = continued ? have : 0;
    output = await write(part, () => Deno.open(part, { write: true, create: true }));
    await output.truncate(done);
    await output.seek(done, Deno.SeekMode.Start);
    for await (const chunk of response.body ?? []) {
      watch();
      done += chunk.length;
      if (done > sizeBytes) {
        throw new TransferError(`it has more than the expected ${sizeBytes} bytes`, {
          retry: false,
        });
      }
      await writeAll(output, chunk, part);
      report(done);
    }
    if (done < sizeBytes) {
      throw new TransferError(`the transfer ended after ${done} of ${sizeBytes} bytes`, {
        retry: true,
      });
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw asTransferError(error, url);
  } finally {
    clearTimeout(timer);
    output?.close();
  }
}

/** Whether the server goes on where the part ends, rather than starting anew. */
async function checkStatus(response: Response, have: number): Promise<boolean> {
  const { status } = response;
  if (status === 200) return false;
  const range = response.headers.get("content-range");
  if (status === 206 && range?.startsWith(`bytes ${have}-`)) return true;
  await response.body?.cancel();
  throw new TransferError(`the server answered ${status} ${response.statusText}`.trim(), {
    retry: status >= 500 || status === 408 || status === 429,
  });
}

function asTransferError(error: unknown, url: string): unknown {
  if (error instanceof TransferError || error instanceof GanforgeError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const { host } = new URL(url);
    return new UserError(
      `Cannot fetch ${url}: Deno was not allowed to; run it with ` +
        `--allow-net=${host}`,
      { cause: error },
    );
  }
  return new TransferError(describeFailure(error), { retry: true, cause: error });
}

/** The message of an error and of its cause, which holds what fetch itself does not say. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}`.replaceAll("\n", " ");
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await write(path, () => file.write(bytes.subarray(at)));
  }
}

/**
 * Runs something that writes.
 * @throws {StorageError} when the disk is full
 * @throws {UserError} naming the path, when it fails otherwise
 */
export async function write<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const known = writeError(path, error);
    if (known instanceof GanforgeError) throw known;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`Cannot write ${path}: ${reason}`, { cause: error });
  }
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
  });
}
