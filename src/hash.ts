/** Hashes without waiting, over `node:crypto`; what runs in a browser takes src/bytes.ts instead. */
import { createHash } from "node:crypto";

/** SHA-256 of several parts, one after another, as 64 hexadecimal digits. Text counts as UTF-8. */
export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** SHA-256 of a file as 64 hexadecimal digits; the file is read in pieces. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path, { read: true });
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
