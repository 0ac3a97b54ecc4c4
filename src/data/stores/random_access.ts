/** A file that is read in parts, at any place, as archives are. */
import { UserError } from "../../errors.ts";
import { accessError } from "../byte_reader.ts";

/** The bytes of an archive, to be read anywhere. */
export interface RandomAccess {
  /** Names the file in messages. */
  origin: string;
  /** Size of the file. */
  sizeBytes: number;
  /** The `size` bytes from `offset`; both lie within the file. */
  slice(offset: number, size: number): Uint8Array;
}

/** A file that is open for reading in parts; dispose of it to close it. */
export interface OpenFile extends RandomAccess, Disposable {
  /** When it was last changed, in milliseconds since 1970. */
  modifiedMs: number;
}

/**
 * Opens a file.
 * @throws {UserError} when it cannot be read
 */
export function openRandomAccess(path: string): OpenFile {
  try {
    return accessFile(Deno.openSync(path, { read: true }), path);
  } catch (error) {
    throw accessError(path, error);
  }
}

/** Reads an open file in parts; it is closed by disposal. */
export function accessFile(file: Deno.FsFile, origin: string): OpenFile {
  const { size, mtime } = file.statSync();
  return {
    origin,
    sizeBytes: size,
    modifiedMs: mtime?.getTime() ?? 0,
    slice(offset, size) { // synchronous: another read must not move the position in between
      const bytes = new Uint8Array(size);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < size;) {
        const read = file.readSync(bytes.subarray(done));
        if (read === null) {
          throw new UserError(`Cannot read ${origin}: it became shorter meanwhile`);
        }
        done += read;
      }
      return bytes;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

const CHUNK_BYTES = 2 ** 18;

/** A part of a file as a stream, which reads only what is asked for. */
export function sliceStream(
  file: RandomAccess,
  { offset, size }: { offset: number; size: number },
): ReadableStream<Uint8Array> {
  let done = 0;
  return new ReadableStream({
    pull(controller) {
      const part = Math.min(CHUNK_BYTES, size - done);
      if (part > 0) controller.enqueue(file.slice(offset + done, part));
      done += part;
      if (done === size) controller.close();
    },
  }, { highWaterMark: 0 });
}
