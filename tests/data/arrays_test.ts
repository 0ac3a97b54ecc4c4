import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteReader } from "../../src/data/byte_reader.ts";
import { parseCsv } from "../../src/data/csv.ts";
import { parseNpy } from "../../src/data/npy.ts";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { FIXTURES, fromHex, golden, put, withFolder } from "./helpers.ts";

/** A .npy file with any header. */
function npyBytes(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const size = version === 1
    ? [text.length & 255, text.length >> 8]
    : [text.length & 255, text.length >> 8, 0, 0];
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  return Uint8Array.from([...magic, version, 0, ...size, ...text, ...data]);
}

const parse = (bytes: Uint8Array) => parseNpy(ByteReader.of(bytes, "a.npy"));

Deno.test("openDataSource() reads each kind of NumPy array", async () => {
  for (const { file, kind, count, shape, values } of golden.npy) {
    const source = await openDataSource({ source: "auto", path: `${FIXTURES}/${file}` });
    const all = source.batch(Uint32Array.from({ length: count }, (_, index) => index)).values;
    assertEquals([source.kind, source.count, source.shape], [kind, count, shape], file);
    assertEquals(all, new Float32Array(fromHex(values).buffer), file);
  }
});

Deno.test("openDataSource() picks, resizes and recolours the pictures of an array", async () => {
  const path = `${FIXTURES}/npy/rgb-u8.npy`;
  const source = await openDataSource({ source: "npy", path, size: 5, channels: 1, count: 1 });
  assertEquals([source.shape, source.count], [[5, 5, 1], 1]);
  await assertRejects(
    () => openDataSource({ source: "npy", path, count: 3 }),
    UserError,
    `Cannot take 3 samples from 2 pictures of ${path}: there are 2; lower "count"`,
  );
});

Deno.test("openDataSource() refuses arrays that are neither pictures nor points", async () => {
  await withFolder(async (folder) => {
    const cases: [string, Uint8Array, string][] = [
      [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }",
        new Uint8Array(4),
        "uint8 array",
      ],
      [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, 2), }",
        new Uint8Array(8),
        "it is a uint8 array of shape (1, 2, 2, 2); pictures are [N, H, W]",
      ],
      [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }",
        new Uint8Array(Float32Array.of(1.5).buffer),
        "picture 0 holds 1.5, and float pictures have to lie within [-1, 1]",
      ],
    ];
    for (const [header, data, message] of cases) {
      const path = await put(`${folder}/a.npy`, npyBytes(header, data));
      await assertRejects(() => openDataSource({ source: "npy", path }), UserError, message);
    }
  });
  await assertRejects(
    () => openDataSource({ source: "npy", path: `${FIXTURES}/npy/images-f4.npy`, size: 8 }),
    UserError,
    "that works on uint8 pictures, and it holds floats",
  );
  await assertRejects(
    () => openDataSource({ source: "npy", path: `${FIXTURES}/npy/points-f4.npy`, size: 8 }),
    UserError,
    `Cannot use "size" or "channels" with ${FIXTURES}/npy/points-f4.npy: it holds points`,
  );
});

Deno.test("parseNpy() says what is wrong with a file", async () => {
  const header = (type: string, order: string, shape: string) =>
    `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const good = header("|u1", "False", "(2, 3)");
  const nan = new Uint8Array(Float32Array.of(0, 1, NaN, 3).buffer);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(20), "it does not start with \\x93NUMPY"],
    [npyBytes(good, new Uint8Array(6), 7), "it has version 7 of the .npy format"],
    [npyBytes("{}", new Uint8Array(6)), 'its header is damaged: "{}"'],
    [
      npyBytes(header("<i8", "False", "(1,)"), new Uint8Array(8)),
      "its values have type <i8; known",
    ],
    [npyBytes(header("|u1", "True", "(1,)"), new Uint8Array(1)), "it is in Fortran's order"],
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

Deno.test("parseNpy() never fails but by a UserError on random and mutated bytes", async () => {
  const good = await Deno.readFile(`${FIXTURES}/npy/points-f4.npy`);
  const outcome = await fuzz(damagedBytes([good]), async (bytes) => {
    const { shape, values } = await parse(bytes);
    assertEquals(values.length, shape.reduce((product, side) => product * side, 1));
  }, { seed: 1 });
  assert(outcome.read > 300 && outcome.refused > 300, JSON.stringify(outcome));
});

Deno.test("parseCsv() reads points with any separator, header, comments and labels", () => {
  const points = { dimension: 2, values: Float32Array.from([1, 2, -3.5, 4e-2]) };
  for (const text of ["1,2\n-3.5,4e-2", "1;2\r\n-3.5;0.04\r\n", "# x\n\n1 2\n -3.5\t0.04\n"]) {
    assertEquals(parseCsv(text, "p.csv"), points);
  }
  assertEquals(parseCsv("x,y\n1,2\n-3.5,0.04", "p.csv"), points);
  assertEquals(parseCsv('x,"Label",y\n1,10,2\n-3.5,9,0.04', "p.csv"), {
    ...points,
    labels: Int32Array.from([1, 0]),
    classNames: ["9", "10"],
  });
  assertEquals(parseCsv("x,y,label\n1,2,dog\n-3.5,0.04,cat", "p.csv").classNames, ["cat", "dog"]);
});

Deno.test("parseCsv() names the line that is wrong", () => {
  const cases: [string, string][] = [
    ["", "it has no lines of numbers"],
    ["x,y\n", "it has 0 lines of 2 numbers below its header"],
    ["1,2\n3", "line 2 has 1 columns, and the first line has 2"],
    ["x,y\n1,2\n\n3,four", 'line 4, column 2 has "four", which is no finite float32 number'],
    ["1,2\n3,", 'line 2, column 2 has ""'],
    ["1,2\n3,1e99", 'line 2, column 2 has "1e99"'],
    ["1,x\n3,4", 'line 1, column 2 has "x"'],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parseCsv(text, "p.csv"), UserError, `Cannot read p.csv: ${message}`);
  }
});

Deno.test("parseCsv() gives back numbers that were written", () => {
  const rows = fc.integer({ min: 1, max: 4 }).chain((columns) =>
    fc.array(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: 1 },
    )
  );
  checkProperty(fc.property(rows, (numbers) => {
    const text = numbers.map((row) => row.map((value) => Object.is(value, -0) ? 0 : value).join())
      .join("\n");
    const { values, dimension } = parseCsv(text, "p.csv");
    assertEquals(dimension, numbers[0].length);
    assertEquals([...values], numbers.flat().map((value) => Object.is(value, -0) ? 0 : value));
  }));
});

Deno.test("openDataSource() reads points with classes from a .csv, and picks the same rows of both", async () => {
  await withFolder(async (folder) => {
    const lines = Array.from({ length: 20 }, (_, i) => `${i},${-i},${i % 3}`);
    const path = await put(`${folder}/p.csv`, ["x,y,label", ...lines].join("\n"));
    const all = await openDataSource({ source: "csv", path });
    assertEquals([all.count, all.shape, all.classNames], [20, [2], ["0", "1", "2"]]);
    assertEquals([all.name, all.valueRange], ["p", [-19, 19]]);
    const some = await openDataSource({ source: "auto", path, count: 7, seed: 4 });
    const { values, labels } = some.batch(Uint32Array.from({ length: 7 }, (_, i) => i));
    for (let i = 0; i < 7; i++) assertEquals(labels![i], values[2 * i] % 3);
  });
});
