/**
 * Lists the files of a tar archive as its bytes stream by, with the place of each file's bytes, by
 * tar-stream, which knows the long names and sizes of GNU's and POSIX's extensions.
 */
// @ts-types="npm:@types/tar-stream@3.1.5"
import { extract } from "tar-stream";
import { UserError } from "../../errors.ts";
import { normalizePath } from "./file_store.ts";

/** A regular file of an archive. */
export interface TarEntry {
  /** Path within the archive, with `/` between folders. */
  path: string;
  /** Size of the file. */
  sizeBytes: number;
  /** Where its bytes start in the unpacked archive. */
  offset: number;
}

/** What an archive holds. */
export interface TarList {
  /** Its regular files, in the archive's own sequence. */
  entries: TarEntry[];
  /** How many links, devices and the like there are. */
  otherCount: number;
}

/** The most files of an archive. */
const MAX_ENTRIES = 5_000_000;

/** Lists an archive. */
export async function listTar(
  chunks: AsyncIterable<Uint8Array>,
  { origin }: { origin: string },
): Promise<TarList> {
  const list: TarList = { entries: [], otherCount: 0 };
  const tar = extract();
  let fault: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    tar.on("error", (error: Error) => fault = error);
    tar.on("close", resolve);
  });
  tar.on("entry", (header, body, next) => {
    body.on("error", () => {}); // the archive's own error says it
    const { byteOffset } = header as typeof header & { byteOffset: number };
    if (!Number.isSafeInteger(header.size)) { // tar-stream would wait for ever
      tar.destroy(new Error(`Entry ${list.entries.length + 1} has no readable size`));
      return;
    }
    const isFile = header.type === "file" || header.type === "contiguous-file";
    if (isFile) {
      const path = normalizePath(header.name);
      list.entries.push({ path, sizeBytes: header.size!, offset: byteOffset });
    } else if (header.type !== "directory") list.otherCount++;
    if (header.type === "directory") { // one that claims a size has no body that would end
      next();
      return;
    }
    body.on("end", () => next());
    body.resume();
  });
  for await (const chunk of chunks) {
    if (fault) break;
    if (list.entries.length > MAX_ENTRIES) {
      throw new UserError(
        `Cannot read ${origin}: it has more than ${MAX_ENTRIES} files; unpack it`,
      );
    }
    if (!tar.write(chunk)) await Promise.race([ended, new Promise((go) => tar.once("drain", go))]);
  }
  tar.end();
  await ended;
  if (fault) {
    throw new UserError(
      `Cannot read ${origin}: it is no tar archive, truncated or damaged (${firstLine(fault)})`,
      { cause: fault },
    );
  }
  return list;
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0].replace(/[.]$/, "");
}
