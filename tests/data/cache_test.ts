import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import sharp from "sharp";
import { cleanCache } from "../../src/data/cache/cache_folder.ts";
import { readCacheFile } from "../../src/data/cache/cache_file.ts";
import { rowsOf } from "../../src/data/cache/cached_source.ts";
import { RowReader } from "../../src/data/cache/row_reader.ts";
import { openDataSource } from "../../src/data/open.ts";
import type { DataSource } from "../../src/data/source.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { withFolder } from "./helpers.ts";

/** Writes small images in two classes. */
async function writeImages(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await Deno.mkdir(`${folder}/${i % 2 ? "odd" : "even"}`, { recursive: true });
    const data = Uint8Array.from({ length: 6 * 4 * 3 }, (_, at) => (7 * at + 31 * i) % 256);
    const name = `${folder}/${i % 2 ? "odd" : "even"}/${String(i).padStart(4, "0")}.png`;
    await Deno.writeFile(
      name,
      await sharp(data, { raw: { width: 6, height: 4, channels: 3 } })
        .png().toBuffer(),
    );
  }
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const all = ({ count }: DataSource) => Uint32Array.from({ length: count }, (_, i) => i);

function closed<T>(source: DataSource, use: (source: DataSource) => T): T {
  try {
    return use(source);
  } finally {
    source.close?.();
  }
}

Deno.test("openDataSource() decodes once into a cache file, and reads the same samples from it", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 9);
    const spec = { source: "images", path: `${folder}/images`, size: 3 } as const;
    const plain = await openDataSource(spec);
    const cache = { folder: `${folder}/cache` };
    let decoded = 0;
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "decoding") decoded++;
    };
    const first = await openDataSource(spec, { cache, onProgress });
    assertEquals(decoded, 9);
    const second = await openDataSource(spec, { cache, onProgress });
    assertEquals(decoded, 9);
    const streamed = await openDataSource(spec, { cache, memoryBytes: 0, onProgress });
    assertEquals(decoded, 9);
    for (const source of [first, second, streamed]) {
      closed(source, () => {
        assertEquals(source.fingerprint, plain.fingerprint);
        assertEquals(source.batch(all(plain)), plain.batch(all(plain)));
        assertEquals(source.classNames, ["even", "odd"]);
        assertEquals(source.decoding, plain.decoding);
        assertEquals(source.name, plain.name);
      });
    }
    assertEquals(streamed.pixels, undefined);
    assert(streamed.description.includes("as they are needed"), streamed.description);
    assertEquals(names(cache.folder).length, 1);
    await Deno.writeFile(
      `${folder}/images/odd/0001.png`,
      await Deno.readFile(`${folder}/images/even/0000.png`),
    );
    const changed = await openDataSource(spec, { cache, onProgress });
    assertEquals(decoded, 18);
    assertNotEquals(changed.fingerprint, plain.fingerprint);
    const larger = await openDataSource({ ...spec, size: 4 }, { cache, onProgress });
    assertEquals([decoded, larger.shape], [27, [4, 4, 3]]);
    assert((await cleanCache(cache.folder)).startsWith("3 files of decoded data removed"));
    assertEquals(names(cache.folder), []);
    assert((await cleanCache(cache.folder)).endsWith("holds no decoded data"));
  }));

Deno.test("a damaged cache file is made again, whatever is damaged", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 4);
    const spec = { source: "images", path: `${folder}/images` } as const;
    const cache = { folder: `${folder}/cache` };
    const good = await openDataSource(spec, { cache });
    const path = `${cache.folder}/${names(cache.folder)[0]}`;
    const bytes = await Deno.readFile(path);
    const trailer = bytes.length - 5;
    for (const at of [0, 8, 13, 17, 4096, 4096 + 72 * 3, 4096 + 72 * 4 + 1, trailer]) {
      await Deno.writeFile(path, bytes.with(at, bytes[at] ^ 0x55));
      const again = await openDataSource(spec, { cache });
      assertEquals(again.fingerprint, good.fingerprint, `byte ${at}`);
      assertEquals(await Deno.readFile(path), bytes, `byte ${at}`);
    }
    for (const kept of [0, 20, 4096, 4200, bytes.length - 1]) {
      await Deno.writeFile(path, bytes.subarray(0, kept));
      assertEquals((await openDataSource(spec, { cache })).fingerprint, good.fingerprint);
    }
  }));

Deno.test("readCacheFile() reads a damaged file as it was, or refuses it", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 3);
    const cache = { folder: `${folder}/cache` };
    await openDataSource({ source: "images", path: `${folder}/images` }, { cache });
    const bytes = await Deno.readFile(`${cache.folder}/${names(cache.folder)[0]}`);
    const path = `${folder}/damaged`;
    const outcome = await fuzz(damagedBytes([bytes]), (damaged) => {
      Deno.writeFileSync(path, damaged);
      const found = readCacheFile(path);
      assertEquals([found?.trailer.count, found?.labels?.length], [3, 3]);
    }, { seed: 6, runs: 1000 });
    assert(outcome.read > 50 && outcome.refused > 300, JSON.stringify(outcome));
  }));

Deno.test("stopping and failing leave nothing in the cache folder", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 6);
    const cache = { folder: `${folder}/cache` };
    const spec = { source: "images", path: `${folder}/images` } as const;
    const controller = new AbortController();
    const reason = new Error("enough");
    const error = await assertRejects(() =>
      openDataSource(spec, {
        cache,
        signal: controller.signal,
        onProgress({ stage }) {
          if (stage === "decoding") controller.abort(reason);
        },
      })
    );
    assertEquals([error, names(cache.folder)], [reason, []]);
    await Deno.writeTextFile(`${folder}/images/odd/x.png`, "x");
    await assertRejects(() => openDataSource(spec, { cache }), UserError, "x.png");
    assertEquals(names(cache.folder), []);
    await Deno.writeTextFile(`${cache.folder}/.partial-1-left.ganforge-cache`, "killed");
    await Deno.remove(`${folder}/images/odd/x.png`);
    await openDataSource(spec, { cache });
    assertEquals(names(cache.folder).length, 1); // what a killed process left is gone
    await Deno.writeTextFile(`${folder}/file`, "x");
    await assertRejects(
      () => openDataSource(spec, { cache: { folder: `${folder}/file` } }),
      UserError,
      "--cache none",
    );
  }));

Deno.test("the cache keeps below its bound: what was used longest ago goes first", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 4);
    const spec = { source: "images", path: `${folder}/images` } as const;
    const sizes = [1, 2, 3];
    const cache = { folder: `${folder}/cache`, maxBytes: 12_000 }; // two of about 5 kB
    const made: string[] = [];
    for (const size of sizes) {
      await openDataSource({ ...spec, size }, { cache });
      const fresh = names(cache.folder).find((name) => !made.includes(name))!;
      made.push(fresh);
      await Deno.utime(`${cache.folder}/${fresh}`, 1000 + size, 1000 + size);
      if (size === 2) await openDataSource({ ...spec, size: 1 }, { cache }); // used again
    }
    assertEquals(names(cache.folder), [made[0], made[2]].sort());
  }));

Deno.test("RowReader reads ahead in sequence, and anything else at once", () =>
  withFolder(async (folder) => {
    await writeImages(`${folder}/images`, 20);
    const cache = { folder: `${folder}/cache` };
    const plain = await openDataSource({ source: "images", path: `${folder}/images` }, { cache });
    const path = `${cache.folder}/${names(cache.folder)[0]}`;
    const rows = new RowReader(rowsOf(readCacheFile(path)!));
    const expected = (numbers: Uint32Array) =>
      Uint8Array.from(
        [...numbers].flatMap((row) => [...plain.pixels!.subarray(row * 72, row * 72 + 72)]),
      );
    const request = (i: number) => Uint32Array.of(i % 20, (3 * i) % 20, (i + 1) % 20, (i + 2) % 20);
    try {
      assertEquals([rows.count, rows.rowSize], [20, 72]);
      for (let i = 0; i < 200; i++) rows.readAhead(request(i)); // more than there are slots
      for (let i = 0; i < 200; i++) {
        assertEquals(rows.take(request(i)), expected(request(i)), `${i}`);
        if (i % 50 === 0) assertEquals(rows.take(request(7)), expected(request(7))); // in between
      }
      rows.readAhead(request(1));
      rows.restart();
      rows.readAhead(request(2));
      assertEquals(rows.take(request(2)), expected(request(2)));
      assertEquals(rows.take(request(3)), expected(request(3)));
      const damaged = await Deno.readFile(path);
      damaged[4096 + 72 * 5] ^= 1;
      await Deno.writeFile(path, damaged);
      rows.readAhead(Uint32Array.of(5));
      assertThrows(() => rows.take(Uint32Array.of(5)), UserError, "its checksum is wrong");
      assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
    } finally {
      rows.close();
    }
  }));
