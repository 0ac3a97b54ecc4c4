import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "fflate";
import { ByteReader } from "../../src/data/byte_reader.ts";
import { parseIdx, readIdxFile } from "../../src/data/idx.ts";
import { openFile } from "../../src/data/stores/open_store.ts";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden, idxBytes, put, withFolder } from "./helpers.ts";

const folder = `${FIXTURES}/idx`;
const parse = (bytes: Uint8Array, dimensions: 1 | 3) =>
  parseIdx(ByteReader.of(bytes, "x.idx"), dimensions);

Deno.test("openDataSource() reads MNIST's files, plain and .gz, by split", async () => {
  for (const split of ["train", "test"] as const) {
    const source = await openDataSource({ source: "mnist", path: folder, split });
    const expected = golden.idx[split];
    assertEquals(source.shape, expected.shape);
    assertEquals(source.pixels, fromHex(expected.pixels));
    assertEquals([...source.labels!], expected.labels);
  }
});

Deno.test("openDataSource() takes the training split by default, unless another is asked for, or it is missing", async () => {
  assertEquals((await openDataSource({ source: "auto", path: `${folder}/` })).count, 5);
  await withFolder(async (place) => {
    await Deno.copyFile(
      `${folder}/t10k-images-idx3-ubyte.gz`,
      `${place}/t10k-images-idx3-ubyte.gz`,
    );
    const source = await openDataSource({ source: "mnist", path: place });
    assertEquals([source.count, source.labels], [2, undefined]);
    assert(source.description.includes("test split"), source.description);
    assert(source.description.includes("no labels"), source.description);
    await assertRejects(
      () => openDataSource({ source: "mnist", path: place, split: "train" }),
      UserError,
      `Cannot find the train split in ${place}: there is t10k-images-idx3-ubyte.gz, but no ` +
        `train-images-idx3-ubyte or train-images-idx3-ubyte.gz`,
    );
  });
});

Deno.test("openDataSource() reads a named IDX file with the labels beside it, and torchvision's folders", async () => {
  const named = await openDataSource({
    source: "auto",
    path: `${folder}/t10k-images-idx3-ubyte.gz`,
  });
  assertEquals([...named.labels!], golden.idx.test.labels);
  await withFolder(async (place) => {
    const bytes = idxBytes([1, 1, 2], new Uint8Array([1, 2]));
    await put(`${place}/MNIST/raw/train-images-idx3-ubyte`, bytes);
    await put(`${place}/odd-name.bin`, bytes);
    const found = await openDataSource({ source: "auto", path: place });
    const odd = await openDataSource({ source: "auto", path: `${place}/odd-name.bin` });
    assertEquals([...found.pixels!], [1, 2]);
    assertEquals(odd.fingerprint, found.fingerprint);
  });
});

Deno.test("openDataSource() asks which of several IDX sets in a folder is meant", async () => {
  await withFolder(async (place) => {
    for (const set of ["emnist-letters-", "emnist-digits-"]) {
      await put(`${place}/${set}train-images-idx3-ubyte`, idxBytes([1, 1, 1], new Uint8Array(1)));
    }
    await assertRejects(
      () => openDataSource({ source: "auto", path: place }),
      UserError,
      "Cannot choose among the 2 data sets",
    );
  });
});

Deno.test("parseIdx() says what is wrong with a file", async () => {
  const good = idxBytes([2, 2, 2], new Uint8Array(8));
  const cases: [Uint8Array, 1 | 3, string][] = [
    [good.subarray(0, 2), 3, "the magic number would end at byte 4, but there are no more than 2"],
    [good.with(2, 9), 3, "it starts with 00 00 09 03, and IDX images start with 00 00 08 03"],
    [good, 1, "it starts with 00 00 08 03, and IDX labels start with 00 00 08 01"],
    [good.subarray(0, 10), 3, "the header would end at byte 16, but there are no more than 10"],
    [good.subarray(0, 20), 3, "the last of 2 images would end at byte 24, but there are no more"],
    [Uint8Array.from([...good, 0]), 3, "it should end after 24 bytes by its header, and goes on"],
    [idxBytes([0, 2, 2], new Uint8Array(0)), 3, "its header says that it holds 0 images"],
    [idxBytes([1, 0, 2], new Uint8Array(0)), 3, "its header says 0 x 2 pixels"],
    [idxBytes([1, 5000, 2], new Uint8Array(0)), 3, "5000 x 2 pixels, and a side has 1 to 4096"],
    [idxBytes([1e6, 4096, 4096], new Uint8Array(0)), 3, "and the limit is 4294967295"],
  ];
  for (const [bytes, dimensions, message] of cases) {
    const error = await assertRejects(() => parse(bytes, dimensions), UserError, message);
    assert(error.message.startsWith("Cannot read x.idx: "), error.message);
  }
});

Deno.test("openDataSource() names a truncated or damaged .gz, and labels that do not match", async () => {
  await withFolder(async (place) => {
    const packed = await Deno.readFile(`${folder}/t10k-images-idx3-ubyte.gz`);
    const path = await put(`${place}/t10k-images-idx3-ubyte.gz`, packed.subarray(0, 45));
    await assertRejects(
      () => openDataSource({ source: "mnist", path: place }),
      UserError,
      `Cannot read ${path}: its gzip stream is truncated or damaged after`,
    );
    const short = idxBytes([2, 4, 3], new Uint8Array(23));
    await put(path, gzipSync(short));
    await assertRejects(
      () => openDataSource({ source: "mnist", path: place }),
      UserError,
      "it is truncated: the last of 2 images should end at byte 40, and the file ends at byte 39",
    );
    await put(path, packed);
    await put(`${place}/t10k-labels-idx1-ubyte`, idxBytes([3], new Uint8Array(3)));
    await assertRejects(
      () => openDataSource({ source: "mnist", path: place }),
      UserError,
      `t10k-labels-idx1-ubyte with ${path}: it has 3 labels, and there are 2 images`,
    );
    await put(`${place}/t10k-labels-idx1-ubyte`, "");
    await assertRejects(
      () => openDataSource({ source: "mnist", path: place }),
      UserError,
      "t10k-labels-idx1-ubyte: the file is empty (0 bytes)",
    );
    await assertRejects(
      () => openDataSource({ source: "auto", path: `${folder}/t10k-labels-idx1-ubyte` }),
      UserError,
      "it holds the labels of MNIST; name the file of images or the folder",
    );
  });
});

Deno.test("parseIdx() gives back what was written, for any sizes", async () => {
  const images = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
    .chain(([count, side]) =>
      fc.uint8Array({ minLength: count * side * 3, maxLength: count * side * 3 })
        .map((values) => ({ shape: [count, side, 3], values }))
    );
  await checkProperty(fc.asyncProperty(images, async ({ shape, values }) => {
    assertEquals(await parse(idxBytes(shape, values), 3), { shape, values });
  }));
});

Deno.test("parseIdx() never fails but by a UserError on random and mutated bytes", async () => {
  const images = idxBytes([3, 2, 2], Uint8Array.from({ length: 12 }, (_, i) => i));
  const labels = idxBytes([5], Uint8Array.from({ length: 5 }, (_, i) => i));
  for (const [good, dimensions] of [[images, 3], [labels, 1]] as const) {
    const outcome = await fuzz(damagedBytes([good]), async (bytes) => {
      const { values } = await parse(bytes, dimensions);
      assertEquals(values.length, bytes.length - 4 - 4 * dimensions);
    }, { seed: 1 });
    assert(outcome.read > 300 && outcome.refused > 300, JSON.stringify(outcome));
  }
});

Deno.test("readIdxFile() never fails but by a UserError on a mutated .gz", async () => {
  const good = gzipSync(idxBytes([3, 2, 2], Uint8Array.from({ length: 12 }, (_, i) => i)));
  await withFolder(async (place) => {
    const path = `${place}/x.gz`;
    const outcome = await fuzz(damagedBytes([good]), async (bytes) => {
      Deno.writeFileSync(path, bytes);
      assertEquals((await readIdxFile(openFile(path), 3)).values.length, 12);
    }, { seed: 2 });
    assert(outcome.read > 20 && outcome.refused > 300, JSON.stringify(outcome));
  });
});
