import { assert, assertEquals, assertRejects } from "@std/assert";
import { readNpyFile } from "../../src/data/arrays/npy.ts";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden, memoryFile, npyBytes, put, withFolder } from "./helpers.ts";

const parse = (bytes: Uint8Array) => readNpyFile(memoryFile("a.npy", bytes));

Deno.test("openDataSource() reads each kind of NumPy array", async () => {
  for (const { file, kind, count, shape, values } of golden.npy) {
    const source = await openDataSource({ source: "auto", path: `${FIXTURES}/${file}` });
    const all = source.batch(Uint32Array.from({ length: count }, (_, index) => index)).values;
    assertEquals([source.kind, source.count, source.shape], [kind, count, shape], file);
    assertEquals(all, new Float32Array(fromHex(values).buffer), file);
  }
});

Deno.test("openDataSource() picks, resizes and recolors the images of an array", async () => {
  const path = `${FIXTURES}/npy/rgb-u8.npy`;
  const source = await openDataSource({ source: "npy", path, size: 5, channels: 1, count: 1 });
  assertEquals([source.shape, source.count], [[5, 5, 1], 1]);
  await assertRejects(
    () => openDataSource({ source: "npy", path, count: 3 }),
    UserError,
    `Cannot take 3 samples from 2 images of ${path}: there are 2; lower "count"`,
  );
});

Deno.test("openDataSource() refuses arrays that are neither images nor points", async () => {
  await withFolder(async (folder) => {
    const cases: [string, Uint8Array, string][] = [
      [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, 2), }",
        new Uint8Array(8),
        "its shape is (1, 2, 2, 2); images are [N, H, W]",
      ],
      [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }",
        new Uint8Array(Float32Array.of(1.5).buffer),
        "its values go from 1.5 to 1.5, which is neither [0, 255], [0, 1] nor [-1, 1]",
      ],
    ];
    for (const [header, data, message] of cases) {
      const path = await put(`${folder}/a.npy`, npyBytes(header, data));
      await assertRejects(() => openDataSource({ source: "npy", path }), UserError, message);
    }
  });
  await assertRejects(
    () => openDataSource({ source: "npy", path: `${FIXTURES}/npy/points-f4.npy`, size: 8 }),
    UserError,
    `Cannot use "size" or "channels" with ${FIXTURES}/npy/points-f4.npy: it holds points`,
  );
});

Deno.test("readNpyFile() says what is wrong with a file", async () => {
  const header = (type: string, order: string, shape: string) =>
    `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const good = header("|u1", "False", "(2, 3)");
  const nan = new Uint8Array(Float32Array.of(0, 1, NaN, 3).buffer);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(20), "it does not start with \\x93NUMPY"],
    [npyBytes(good, new Uint8Array(6), 7), "it has version 7 of the .npy format"],
    [npyBytes("{}", new Uint8Array(6)), 'its header is damaged: "{}"'],
    [
      npyBytes(header("<c8", "False", "(1,)"), new Uint8Array(8)),
      "its values have type <c8; known are bool, int8 to int64",
    ],
    [
      npyBytes(
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        new Uint8Array(4),
      ),
      "its values are records of several fields; known are",
    ],
    [npyBytes(header("<U3", "False", "(1,)"), new Uint8Array(12)), "it holds text (<U3)"],
    [
      npyBytes(header("|u1", "False", "(0, 3)"), new Uint8Array(0)),
      "(0, 3), which holds no samples",
    ],
    [npyBytes(header("|u1", "False", "()"), new Uint8Array(1)), "(), which holds no samples"],
    [npyBytes(good, new Uint8Array(5)), "the last of 6 values would end at byte"],
    [npyBytes(good, new Uint8Array(7)), "and goes on: the header is wrong"],
    [npyBytes(header("<f4", "False", "(2, 2)"), nan), "sample 1 holds NaN"],
    [npyBytes(header("<f8", "False", "(99999, 99999)"), nan), "and the limit is 4294967295"],
    [npyBytes(header("<f8", "False", `(${"9".repeat(400)},)`), nan), "and the limit is"],
  ];
  for (const [bytes, message] of cases) {
    await assertRejects(() => parse(bytes), UserError, message);
  }
});

Deno.test("readNpyFile() never fails but by a UserError on random and mutated bytes", async () => {
  const good = await Deno.readFile(`${FIXTURES}/npy/points-f4.npy`);
  const outcome = await fuzz(damagedBytes([good]), async (bytes) => {
    const { shape, values } = await parse(bytes);
    assertEquals(values.length, shape.reduce((product, side) => product * side, 1));
  }, { seed: 1 });
  assert(outcome.read > 300 && outcome.refused > 300, JSON.stringify(outcome));
});
