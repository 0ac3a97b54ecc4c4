import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gunzipSync, gzipSync } from "fflate";
import { findCifar, readCifar } from "../../src/data/cifar.ts";
import { openDataSource } from "../../src/data/open.ts";
import { openTarStore } from "../../src/data/stores/tar_store.ts";
import { listTar } from "../../src/data/stores/tar_list.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, golden, memoryFile, put, tarOf, withFolder } from "./helpers.ts";

const archive = `${FIXTURES}/cifar/cifar-10-binary.tar.gz`;
const tarBytes = gunzipSync(await Deno.readFile(archive));
const RECORD = 3073;

async function tarFiles(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const { entries } = await listTar(ReadableStream.from([tarBytes]), { origin: "x.tar" });
  for (const { path, offset, sizeBytes } of entries) {
    files.set(path, tarBytes.slice(offset, offset + sizeBytes));
  }
  return files;
}

async function unpack(folder: string): Promise<void> {
  for (const [path, bytes] of await tarFiles()) await put(`${folder}/${path}`, bytes);
}

Deno.test("openDataSource() reads CIFAR-10's archive: labels, names, RGB in rows from the top", async () => {
  const expected = golden.cifar;
  const source = await openDataSource({ source: "cifar-10", path: archive });
  assertEquals(source.shape, [32, 32, 3]);
  assertEquals([...source.labels!], expected.labels.train);
  assertEquals(source.classNames, expected.classNames);
  for (const [number, pixel] of expected.pixelAtRow5Column7.entries()) {
    const at = number * RECORD - number + (5 * 32 + 7) * 3;
    assertEquals([...source.pixels!.subarray(at, at + 3)], pixel);
  }
  const test = await openDataSource({ source: "cifar-10", path: archive, split: "test" });
  assertEquals([...test.labels!], expected.labels.test);
});

Deno.test("openDataSource() reads the same from the archive, its folder, and the folder around it", async () => {
  const packed = await openDataSource({ source: "auto", path: archive });
  await withFolder(async (folder) => {
    await unpack(folder);
    const around = await openDataSource({ source: "auto", path: folder });
    const inside = await openDataSource({
      source: "cifar-10",
      path: `${folder}/cifar-10-batches-bin`,
    });
    assertEquals([around.fingerprint, inside.fingerprint], [
      packed.fingerprint,
      packed.fingerprint,
    ]);
    const one = await openDataSource({
      source: "auto",
      path: `${folder}/cifar-10-batches-bin/data_batch_1.bin`,
    });
    assertEquals([...one.labels!], golden.cifar.labels.train.slice(0, 2));
  });
  const beside = await openDataSource({ source: "auto", path: `${FIXTURES}/cifar` });
  assertEquals(beside.fingerprint, packed.fingerprint);
});

/** Reads one file of records that is in memory. */
async function readBatch(bytes: Uint8Array, name = "data_batch_1.bin") {
  const [files] = findCifar([memoryFile(name, bytes)], name);
  return await readCifar(files, {});
}

Deno.test("readCifar() says what is wrong with a file", async () => {
  const good = new Uint8Array(2 * RECORD);
  assertEquals((await readBatch(good)).labels!.length, 2);
  await assertRejects(
    () => readBatch(good.subarray(1)),
    UserError,
    "Cannot read data_batch_1.bin: it has 6145 bytes, which is 1 records and a part of one; a CIFAR-10 " +
      "record has 3073 bytes, so the file is truncated or of another kind",
  );
  await assertRejects(() => readBatch(new Uint8Array(0)), UserError, "0 bytes, which is no record");
  await assertRejects(
    () => readBatch(good.with(RECORD, 10)),
    UserError,
    "record 1 has the label 10, and CIFAR-10 has 0 to 9",
  );
});

Deno.test("openDataSource() reads CIFAR-100 by fine or coarse classes, from a folder or a .tgz", async () => {
  const record = 3074;
  const bytes = new Uint8Array(3 * record);
  for (const [i, [coarse, fine]] of [[3, 99], [0, 7], [19, 0]].entries()) {
    bytes.set([coarse, fine], i * record);
    bytes.fill(10 * i, i * record + 2, i * record + 2 + 1024);
  }
  const fineNames = Array.from({ length: 100 }, (_, i) => `fine${i}`);
  const files = {
    "cifar-100-binary/train.bin": bytes,
    "cifar-100-binary/test.bin": bytes.slice(0, record),
    "cifar-100-binary/fine_label_names.txt": new TextEncoder().encode(fineNames.join("\n") + "\n"),
  };
  await withFolder(async (folder) => {
    for (const [path, contents] of Object.entries(files)) await put(`${folder}/${path}`, contents);
    const fine = await openDataSource({ source: "auto", path: folder });
    assertEquals([fine.name, fine.count, fine.shape], ["cifar-100", 3, [32, 32, 3]]);
    assertEquals([...fine.labels!], [99, 7, 0]);
    assertEquals(fine.classNames, fineNames);
    assertEquals([...fine.pixels!.subarray(3072, 3075)], [10, 0, 0]);
    const coarse = await openDataSource({ source: "cifar-100", path: folder, label: "coarse" });
    assertEquals([[...coarse.labels!], coarse.classNames!.length], [[3, 0, 19], 20]);
    const test = await openDataSource({ source: "auto", path: folder, split: "test" });
    assertEquals(test.count, 1);
    const packed = await put(`${folder}/packed/c.tgz`, gzipSync(tarOf(files)));
    assertEquals(
      (await openDataSource({ source: "auto", path: packed })).fingerprint,
      fine.fingerprint,
    );
    await assertRejects(
      () => openDataSource({ source: "auto", path: packed, label: "middle" }),
      UserError,
      'Cannot take classes "middle" of CIFAR-100: it has "fine" and "coarse"',
    );
  });
});

Deno.test("openDataSource() names what a CIFAR-10 folder lacks", async () => {
  await withFolder(async (folder) => {
    await unpack(folder);
    const inside = `${folder}/cifar-10-batches-bin`;
    await Deno.remove(`${inside}/test_batch.bin`);
    await assertRejects(
      () => openDataSource({ source: "cifar-10", path: inside, split: "test" }),
      UserError,
      `Cannot find the test split of CIFAR-10 in ${inside}: looked for test_batch.bin, and there is ` +
        `data_batch_1.bin, data_batch_2.bin`,
    );
    await put(`${inside}/batches.meta.txt`, "cat\ndog\n");
    await assertRejects(
      () => openDataSource({ source: "cifar-10", path: inside }),
      UserError,
      "it has 2 class names, and CIFAR-10 has 10, one a line",
    );
    await put(`${inside}/data_batch_2.bin`, "");
    await assertRejects(
      () => openDataSource({ source: "cifar-10", path: inside }),
      UserError,
      "data_batch_2.bin: it has 0 bytes, which is no record",
    );
    await put(`${folder}/python/data_batch_1`, "x");
    await assertRejects(
      () => openDataSource({ source: "auto", path: `${folder}/python` }),
      UserError,
      "data_batch_1: it belongs to CIFAR's Python version; the binary version is needed",
    );
  });
});

Deno.test("listTar() passes over folders and finds each file whole", async () => {
  const files = await tarFiles();
  assertEquals([...files.keys()].map((path) => path.split("/").pop()), [
    "data_batch_2.bin",
    "readme.html",
    "batches.meta.txt",
    "data_batch_1.bin",
    "test_batch.bin",
  ]);
  assertEquals(files.get("cifar-10-batches-bin/data_batch_1.bin")!.length, 2 * RECORD);
  assertEquals(new TextDecoder().decode(files.get("cifar-10-batches-bin/readme.html")), "<p>");
});

Deno.test("the CIFAR-10 parsers never fail but by a UserError on random and mutated bytes", async () => {
  const batch = (await tarFiles()).get("cifar-10-batches-bin/data_batch_1.bin")!.slice();
  const outcome = await fuzz(damagedBytes([batch]), async (bytes) => {
    const { pixels, labels } = await readBatch(bytes);
    assertEquals(pixels.length, labels!.length * 3072);
    assert(labels!.every((label) => label >= 0 && label < 10));
  }, { seed: 1 });
  assert(outcome.read > 300 && outcome.refused > 300, JSON.stringify(outcome));
  const path = await Deno.makeTempFile();
  const nothing = { kind: "cifar-10", origin: path, batches: [], others: [] } as const;
  for (const fix of [withTarSums, undefined]) {
    const outcome = await fuzz(damagedTar(fix), async (bytes) => {
      await Deno.writeFile(path, bytes);
      using store = await openTarStore(path);
      const { labels } = await readCifar(findCifar(store.files, path)[0] ?? nothing, {});
      assert(labels!.length > 0);
    }, { seed: 2, runs: 1500 });
    assert(outcome.read > 100 && outcome.refused > 100, JSON.stringify(outcome));
  }
  await Deno.remove(path);
});

/** The archive with damage at its headers or anywhere, cut off or not. */
function damagedTar(fix = (bytes: Uint8Array<ArrayBuffer>) => bytes) {
  const headers = tarHeaders(tarBytes);
  const inHeader = fc.tuple(fc.constantFrom(...headers), fc.nat(511)).map(([at, i]) => at + i);
  const at = fc.oneof(fc.nat(tarBytes.length - 1), inHeader);
  const keep = fc.oneof(fc.constant(tarBytes.length), fc.nat(tarBytes.length));
  const edits = fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 3 });
  return fc.tuple(edits, keep).map(([edits, keep]) => {
    const bytes = tarBytes.slice();
    for (const [at, value] of edits) bytes[at] = value;
    return fix(bytes).slice(0, keep);
  });
}

/** Where the headers of a whole archive lie. */
function tarHeaders(tar: Uint8Array): number[] {
  const headers: number[] = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    headers.push(at);
    const size = parseInt(new TextDecoder().decode(tar.subarray(at + 124, at + 135)), 8);
    at += 512 + 512 * Math.ceil(size / 512);
  }
  return headers;
}

/** Gives the headers of a damaged archive the checksums of what they now hold. */
function withTarSums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (const at of tarHeaders(tarBytes)) {
    bytes.fill(32, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    const digits = `${sum.toString(8).padStart(6, "0")}\0 `;
    for (const [i, digit] of [...digits].entries()) bytes[at + 148 + i] = digit.charCodeAt(0);
  }
  return bytes;
}
