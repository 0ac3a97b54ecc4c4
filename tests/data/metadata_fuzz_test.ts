/** Fuzzing of .npz archives and of metadata.jsonl: read right, or refused in one line, within a time bound. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { zipSync } from "fflate";
import { readImageMetadata } from "../../src/data/images/image_metadata.ts";
import { openDataSource } from "../../src/data/open.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { memoryFile, npyBytes, npyOf, withFolder } from "./helpers.ts";

const images = npyOf("|u1", [3, 4, 5], Uint8Array.from({ length: 60 }, (_, i) => i * 4));
const arrays = {
  images,
  labels: npyOf("<i8", [3], BigInt64Array.of(2n, 0n, 1n)),
  names: npyOf("<U1", [3], Uint32Array.of(97, 98, 97)),
  points: npyOf("<f4", [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)),
  short: npyOf("<f8", [2], Float64Array.of(0, 1)),
  endless: npyBytes(
    "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 99999999999), }",
    images,
  ),
  scalar: npyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", new Uint8Array(8)),
};

/** Archives of arrays under names that mean something to the reader, whole ones and damaged ones. */
const names = fc.constantFrom(
  "x_train",
  "y_train",
  "x_test",
  "y_test",
  "images",
  "labels",
  "arr_0",
  "arr_1",
);
const entry = fc.oneof(
  { arbitrary: fc.constantFrom(...Object.values(arrays)), weight: 3 },
  { arbitrary: damagedBytes(Object.values(arrays)), weight: 1 },
);
const archives = fc.array(fc.tuple(names, entry), { maxLength: 4 }).map((entries) =>
  zipSync(Object.fromEntries(entries.map(([name, bytes]) => [`${name}.npy`, bytes])))
);
const whole = zipSync({ "images.npy": images, "labels.npy": arrays.labels });
const cases = fc.oneof(
  { arbitrary: archives, weight: 3 },
  {
    arbitrary: damagedBytes([whole, zipSync({ "images.npy": [images, { level: 0 }] })]),
    weight: 1,
  },
);

Deno.test("openDataSource() reads an .npz of any arrays whole, or refuses it in one line", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.npz`;
    const outcome = await fuzz(cases, async (bytes) => {
      await Deno.writeFile(path, bytes);
      const source = await openDataSource({ source: "auto", path });
      assert(source.count > 0);
      const { values, labels } = source.batch(Uint32Array.of(0, source.count - 1));
      assertEquals(values.length, 2 * source.sampleSize);
      assert(values.every(Number.isFinite));
      if (labels) assert(labels.every((label) => source.classNames![label] !== undefined));
    }, { seed: 21, runs: 1000 });
    assert(outcome.read > 100 && outcome.refused > 100, JSON.stringify(outcome));
  });
});

const value = fc.oneof(
  {
    arbitrary: fc.constantFrom("a.png", "b/c.png", "./a.png", "../b/c.png", "B\\c.png"),
    weight: 6,
  },
  fc.string({ maxLength: 5 }),
  fc.double(),
  fc.constantFrom(null, true, 7),
  fc.constantFrom([], {}, [1]),
);
const key = fc.oneof(
  { arbitrary: fc.constantFrom("file_name", "label", "image_file_name", "__proto__"), weight: 4 },
  fc.string({ maxLength: 4 }),
);
const row = fc.oneof(
  {
    arbitrary: fc.constantFrom("a.png", "b/c.png").map((file_name) => ({ file_name, label: 1 })),
    weight: 6,
  },
  fc.dictionary(key, value, { maxKeys: 3 }),
);
const line = fc.oneof(
  { arbitrary: row.map((fields) => JSON.stringify(fields)), weight: 8 },
  fc.constantFrom("", "  ", "\r", "null", "[]", "{", '{"file_name"', "[".repeat(20_000)),
  fc.json({ maxDepth: 2 }),
);
const text = fc.array(line, { maxLength: 6 }).map((lines) =>
  new TextEncoder().encode(lines.join("\n"))
);
const good = new TextEncoder().encode(
  '{"file_name": "a.png", "label": 0}\n{"file_name": "b/c.png"}\n',
);
const metadata = fc.oneof({ arbitrary: text, weight: 3 }, damagedBytes([good]));

Deno.test("readImageMetadata() reads any metadata.jsonl to a row for each image, or refuses it in one line", async () => {
  const images = [memoryFile("a.png", ""), memoryFile("b/c.png", "")];
  const outcome = await fuzz(metadata, async (bytes) => {
    const read = await readImageMetadata([memoryFile("metadata.jsonl", bytes)], images);
    assertEquals(read.rows.length, images.length);
    for (const found of read.rows) {
      for (const [name, cell] of found) {
        assert(typeof name === "string" && typeof cell === "string");
      }
    }
    assertEquals(new Set(read.columns).size, read.columns.length);
  }, { seed: 22 });
  assert(outcome.read > 100 && outcome.refused > 100, JSON.stringify(outcome));
});
