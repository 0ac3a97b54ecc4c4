/** Reads the first and the last bytes of a file, which say what an image is before it is decoded. */
import { type FileEnds, HEAD_BYTES, TAIL_BYTES } from "./image_header.ts";

/** Reads the ends of a file. @throws errors of the file system */
export async function readEnds(path: string): Promise<FileEnds> {
  using file = await Deno.open(path, { read: true });
  const sizeBytes = (await file.stat()).size;
  if (sizeBytes <= HEAD_BYTES + TAIL_BYTES) {
    const all = await readPart(file, 0, sizeBytes);
    return { head: all, tail: all, sizeBytes };
  }
  const head = await readPart(file, 0, HEAD_BYTES);
  const tail = await readPart(file, sizeBytes - TAIL_BYTES, TAIL_BYTES);
  return { head, tail, sizeBytes };
}

async function readPart(file: Deno.FsFile, offset: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < size;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}
