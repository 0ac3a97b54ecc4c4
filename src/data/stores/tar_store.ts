/**
 * A tar archive, plain or gzip, as a store. A plain one is read where it lies; a packed one can only be
 * read from its beginning, so it is unpacked into a temporary file that nobody else sees.
 */
import { UserError } from "../../errors.ts";
import { openByteStream } from "../byte_reader.ts";
import { type FileStore, listedFiles, MAX_FILE_BYTES, type StoredFile } from "./file_store.ts";
import { accessFile, type OpenFile, openRandomAccess, sliceStream } from "./random_access.ts";
import { listTar } from "./tar_list.ts";

/** The most bytes that an archive may unpack to: 128 GiB. */
const MAX_UNPACKED_BYTES = 2 ** 37;

/**
 * Opens a .tar or .tar.gz.
 * @throws {UserError} when it is truncated or damaged, or there is no room to unpack it
 */
export async function openTarStore(path: string): Promise<FileStore> {
  using cleanup = new DisposableStack();
  const packed = cleanup.use(openRandomAccess(path));
  const whole = sliceStream(packed, { offset: 0, size: packed.sizeBytes });
  const magic = packed.sizeBytes < 2 ? [] : packed.slice(0, 2);
  const isPacked = magic[0] === 0x1f && magic[1] === 0x8b;
  const scratch = isPacked ? cleanup.use(openScratch(path)) : undefined;
  const reader = await openByteStream(whole, packed);
  const { entries, otherCount } = await listTar(copied(reader.chunks(), scratch), packed);
  const file: OpenFile = scratch?.reopen() ?? packed;
  const files = entries.map(({ path: inner, sizeBytes, offset }): StoredFile => {
    const origin = `${path}/${inner}`;
    return {
      path: inner,
      origin,
      sizeBytes,
      modifiedMs: packed.modifiedMs,
      async read({ maxBytes = MAX_FILE_BYTES } = {}) {
        await Promise.resolve();
        if (sizeBytes === 0) throw new UserError(`Cannot read ${origin}: it is empty (0 bytes)`);
        if (sizeBytes > maxBytes) {
          throw new UserError(
            `Cannot read ${origin}: it has ${sizeBytes} bytes, and the limit is ${maxBytes}`,
          );
        }
        return file.slice(offset, sizeBytes);
      },
      readStart: (size) => Promise.resolve(file.slice(offset, Math.min(size, sizeBytes))),
      stream: () => sliceStream(file, { offset, size: sizeBytes }),
    };
  });
  const listed = listedFiles(files);
  if (otherCount > 0) {
    listed.passedOver.push(`${otherCount} ${otherCount === 1 ? "link" : "links and the like"}`);
  }
  const resources = cleanup.move();
  return {
    origin: path,
    form: "tar",
    ...listed,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Passes chunks on, and keeps a copy where there is a file for it. */
async function* copied(
  chunks: AsyncIterable<Uint8Array>,
  scratch: Scratch | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    scratch?.write(chunk);
    yield chunk;
  }
}

/** A temporary file that takes an unpacked archive. */
interface Scratch extends Disposable {
  write(chunk: Uint8Array): void;
  /** The same file, for reading. */
  reopen(): OpenFile;
}

/** Makes a temporary file that goes away with the process, however that ends, where the system can. */
function openScratch(origin: string): Scratch {
  const fail = (error: unknown) => {
    if (error instanceof UserError) return error;
    const reason = error instanceof Deno.errors.NotCapable
      ? "Deno was not allowed to write a temporary file; run it with --allow-write"
      : error instanceof Error
      ? error.message
      : String(error);
    return new UserError(`Cannot unpack ${origin}: ${reason}; or unpack it yourself`, {
      cause: error,
    });
  };
  let path: string;
  let file: Deno.FsFile;
  try {
    path = Deno.makeTempFileSync({ prefix: "ganforge-" });
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    throw fail(error);
  }
  const remove = (): boolean => {
    try {
      Deno.removeSync(path);
      return true;
    } catch {
      return false; // Windows keeps a file that is open
    }
  };
  const isGone = Deno.build.os !== "windows" && remove();
  let sizeBytes = 0;
  return {
    write(chunk) {
      sizeBytes += chunk.length;
      try {
        if (sizeBytes > MAX_UNPACKED_BYTES) {
          throw new Error(`it has more than ${MAX_UNPACKED_BYTES} bytes unpacked`);
        }
        for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
      } catch (error) {
        throw fail(error);
      }
    },
    reopen: () => accessFile(file, origin),
    [Symbol.dispose]() {
      file.close();
      if (!isGone) remove();
    },
  };
}
