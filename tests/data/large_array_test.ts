/** Arrays beyond memory, and images that are resized: from the disk or the cache, with the bits of memory. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { gzipSync, zipSync } from "fflate";
import type { DataSpec } from "../../src/config/data.ts";
import { openDataSource } from "../../src/data/open.ts";
import type { DataSource } from "../../src/data/source.ts";
import { UserError } from "../../src/errors.ts";
import { FIXTURES, npyOf, put, withFolder } from "./helpers.ts";

const SHAPE = [40, 6, 5, 3] as const;
const SIZE = 40 * 6 * 5 * 3;
const PIXELS = Uint8Array.from({ length: SIZE }, (_, i) => (31 * i + (i >> 5)) % 256);
const all = ({ count }: DataSource) => Uint32Array.from({ length: count }, (_, i) => i);
const names = (folder: string) => {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
};

async function assertSame(spec: DataSpec, folder: string): Promise<DataSource> {
  const cache = { folder: `${folder}/cache` };
  const inMemory = await openDataSource(spec);
  const large = await openDataSource(spec, { cache, memoryBytes: 100 });
  try {
    assertEquals(large.fingerprint, inMemory.fingerprint);
    assertEquals(large.pixels, undefined);
    assertEquals(large.batch(all(inMemory)), inMemory.batch(all(inMemory)));
    assertEquals(large.notes, inMemory.notes);
    assertEquals([large.labels, large.classNames], [inMemory.labels, inMemory.classNames]);
    assertMatch(large.description, /as they are needed$/);
  } finally {
    large.close?.();
  }
  return large;
}

Deno.test("openDataSource() reads an array beyond memory from its own file, with the bits of memory", () =>
  withFolder(async (folder) => {
    const path = await put(`${folder}/set/x.npy`, npyOf("|u1", SHAPE, PIXELS));
    await put(
      `${folder}/set/y.npy`,
      npyOf("|u1", [40], Uint8Array.from(all({ count: 40 } as DataSource), (i) => i % 3)),
    );
    const marks = Uint8Array.from({ length: 120 }, (_, i) => i % 2); // several in a row: no classes
    await put(`${folder}/marked/x.npy`, npyOf("|u1", SHAPE, PIXELS));
    await put(`${folder}/marked/y.npy`, npyOf("|u1", [40, 3], marks));
    const specs: Omit<DataSpec, "source">[] = [
      { path: `${folder}/set` },
      { path: `${folder}/marked` },
      { path, size: [6, 5], channels: 3 },
    ];
    for (const spec of specs) await assertSame({ source: "npy", ...spec }, folder);
    const kept = names(`${folder}/cache`);
    assert(kept.length > 0 && kept.every((name) => name.includes("-checksums-")), `${kept}`); // no copy
    const stages: string[] = [];
    const again = await openDataSource({ source: "npy", path: `${folder}/set` }, {
      cache: { folder: `${folder}/cache` },
      memoryBytes: 100,
      onProgress: ({ stage }) => stages.push(stage),
    });
    again.close?.();
    assertEquals(stages, []); // it was checked before
    for (const name of kept) { // damaged checksums are made again
      const bytes = await Deno.readFile(`${folder}/cache/${name}`);
      bytes[4100] ^= 1;
      await Deno.writeFile(`${folder}/cache/${name}`, bytes);
    }
    await assertSame({ source: "npy", path: `${folder}/set` }, folder);
    const source = await openDataSource({ source: "npy", path }, { memoryBytes: 100 });
    try {
      source.batch(Uint32Array.of(39));
      const file = await Deno.open(path, { write: true });
      await file.seek(-1, Deno.SeekMode.End);
      await file.write(Uint8Array.of(PIXELS[SIZE - 1] ^ 1));
      file.close();
      assertThrows(
        () => source.batch(Uint32Array.of(39)),
        UserError,
        "it is not what it was when the file was opened",
      );
      assert(Deno.statSync(path).isFile);
    } finally {
      source.close?.();
    }
    await Deno.truncate(path, 1000);
    await assertRejects(
      () => openDataSource({ source: "npy", path }, { memoryBytes: 100 }),
      UserError,
      "the last of 40 images would end at byte",
    );
    const wide = npyOf("<f4", [70_000, 128, 128, 3], new Uint8Array(16));
    await assertRejects(
      async () => openDataSource({ source: "npy", path: await put(`${folder}/f.npy`, wide) }),
      UserError,
      "which is 13762560000 bytes, and the limit is 4294967295; only images of uint8",
    );
  }));

Deno.test("openDataSource() brings an array beyond memory through the cache where it is packed or changed", () =>
  withFolder(async (folder) => {
    const plain = await put(`${folder}/x.npy`, npyOf("|u1", SHAPE, PIXELS));
    const planar = await put(
      `${folder}/p.npy`,
      npyOf("|u1", [40, 3, 7, 6], Uint8Array.from({ length: 5040 }, (_, i) => i % 251)),
    );
    const levels = await put(
      `${folder}/l.npy`,
      npyOf("|u1", [40, 8, 8], Uint8Array.from({ length: 2560 }, (_, i) => i % 2)),
    );
    const packed = await put(
      `${folder}/z.npz`,
      zipSync({ "images.npy": npyOf("|u1", SHAPE, PIXELS) }),
    );
    const unzipped = await put(`${folder}/x.npy.gz`, gzipSync(npyOf("|u1", SHAPE, PIXELS)));
    const specs: Omit<DataSpec, "source">[] = [
      { path: plain, size: 4, channels: 1 },
      { path: plain, count: 7, seed: 3 },
      { path: planar },
      { path: levels },
      { path: packed },
      { path: unzipped },
    ];
    for (const [i, spec] of specs.entries()) {
      await assertSame({ source: "npy", ...spec }, folder);
      const copies = names(`${folder}/cache`).filter((name) => !name.includes("-checksums-"));
      assertEquals(copies.length, i + 1, JSON.stringify(spec));
    }
    await assertRejects(
      () => openDataSource({ source: "npy", path: packed, count: 7 }, { memoryBytes: 100 }),
      UserError,
      "it is too large for memory and packed; unpack it, or take all",
    );
  }));

Deno.test("openDataSource() keeps resized arrays, MNIST, CIFAR and rows of tables in the cache", () =>
  withFolder(async (folder) => {
    const cache = { folder: `${folder}/cache` };
    const array = await put(`${folder}/x.npy`, npyOf("|u1", SHAPE, PIXELS));
    const archive = await put(
      `${folder}/z.npz`,
      zipSync({ "images.npy": npyOf("|u1", SHAPE, PIXELS) }),
    );
    const row = Array.from({ length: 784 }, (_, i) => i % 256);
    const table = await put(
      `${folder}/m.csv`,
      `${[1, ...row].join(",")}\n${[2, ...row].join(",")}\n`,
    );
    const paths = [
      array,
      archive,
      table,
      `${FIXTURES}/idx`,
      `${FIXTURES}/cifar/cifar-10-binary.tar.gz`,
    ];
    for (const [i, path] of paths.entries()) {
      await openDataSource({ source: "auto", path }, { cache }); // as it is: nothing to keep
      assertEquals(names(cache.folder).length, i, path);
      const spec = { source: "auto", path, size: 7, channels: 1 } as const;
      const plain = await openDataSource(spec);
      for (const _ of ["made", "found"]) {
        const kept = await openDataSource(spec, { cache });
        assertEquals([kept.fingerprint, kept.notes ?? [], kept.decoding], [
          plain.fingerprint,
          plain.notes ?? [],
          plain.decoding,
        ], path);
        assertEquals(names(cache.folder).length, i + 1, path);
      }
    }
  }));

Deno.test("a process ends after it closed rows that were announced far ahead", async () => {
  const script = new URL("./close_reader.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", script],
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(new TextDecoder().decode(stdout), "closed\n");
});
