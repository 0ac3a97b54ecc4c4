import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { zipSync } from "fflate";
import { openDataSource } from "../../src/data/open.ts";
import { readZip } from "../../src/data/stores/zip.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden, put, withFolder } from "./helpers.ts";

const classesZip = `${FIXTURES}/zip/classes.zip`;
const readImage = (name: string) => Deno.readFile(`${FIXTURES}/images/${name}`);

function readZipBytes(bytes: Uint8Array) {
  return readZip({
    origin: "a.zip",
    sizeBytes: bytes.length,
    slice: (offset, size) => bytes.subarray(offset, offset + size),
  });
}

/** Unpacks an archive of the fixtures. */
async function unpack(zip: string, folder: string): Promise<void> {
  const archive = readZipBytes(await Deno.readFile(zip));
  for (const entry of archive.entries) {
    await put(`${folder}/${entry.path}`, archive.read(entry, { maxBytes: 1e6 }));
  }
}

Deno.test("openDataSource() reads a zip and its unpacked folder alike, sub-folders as classes", async () => {
  const zip = await openDataSource({ source: "auto", path: classesZip });
  assertEquals(zip.shape, [4, 4, 3]);
  assertEquals(zip.pixels, fromHex(golden.zip.pixels));
  assertEquals([...zip.labels!], golden.zip.labels);
  assertEquals(zip.classNames, golden.zip.classNames);
  assertEquals(zip.name, "classes");
  await withFolder(async (folder) => {
    await unpack(classesZip, folder);
    const plain = await openDataSource({ source: "auto", path: folder });
    assertEquals(plain.fingerprint, zip.fingerprint);
    const inner = await openDataSource({ source: "images", path: `${folder}/set/` });
    assertEquals(inner.fingerprint, zip.fingerprint);
  });
});

Deno.test("openDataSource() takes labels from dataset.json, and none where it says null", async () => {
  const source = await openDataSource({ source: "images", path: `${FIXTURES}/zip/labeled.zip` });
  assertEquals(source.pixels, fromHex(golden.zip.labeled.pixels));
  assertEquals([...source.labels!], golden.zip.labeled.labels);
  assertEquals(source.classNames?.length, 7);
  await withFolder(async (folder) => {
    await unpack(classesZip, folder);
    await put(`${folder}/dataset.json`, '{"labels": null}');
    assertEquals((await openDataSource({ source: "images", path: folder })).labels, undefined);
  });
});

Deno.test("openDataSource() says how dataset.json does not match its images", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/a.png`, await readImage("rgb8.png"));
    const cases: [string, string][] = [
      ["{", "it is no JSON ("],
      ['{"labels": [["a.png", -1]]}', 'expected {"labels": [["folder/image.png", 0], ...]}'],
      ['{"labels": [["a.png", [1, 0]]]}', "and at labels.0.1: "],
      ['{"labels": []}', "it has no label for a.png"],
      ['{"labels": [["a.png", 0], ["b.png", 1]]}', "it has a label for b.png, which is not there"],
    ];
    for (const [text, message] of cases) {
      await put(`${folder}/dataset.json`, text);
      const error = await assertRejects(
        () => openDataSource({ source: "images", path: folder }),
        UserError,
        message,
      );
      assert(error.message.startsWith(`Cannot use ${folder}/dataset.json: `), error.message);
    }
  });
});

Deno.test("openDataSource() unifies gray, color and alpha, and reports progress", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/a.png`, await readImage("gray8.png"));
    await put(`${folder}/b.png`, await readImage("gray-alpha8.png"));
    await put(`${folder}/.DS_Store`, "x");
    await put(`${folder}/notes.md`, "x");
    const seen: string[] = [];
    const gray = await openDataSource({ source: "images", path: folder }, {
      onProgress: ({ stage, done, total }) => seen.push(`${stage} ${done}/${total}`),
    });
    assertEquals([gray.shape, gray.labels], [[6, 9, 1], undefined]);
    assertEquals(seen, ["checking 1/2", "checking 2/2", "decoding 1/2", "decoding 2/2"]);
    assertEquals(gray.notes, [
      "left out 1 .md, 1 hidden file: they are no images",
      "1 of 2 images have an alpha channel: they are laid on gray 255 (data.background); " +
      "--set data.channels=4 keeps it",
    ]);
    assertEquals(gray.pixels![54], 255); // the second image's first pixel is transparent: white
    const black = await openDataSource({ source: "images", path: folder, background: 0 });
    assertEquals(black.pixels![54], 0);
    await put(`${folder}/c.webp`, await readImage("lossless.webp"));
    const mixed = await openDataSource({ source: "images", path: folder });
    assertEquals(mixed.shape, [6, 9, 3]);
    assertEquals(
      mixed.pixels!.subarray(0, 3),
      new Uint8Array(3).fill(gray.pixels![0]),
    );
    const small = await openDataSource({ source: "images", path: folder, size: 4, channels: 1 });
    assertEquals([small.shape, small.count], [[4, 4, 1], 3]);
  });
});

Deno.test("openDataSource() takes a seeded part of the images with their own labels", async () => {
  await withFolder(async (folder) => {
    for (let i = 0; i < 12; i++) {
      await Deno.mkdir(`${folder}/class${i % 3}`, { recursive: true });
      await Deno.copyFile(
        `${FIXTURES}/images/${i % 3 === 0 ? "gray8" : "rgb8"}.png`,
        `${folder}/class${i % 3}/${i}.png`,
      );
    }
    const spec = { source: "images", path: folder, count: 6, seed: 2, channels: 3 } as const;
    const source = await openDataSource(spec);
    assertEquals(source.count, 6);
    for (let i = 0; i < 6; i++) {
      const isGray = source.pixels![i * 162] === source.pixels![i * 162 + 2];
      assertEquals(isGray, source.labels![i] === 0);
    }
    assertEquals((await openDataSource(spec)).fingerprint, source.fingerprint);
    await assertRejects(
      () => openDataSource({ ...spec, count: 13 }),
      UserError,
      `Cannot take 13 images from ${folder}: it has 12; lower "count"`,
    );
  });
});

Deno.test("openDataSource() names every image that cannot be used", async () => {
  await withFolder(async (folder) => {
    const good = await readImage("rgb8.png");
    await put(`${folder}/a.png`, good);
    await put(`${folder}/b.jpg`, await readImage("turned.jpg"));
    const wrongSize = `Cannot use ${folder}/b.jpg: it has 6 x 9 pixels, and ${folder}/a.png has ` +
      `9 x 6; --size HxW cuts and resizes all to one`;
    await assertRejects(
      () => openDataSource({ source: "images", path: folder }),
      UserError,
      wrongSize,
    );
    await put(`${folder}/c.png`, good.subarray(0, 100));
    await put(`${folder}/d.png`, "");
    const error = await assertRejects(
      () => openDataSource({ source: "images", path: folder }),
      UserError,
      `Cannot read ${folder}/c.png: it is truncated: it ends at byte 100 without its IEND chunk; ` +
        `2 of 4 files cannot be used, also d.png; --broken skip trains without them`,
    );
    assert(!error.message.includes("\n"));
    await Deno.remove(`${folder}/b.jpg`);
    await Deno.remove(`${folder}/c.png`);
    await assertRejects(
      () => openDataSource({ source: "images", path: folder }),
      UserError,
      `Cannot read ${folder}/d.png: the file is empty (0 bytes)`,
    );
    const skipped = await openDataSource({ source: "images", path: folder, broken: "skip" });
    assertEquals([skipped.count, skipped.notes], [
      1,
      ["1 file is left out, because it cannot be read: d.png"],
    ]);
    await Deno.remove(`${folder}/a.png`);
    await assertRejects(
      () => openDataSource({ source: "images", path: folder, broken: "skip" }),
      UserError,
      `Cannot read ${folder}/d.png: the file is empty (0 bytes)`,
    );
    await put(`${folder}/e.bmp`, "x");
    await assertRejects(
      () => openDataSource({ source: "images", path: folder }),
      UserError,
      `Cannot read ${folder}/d.png: the file is empty (0 bytes); 2 of 2 files cannot be used, also ` +
        `e.bmp; --broken skip trains without them`,
    );
    await Deno.remove(`${folder}/d.png`);
    await assertRejects(
      () => openDataSource({ source: "images", path: folder }),
      UserError,
      `Cannot read ${folder}/e.bmp: images have to be JPEG, PNG, WebP, GIF, AVIF or TIFF, and this is ` +
        `BMP: convert it`,
    );
  });
});

Deno.test("openDataSource() follows links once, also those that lead back", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/real/a.png`, await readImage("rgb8.png"));
    await Deno.symlink(folder, `${folder}/real/back`);
    await Deno.symlink(`${folder}/real/a.png`, `${folder}/b.png`);
    const source = await openDataSource({ source: "images", path: folder });
    assertEquals(source.count, 2);
    await Deno.symlink("nowhere.png", `${folder}/c.png`);
    await Deno.symlink("loop", `${folder}/loop`);
    const linked = await openDataSource({ source: "images", path: folder });
    assertEquals(linked.fingerprint, source.fingerprint);
    assertEquals(linked.notes, ["left out 2 links to nothing (c.png, loop): they are no images"]);
  });
});

Deno.test("openDataSource() stops when its signal says so", async () => {
  const reason = new Error("enough");
  const error = await assertRejects(() =>
    openDataSource({ source: "images", path: classesZip }, { signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
});

Deno.test("readZip() says what is wrong with an archive", async () => {
  const zip = await Deno.readFile(classesZip);
  const read = (bytes: Uint8Array) => {
    const archive = readZipBytes(bytes);
    return archive.entries.map((entry) => archive.read(entry, { maxBytes: 1000 }));
  };
  const list = zip.findIndex((_, i) => [0x50, 0x4b, 1, 2].every((byte, k) => zip[i + k] === byte));
  const cases: [Uint8Array, string][] = [
    [zip.subarray(0, -30), "it has no end record of a .zip: it is truncated, or no .zip"],
    [new Uint8Array(5), "it has no end record of a .zip"],
    [zip.with(list, 0), "its list of files is damaged at entry 0 of 3"],
    [zip.with(list + 8, 1), "set/cats/b.png in it is encrypted: unpack it first"],
    [zip.with(list + 10, 12), "set/cats/b.png is packed by method 12"],
    [zip.with(list + 16, zip[list + 16] ^ 1), "set/cats/b.png in it has a wrong checksum"],
    [zip.with(list + 24, 9), "set/cats/b.png in it does not unpack to 9 bytes"],
    [zip.with(list + 26, 1), "bytes, and the limit is 1000"],
    [zip.with(list + 42, 7), "the header of set/cats/b.png is damaged"],
    [zip.with(list + 45, 7), "the header of set/cats/b.png would lie at bytes"],
  ];
  for (const [bytes, message] of cases) {
    assertThrows(() => read(bytes), UserError, message);
  }
});

Deno.test("readZip() reads what fflate packs, and the 64-bit records of large archives", () => {
  const files = { "a.png": Uint8Array.of(1, 2, 3), "é/b.png": new Uint8Array(5000).fill(7) };
  const bytes = zipSync(files, { level: 6 });
  const archive = readZipBytes(bytes);
  assertEquals(archive.entries.map(({ path }) => path), Object.keys(files));
  const unpacked = archive.entries.map((entry) => archive.read(entry, { maxBytes: 5000 }));
  assertEquals(unpacked.map((part) => [...part]), Object.values(files).map((part) => [...part]));

  const end = bytes.length - 22;
  const view = new DataView(bytes.buffer);
  const record = new DataView(new ArrayBuffer(56 + 20 + 22));
  record.setUint32(0, 0x06064b50, true);
  record.setBigUint64(32, 2n, true); // entries
  record.setBigUint64(40, BigInt(view.getUint32(end + 12, true)), true);
  record.setBigUint64(48, BigInt(view.getUint32(end + 16, true)), true);
  record.setUint32(56, 0x07064b50, true); // the locator
  record.setBigUint64(64, BigInt(end), true);
  record.setUint32(76, 0x06054b50, true);
  for (const [at, length] of [[84, 4], [88, 8]]) {
    for (let i = 0; i < length; i++) record.setUint8(at + i, 0xff);
  }
  const large = new Uint8Array(end + 98);
  large.set(bytes.subarray(0, end));
  large.set(new Uint8Array(record.buffer), end);
  assertEquals(readZipBytes(large).entries, archive.entries);
});

Deno.test("readZip() never fails but by a UserError on random and mutated bytes", async () => {
  const zip = await Deno.readFile(classesZip);
  const list = zip.findIndex((_, i) => [0x50, 0x4b, 1, 2].every((byte, k) => zip[i + k] === byte));
  const at = fc.oneof(fc.nat(zip.length - 1), fc.integer({ min: list, max: zip.length - 1 }));
  const edits = fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 3 });
  const kept = fc.oneof({ arbitrary: fc.constant(zip.length), weight: 5 }, fc.nat(zip.length));
  const damaged = fc.tuple(edits, kept).map(([edits, kept]) => {
    const bytes = zip.slice();
    for (const [at, value] of edits) bytes[at] = value;
    return bytes.subarray(0, kept);
  });
  const outcome = await fuzz(
    fc.oneof({ arbitrary: damaged, weight: 9 }, fc.uint8Array()),
    (bytes) => {
      const archive = readZipBytes(bytes);
      return archive.entries.map((entry) => archive.read(entry, { maxBytes: 1e6 }));
    },
    { seed: 1 },
  );
  assert(outcome.read > 300 && outcome.refused > 300, JSON.stringify(outcome));
});

Deno.test("openDataSource() reads a folder of damaged PNG and JPEG files whole, or names those that are", () =>
  withFolder(async (place) => {
    const names = ["rgb8.png", "gray8.png", "rgb.jpg", "progressive.jpeg", "gray.jpg"];
    const files = await Promise.all(names.map(readImage));
    await put(`${place}/good/a.png`, files[0]);
    const odd = fc.constantFrom("b.png", "b.jpg", "b.jpeg", "B.PNG", "b\nc.jpg", "b.txt");
    const cases = fc.record({
      name: odd,
      bytes: fc.oneof(damagedBytes(files), fc.constantFrom(...files)),
      labels: fc.option(
        fc.oneof(
          fc.constantFrom(
            '{"labels":null}',
            '{"labels":[["good/a.png",3],["bad/b.png",1]]}',
            "{",
            "[]",
          ),
          fc.json({ maxDepth: 2 }),
        ),
        { freq: 4 },
      ),
    });
    const outcome = await fuzz(cases, async ({ name, bytes, labels }) => {
      Deno.mkdirSync(`${place}/bad`, { recursive: true });
      Deno.writeFileSync(`${place}/bad/${name}`, bytes);
      if (labels !== null) Deno.writeTextFileSync(`${place}/dataset.json`, labels);
      try {
        const { count, shape, labels } = await openDataSource({ source: "auto", path: place });
        assert(count === 2 || name.endsWith(".txt") && count === 1);
        assertEquals(shape.length, 3);
        assert(labels === undefined || labels.length === count);
      } finally {
        Deno.removeSync(`${place}/bad`, { recursive: true });
        if (labels !== null) Deno.removeSync(`${place}/dataset.json`);
      }
    }, { seed: 4, runs: 1000 });
    assert(outcome.read > 100 && outcome.refused > 100, JSON.stringify(outcome));
  }));
