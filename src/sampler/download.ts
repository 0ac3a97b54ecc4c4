/** Reads a response's body with progress, a size limit and a word when it ends too early. */
import { DownloadError, GanforgeError, UserError } from "../errors.ts";

/** What may end a download. */
export interface DownloadLimits {
  /**
   * Refuse more, in a model's file and in all of its files. Default 2^31 - 1 for the file, the most that
   * ONNX allows, and 2^32 with the weights beside it.
   */
  maxBytes?: number;
  /** Stops the work, with the signal's reason. */
  signal?: AbortSignal;
}

/** Called with the bytes that have arrived, and their total, where that is known. */
export type ByteProgress = (loadedBytes: number, totalBytes: number | null) => void;

/** The most bytes that protobuf allows in one message. */
export const MAX_BYTES: number = 2 ** 31 - 1;

/**
 * Reads a response to its end.
 * @throws {UserError} if the server has no such file, or the body is too large
 * @throws {DownloadError} if the server fails, or the body ends early
 */
export async function readResponse(
  response: Response,
  name: string,
  options: DownloadLimits,
  onProgress: ByteProgress,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) {
    await response.body?.cancel();
    const status = `${response.status} ${response.statusText}`.trim();
    const message = `Cannot load ${name}: the server answered ${status}`;
    throw isPassing(response.status) ? new DownloadError(message) : new UserError(message);
  }
  const length = response.headers.get("content-length");
  const packed = (response.headers.get("content-encoding") ?? "identity") !== "identity";
  const total = length === null || packed ? null : Number(length);
  const limit = options.maxBytes ?? MAX_BYTES;
  if (total !== null && total > limit) {
    await response.body?.cancel();
    throw downloadTooLarge(name, total, options);
  }
  const parts: Uint8Array[] = [];
  let loaded = 0;
  onProgress(0, total);
  const reader = response.body?.getReader();
  const stop = () => void reader?.cancel(options.signal?.reason).catch(() => {});
  options.signal?.addEventListener("abort", stop);
  try {
    while (reader !== undefined) {
      options.signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      loaded += value.length;
      onProgress(loaded, total);
      if (loaded > limit) {
        await reader.cancel();
        throw downloadTooLarge(name, loaded, options, "more than ");
      }
    }
    options.signal?.throwIfAborted();
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof GanforgeError) throw error;
    throw brokenOff(name, loaded, total, error);
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
  if (total !== null && loaded !== total) throw brokenOff(name, loaded, total);
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether a status says that the server cannot answer now, rather than that the address is wrong. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

function brokenOff(
  name: string,
  loaded: number,
  total: number | null,
  cause?: unknown,
): DownloadError {
  const expected = total === null ? "" : ` of ${total}`;
  return new DownloadError(
    `Cannot load ${name}: the download ended after ${loaded}${expected} bytes; try again`,
    { cause },
  );
}

/** The error for a file above `maxBytes`. */
export function downloadTooLarge(
  name: string,
  size: number,
  options: DownloadLimits,
  more = "",
): UserError {
  return new UserError(
    `Cannot load ${name}: it has ${more}${size} bytes, and at most ` +
      `${options.maxBytes ?? MAX_BYTES} are allowed (maxBytes)`,
  );
}
