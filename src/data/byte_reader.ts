/**
 * Reads a file from its beginning to its end, unpacking gzip on the way, and never more than asked
 * for. Every fault becomes a {@linkcode UserError} that names the file.
 */
import { UserError } from "../errors.ts";

/** The most that one data set may take in memory, in bytes. */
export const MAX_DATA_BYTES = 2 ** 32 - 1;

/** Deflate packs at best 1032 bytes into one (zlib's technical notes). */
export const MAX_DEFLATE_RATIO = 1032;

/** What a {@linkcode ByteReader} knows of its bytes. */
export interface ByteReaderOptions {
  /** Names the bytes in messages, as a path does. */
  origin: string;
  /** A bound on how many bytes there can be: no read that needs more is tried. */
  maxBytes: number;
}

/** Reads bytes in sequence. */
export class ByteReader {
  /** Names the bytes in messages. */
  readonly origin: string;
  readonly #maxBytes: number;
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;

  /** A reader at the beginning of `stream`, which it then owns. */
  constructor(stream: ReadableStream<Uint8Array>, { origin, maxBytes }: ByteReaderOptions) {
    this.origin = origin;
    this.#maxBytes = maxBytes;
    this.#chunks = stream.getReader();
  }

  /** A reader over bytes that are there already. */
  static of(bytes: Uint8Array, origin: string): ByteReader {
    return new ByteReader(ReadableStream.from([bytes]), { origin, maxBytes: bytes.length });
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#position;
  }

  /**
   * The next `size` bytes.
   * @param what names them in the message, such as "the labels"
   * @throws {UserError} when the file ends before
   */
  async read(size: number, what: string): Promise<Uint8Array> {
    this.expectRoom(size, what);
    const bytes = new Uint8Array(size);
    await this.#take(size, what, (part, at) => bytes.set(part, at));
    return bytes;
  }

  /**
   * Refuses to go on where `size` more bytes cannot be there, before memory is asked for.
   * @param what names them in the message
   * @throws {UserError} when they cannot
   */
  expectRoom(size: number, what: string): void {
    const need = this.#position + size;
    if (need <= this.#maxBytes) return;
    throw this.error(
      `${what} would end at byte ${need}, but there are no more than ${this.#maxBytes}: ` +
        `the file is truncated, or its header is wrong`,
    );
  }

  /**
   * Passes over the next `size` bytes.
   * @throws {UserError} when the file ends before
   */
  async skip(size: number, what: string): Promise<void> {
    await this.#take(size, what, () => {});
  }

  /**
   * Refuses bytes after the last that the format knows.
   * @throws {UserError} when there are any
   */
  async expectEnd(): Promise<void> {
    if (!await this.atEnd()) {
      throw this.error(
        `it should end after ${this.#position} bytes by its header, and goes on: the header is ` +
          `wrong, or something was appended`,
      );
    }
  }

  /** Whether everything was read. */
  async atEnd(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#next();
      if (!next) return true;
      this.#chunk = next;
    }
    return false;
  }

  /** All bytes that are left, as they come. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    while (!await this.atEnd()) {
      const chunk = this.#chunk;
      this.#chunk = new Uint8Array(0);
      this.#position += chunk.length;
      yield chunk;
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#chunks.cancel().catch(() => {}); // a stream that failed has closed itself
  }

  /** An error about these bytes. */
  error(detail: string, options?: ErrorOptions): UserError {
    return new UserError(`Cannot read ${this.origin}: ${detail}`, options);
  }

  async #take(
    size: number,
    what: string,
    use: (part: Uint8Array, at: number) => void,
  ): Promise<void> {
    const start = this.#position;
    for (let done = 0; done < size;) {
      if (await this.atEnd()) {
        throw this.error(
          `it is truncated: ${what} should end at byte ${start + size}, ` +
            `and the file ends at byte ${this.#position}`,
        );
      }
      const part = this.#chunk.subarray(0, size - done);
      use(part, done);
      this.#chunk = this.#chunk.subarray(part.length);
      this.#position += part.length;
      done += part.length;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      return (await this.#chunks.read()).value;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw this.error(
        `its gzip stream is truncated or damaged after ${this.#position} unpacked bytes ` +
          `(${error.message})`,
        { cause: error },
      );
    }
  }
}

/** A file or folder. */
export interface PathInfo {
  /** Whether it is a folder. */
  isDirectory: boolean;
  /** Size of a file. */
  sizeBytes: number;
}

/**
 * What is at `path`.
 * @throws {UserError} when nothing is there, or it may not be read
 */
export async function inspectPath(path: string): Promise<PathInfo> {
  try {
    const { isDirectory, size } = await Deno.stat(path);
    return { isDirectory, sizeBytes: size };
  } catch (error) {
    throw accessError(path, error);
  }
}

/**
 * Reads a stream from its beginning, plain or gzip, which shows in its first bytes. Close the reader
 * with `close`.
 * @param options.origin names it in messages
 * @param options.sizeBytes how many bytes it has
 * @throws {UserError} when it is empty
 */
export async function openByteStream(
  stream: ReadableStream<Uint8Array>,
  { origin, sizeBytes }: { origin: string; sizeBytes: number },
): Promise<ByteReader> {
  if (sizeBytes === 0) {
    await stream.cancel();
    throw new UserError(`Cannot read ${origin}: the file is empty (0 bytes)`);
  }
  const chunks = stream.getReader();
  const first: Uint8Array[] = [];
  let have = 0;
  while (have < 2) {
    const { value } = await chunks.read();
    if (!value) break;
    first.push(value);
    have += value.length;
  }
  const [magic, next] = first.flatMap((chunk) => [...chunk.subarray(0, 2)]);
  const whole = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = first.shift() ?? (await chunks.read()).value;
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel: (reason) => chunks.cancel(reason),
  }, { highWaterMark: 0 });
  if (magic !== 0x1f || next !== 0x8b) {
    return new ByteReader(whole, { origin, maxBytes: sizeBytes });
  }
  const unpacked = whole.pipeThrough(
    new DecompressionStream("gzip") as TransformStream<Uint8Array, Uint8Array>,
  );
  return new ByteReader(unpacked, { origin, maxBytes: sizeBytes * MAX_DEFLATE_RATIO });
}

/**
 * A whole file.
 * @throws {UserError} when it cannot be read or has more than `maxBytes`
 */
export async function readSmallFile(
  path: string,
  { maxBytes }: { maxBytes: number },
): Promise<Uint8Array> {
  try {
    const { size, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new UserError(`Cannot read ${path}: it is a folder, not a file`);
    if (size === 0) throw new UserError(`Cannot read ${path}: the file is empty (0 bytes)`);
    if (size > maxBytes) {
      throw new UserError(
        `Cannot read ${path}: it has ${size} bytes, and the limit is ${maxBytes}`,
      );
    }
    return await Deno.readFile(path);
  } catch (error) {
    throw accessError(path, error);
  }
}

/** The user's error that an error of the file system amounts to; other errors as they are. */
export function accessError(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) {
    const isAbsolute = /^(?:[A-Za-z]:)?[\\/]/.test(path);
    const place = isAbsolute ? "" : ` in ${Deno.cwd()}`; // relative ones are meant from the caller's folder
    return new UserError(`Cannot read ${path}: there is no such file or folder${place}`, {
      cause: error,
    });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new UserError(`Cannot read ${path}: Deno was not allowed to; run it with --allow-read`, {
      cause: error,
    });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new UserError(`Cannot read ${path}: the system denies access to it`, { cause: error });
  }
  if (error instanceof Deno.errors.NotADirectory) {
    return new UserError(`Cannot read ${path}: a part of the path is a file, not a folder`, {
      cause: error,
    });
  }
  return error;
}
