import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type GanforgeError, StorageError, UserError } from "../../src/errors.ts";
import { ensureFolder, writeError, writeFileAtomically } from "../../src/files.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeFileAtomically() replaces a file whole and leaves nothing aside", () =>
  inFolder(async (folder) => {
    await writeFileAtomically(`${folder}/a`, new Uint8Array([1, 2]));
    await writeFileAtomically(`${folder}/a`, new Uint8Array([3]));
    assertEquals(await Deno.readFile(`${folder}/a`), new Uint8Array([3]));
    const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    assertEquals(names, ["a"]);
  }));

Deno.test("writeFileAtomically() keeps the old file when the new one cannot be put in its place", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken/inside`, { recursive: true });
    await assertRejects(
      () => writeFileAtomically(`${folder}/taken`, new Uint8Array([1])),
      UserError,
      "Cannot write",
    );
    const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    assertEquals(names, ["taken"]);
  }));

Deno.test("ensureFolder() says which path is in the way", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(() => ensureFolder(`${folder}/file/x`), UserError, `${folder}/file/x`);
  }));

Deno.test("writeError() turns errors of the file system into what the user can do", () => {
  const withCode = (code: string) => Object.assign(new Error(`failed (${code})`), { code });
  const cases: [error: Error, type: typeof GanforgeError, message: string][] = [
    [withCode("ENOSPC"), StorageError, "the disk is full; free some space"],
    [new Error("No space left on device (os error 28)"), StorageError, "the disk is full"],
    [new Error("Disk quota exceeded (os error 122)"), StorageError, "the disk is full"],
    [new Deno.errors.PermissionDenied("no"), UserError, "permission denied"],
    [withCode("EROFS"), UserError, "failed (EROFS)"],
    [withCode("EEXIST"), UserError, "failed (EEXIST)"],
  ];
  for (const [error, type, message] of cases) {
    const turned = writeError("runs/x", error);
    assert(turned instanceof type, error.message);
    assertStringIncludes(turned.message, "Cannot write runs/x: ");
    assertStringIncludes(turned.message, message);
  }
  const bug = new TypeError("a bug");
  assertEquals(writeError("x", bug), bug);
});
