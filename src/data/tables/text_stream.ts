/** The text of a file in whichever encoding it is: UTF-8, UTF-16, or else Windows-1252. */
import { UserError } from "../../errors.ts";
import { openStoredFile, type StoredFile } from "../stores/file_store.ts";

/** The encodings that are recognized. */
export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/**
 * The encoding of a file's text. UTF-16 shows in its byte order mark, or in the zeros beside ASCII;
 * what is not valid UTF-8 throughout is read as Windows-1252, of which Latin-1 is a part.
 */
export async function detectEncoding(file: StoredFile): Promise<TextEncoding> {
  const reader = await openStoredFile(file);
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let isFirst = true;
  try {
    for await (const chunk of reader.chunks()) {
      const wide = isFirst ? wideEncoding(chunk) : undefined;
      if (wide) return wide;
      isFirst = false;
      utf8.decode(chunk, { stream: true });
    }
    utf8.decode();
    return "utf-8";
  } catch (error) {
    if (error instanceof TypeError) return "windows-1252";
    throw error;
  } finally {
    await reader.close();
  }
}

function wideEncoding(start: Uint8Array): TextEncoding | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  const zeros = [0, 0];
  const length = Math.min(start.length, 512) & ~1;
  for (let i = 0; i < length; i++) if (start[i] === 0) zeros[i & 1]++;
  if (length >= 4 && zeros[1] > length / 4 && zeros[0] === 0) return "utf-16le";
  if (length >= 4 && zeros[0] > length / 4 && zeros[1] === 0) return "utf-16be";
  return undefined;
}

/**
 * A file's text in parts, without a byte order mark.
 * @throws {UserError} where it is UTF-16 that ends in the middle of a character
 */
export async function* readText(
  file: StoredFile,
  encoding: TextEncoding,
): AsyncGenerator<string> {
  const reader = await openStoredFile(file);
  const decoder = new TextDecoder(encoding, { fatal: encoding !== "windows-1252" });
  try {
    for await (const chunk of reader.chunks()) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(`Cannot read ${file.origin}: it is damaged as ${encoding} text`, {
      cause: error,
    });
  } finally {
    await reader.close();
  }
}
