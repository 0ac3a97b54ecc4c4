/** Concatenation, sizes and hashes. */
import { assertEquals } from "@std/assert";
import { concatBytes, concatFloats, elementCount, sha256Hex } from "../../src/bytes.ts";
import { sha256, sha256OfFile } from "../../src/hash.ts";

const ABC = new TextEncoder().encode("abc");
/** FIPS 180-4's own example. */
const ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Deno.test("sha256() and sha256Hex() give the standard's digest of abc, in one part or several", async () => {
  assertEquals(await sha256Hex(ABC), ABC_SHA256);
  assertEquals(sha256("abc"), ABC_SHA256);
  assertEquals(sha256("a", ABC.subarray(1, 2), "c"), ABC_SHA256);
});

Deno.test("sha256OfFile() gives the digest of a file", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, ABC);
    assertEquals(await sha256OfFile(path), ABC_SHA256);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("concatBytes() and concatFloats() join parts in order", () => {
  assertEquals(
    concatBytes([ABC, new Uint8Array(0), ABC.subarray(2)]),
    Uint8Array.of(97, 98, 99, 99),
  );
  assertEquals(concatFloats([Float32Array.of(1), Float32Array.of(2, 3)]), Float32Array.of(1, 2, 3));
  assertEquals(concatBytes([]), new Uint8Array(0));
});

Deno.test("elementCount() is the product of sizes, 1 of a scalar and 0 where a size is 0", () => {
  assertEquals([[2, 3, 4], [], [5, 0]].map(elementCount), [24, 1, 0]);
});
