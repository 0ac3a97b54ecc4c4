/** Hashes without waiting, over `node:crypto`; what runs in a browser takes src/bytes.ts instead. */
import { createHash } from "node:crypto";

/** SHA-256 of several parts, one after another, as 64 hexadecimal digits. Text counts as UTF-8. */
export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The hash of a file in hexadecimal digits, read in pieces. */
export async function hashOfFile(path: string, algorithm: "sha256" | "md5"): Promise<string> {
  const hash = createHash(algorithm);
  const file = await Deno.open(path, { read: true });
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
