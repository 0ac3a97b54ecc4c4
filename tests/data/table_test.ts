/** Tables as people have them: RFC 4180, any separator, encoding and header; classes, missing values. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "fflate";
import { openDataSource } from "../../src/data/open.ts";
import { readTable } from "../../src/data/tables/table.ts";
import { type PointTableOptions, tablePoints } from "../../src/data/tables/table_points.ts";
import { UserError } from "../../src/errors.ts";
import { checkProperty } from "../properties.ts";
import { memoryFile, put, withFolder } from "./helpers.ts";

/** The points of a text. */
async function points(
  text: string | Uint8Array,
  options: Partial<PointTableOptions> & { name?: string } = {},
) {
  const { label, columns, name = "p.csv" } = options;
  const table = await readTable(memoryFile(name, text), {
    textColumns: label === undefined ? [] : [label],
    wanted: [...columns ?? [], ...(label === undefined ? [] : [label])],
  });
  return tablePoints(table, { origin: name, ...options });
}

Deno.test("tables give points with any separator, header, comments and labels", async () => {
  for (
    const text of [
      "1,2\n-3.5,4e-2",
      "1;2\r\n-3.5;0.04\r\n",
      "# x\n\n1 2\n -3.5\t0.04\n",
      "1\t2\n-3.5\t0.04\n",
      "1|2\n-3.5|.04",
      '"1.0","2.0"\n"-3.5","0.04"\n',
      "1, 2\n-3.5, 4E-2\r\n",
      "1;2;\n-3.5;0.04;\n",
      "1\r2\r".replaceAll("\r", " ") + "\n-3.5 0.04",
    ]
  ) {
    const { values, dimension, names } = await points(text);
    assertEquals([[...values], dimension, names], [[1, 2, -3.5, 0.04], 2, undefined], text);
  }
  assertEquals((await points("x,y\n1,2\n-3.5,0.04")).names, ["x", "y"]);
  const labeled = await points('x,"Label",y\n1,10,2\n-3.5,9,0.04');
  assertEquals([[...labeled.labels!], labeled.classNames], [[1, 0], ["9", "10"]]);
  assertEquals([...labeled.values], [1, 2, -3.5, 0.04]);
});

Deno.test("tables drop index columns and empty last columns, and say so", async () => {
  const indexed = await points(",x,y\n0,1.5,2.5\n1,3.5,4.5\n");
  assertEquals([[...indexed.values], indexed.names], [[1.5, 2.5, 3.5, 4.5], ["x", "y"]]);
  assertEquals(indexed.notes, [
    "the first column, without a name, numbers the rows and was dropped",
  ]);
  const named = await points("Id,x\n1,5\n2,6\n3,9\n");
  assertEquals([...named.values], [5, 6, 9]);
  assertEquals(named.notes, ['the first column, "Id", numbers the rows and was dropped']);
  assertEquals([...(await points("Id,x\n7,5\n2,6\n")).values], [7, 5, 2, 6]); // no numbering
  assertEquals([...(await points("Id,x\n1,5\n2,6\n", { columns: ["Id", "x"] })).values], [
    1,
    5,
    2,
    6,
  ]);
  const trailing = await points("x,y,\n1,2,\n3,4,\n");
  assertEquals([[...trailing.values], trailing.names], [[1, 2, 3, 4], ["x", "y"]]);
  assertEquals(trailing.notes, ["lines end with a separator: the empty last column was dropped"]);
});

Deno.test("tables tell a header of numbers from points", async () => {
  const numbered = await points("0,1\n0.11,0.22\n0.33,0.44\n");
  assertEquals([[...numbered.values], numbered.names], [[0.11, 0.22, 0.33, 0.44], ["0", "1"]]);
  assertEquals(numbered.notes, ["the first line (0, 1) was taken as the columns' names"]);
  const pandas = await points(",0,1\n0,0.11,0.22\n1,0.33,0.44\n");
  assertEquals([[...pandas.values], pandas.names], [[0.11, 0.22, 0.33, 0.44], ["0", "1"]]);
  assertEquals((await points("0,1\n1,0\n0,1\n")).values.length, 6);
  assertEquals((await points("5.1,3.5\n4.9,3.0\n")).values.length, 4);
});

Deno.test("tables read quotes as RFC 4180 has them", async () => {
  const same = await points(
    'x,label\n1,"cat"\n2,cat\n3,"dog, black"\n4,"say ""hi"""\n5,"two\nlines"\n',
  );
  assertEquals(same.classNames, ["cat", "dog, black", 'say "hi"', "two\nlines"]);
  assertEquals([...same.labels!], [0, 0, 1, 2, 3]);
  const inches = await points('x,label\n1,5" pipe\n2,"cat" \n');
  assertEquals(inches.classNames, ['5" pipe', "cat"]);
  await assertRejects(
    () => points('x,label\n1,"cat\n2,dog\n'),
    UserError,
    "Cannot read p.csv: Quote Not Closed",
  );
});

Deno.test("tables take classes and coordinates from the columns that are named", async () => {
  const iris = "Id,sepal,petal,species\n1,5.1,1.4,setosa\n2,7.0,4.7,versicolor\n3,6.3,6.0,setosa\n";
  await assertRejects(
    () => points(iris),
    UserError,
    'Cannot read p.csv: line 2, column species holds texts ("setosa", "versicolor"); points are numbers: ' +
      "take it as classes by --label species, or choose columns of numbers by --columns sepal,petal",
  );
  const labeled = await points(iris, { label: "species" });
  assertEquals([labeled.names, labeled.classNames], [["sepal", "petal"], ["setosa", "versicolor"]]);
  const first = await points("species,a\ncat,1\ndog,2\n", { label: "Species", columns: ["a"] });
  assertEquals([[...first.values], first.classNames], [[1, 2], ["cat", "dog"]]);
  const some = await points(iris, { columns: ["petal"] });
  assertEquals([...some.values], [1.4, 4.7, 6]);
  assertEquals(some.notes.at(-1), "left out the columns sepal, species");
  await assertRejects(
    () => points(iris, { label: "specis" }),
    UserError,
    'Cannot find the column "specis" in p.csv (did you mean species?): it has sepal, petal, species',
  );
  const codes = await points("x,code\n1,007\n2,7\n3,A\n", { label: "code" });
  assertEquals(codes.classNames?.length, 3); // 007 and 7 are two texts
});

Deno.test("tables say what is missing, and leave such rows out when asked to", async () => {
  const text = "a,b\n1,2\n3,\nNA,4\n5,6\n";
  await assertRejects(
    () => points(text),
    UserError,
    "Cannot use p.csv: values are missing (empty, NA, NaN, null, ?) in 2 of 4 rows (a: 1, b: 1), first on " +
      "line 3; --missing drop leaves these rows out",
  );
  const dropped = await points(text, { missing: "drop" });
  assertEquals([...dropped.values], [1, 2, 5, 6]);
  assertEquals(dropped.notes, ["left out 2 of 4 rows, in which values are missing"]);
  await assertRejects(
    () => points("a,b\n1,\n3,\n", { missing: "drop", columns: ["a", "b"] }),
    UserError,
    "in 2 of 2 rows (b: 2); choose other columns by --columns",
  );
});

Deno.test("tables read decimal commas, UTF-16, Latin-1 and tabs", async () => {
  const comma = await points("x;y\n1,5;2,5\n-3,25;1.000,5\n");
  assertEquals([...comma.values], [1.5, 2.5, -3.25, 1000.5]);
  assertEquals(comma.notes, ["numbers have decimal commas"]);
  const text = "x\ty\n1\t2\n3\t4\n";
  const wide = new Uint8Array(2 * text.length + 2);
  wide.set([0xff, 0xfe]);
  for (const [i, letter] of [...text].entries()) wide[2 + 2 * i] = letter.charCodeAt(0);
  const utf16 = await points(wide, { name: "p.tsv" });
  assertEquals([[...utf16.values], utf16.names], [[1, 2, 3, 4], ["x", "y"]]);
  assertEquals(utf16.notes, ["read as UTF-16LE text"]);
  const latin = Uint8Array.from("x,label\n1,caf\xe9\n2,th\xe9\n", (letter) => letter.charCodeAt(0));
  assertEquals((await points(latin)).classNames, ["café", "thé"]);
  const marked = await points("\ufeffx,y\n1,2\n");
  assertEquals(marked.names, ["x", "y"]);
});

Deno.test("tables name the line that is wrong", async () => {
  const cases: [string, string][] = [
    ["# nothing\n", "it has no lines of numbers"],
    ["x,y\n", "it has no rows below its header"],
    ["1,2\n3", "line 2 has 1 columns, and the first line has 2"],
    ["x,y\n1,2\n\n3,four", 'line 4, column y holds texts ("four"'],
    ["1,2\n3,1e99", "line 2, column 2 has 1e+99, which is no finite float32 number"],
    [
      "x,y\n1,2\n3,-inf\n",
      "line 3, column y has -Infinity, which is no finite float32 number; " +
      "correct that line, or choose other columns by --columns",
    ],
    ["1,2\nInfinity,3", "line 2, column 1 has Infinity, which is no finite"],
    ["x;y\n1,5;2\n3;+INF\n", "line 3, column y has Infinity, which is no finite"],
    ["x,y\ninf,inf\n", "line 2, column x has Infinity, which is no finite"],
    ["1,x\n3,4", 'line 1, column 2 holds texts ("x", "4")'],
  ];
  for (const [text, message] of cases) {
    await assertRejects(() => points(text), UserError, `Cannot read p.csv: ${message}`);
  }
});

Deno.test("tables leave infinities out with their column, or keep them as the names of classes", async () => {
  const text = "x,y\n1,inf\n2,3\n";
  assertEquals([...(await points(text, { columns: ["x"] })).values], [1, 2]);
  assertEquals((await points(text, { label: "y" })).classNames, ["3", "inf"]);
  await assertRejects(() => points(text, { missing: "drop" }), UserError, "column y has Infinity");
});

Deno.test("tables give back numbers that were written", async () => {
  const rows = fc.integer({ min: 2, max: 4 }).chain((columns) =>
    fc.array(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: 1 },
    )
  );
  await checkProperty(fc.asyncProperty(rows, async (numbers) => {
    const plain = numbers.map((row) => row.map((value) => Object.is(value, -0) ? 0 : value));
    const header = plain[0].map((_, i) => `c${i}`).join();
    const { values, dimension } = await points(
      [header, ...plain.map((row) => row.join())].join("\n"),
    );
    assertEquals(dimension, plain[0].length);
    assertEquals([...values], plain.flat());
  }));
});

Deno.test("readTable() types columns: numbers, integers, booleans, categories, dates", async () => {
  const text =
    "n,i,b,c,d\n1.5,1,yes,red,2026-11-30\n2,2,no,blue,2026-12-01\n,,,,\n3,-4,yes,red,1970-01-02\n";
  const { columns, rowCount } = await readTable(memoryFile("t.csv", text));
  assertEquals(rowCount, 4);
  assertEquals(columns.map(({ kind }) => kind), [
    "number",
    "integer",
    "boolean",
    "category",
    "date",
  ]);
  assertEquals(columns.map(({ missingCount }) => missingCount), [1, 1, 1, 1, 1]);
  assertEquals([...columns[2].values].map(String), ["1", "0", "NaN", "1"]);
  assertEquals(columns[3].categories, ["red", "blue"]);
  assertEquals([...columns[4].values].map(String), ["20787", "20788", "NaN", "1"]);
});

Deno.test("openDataSource() reads MNIST as a table, with and without header, plain and as .csv.gz", async () => {
  const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 251);
  const row = (i: number) => [...pixels.subarray(784 * i, 784 * (i + 1))].join();
  const names = Array.from({ length: 784 }, (_, i) => `${Math.floor(i / 28) + 1}x${i % 28 + 1}`);
  await withFolder(async (folder) => {
    const texts = [
      `label,${names.join()}\n7,${row(0)}\n3,${row(1)}\n`,
      `7,${row(0)}\n3,${row(1)}\n`,
    ];
    for (const text of texts) {
      const plain = await put(`${folder}/mnist_train.csv`, text);
      const packed = gzipSync(new TextEncoder().encode(text));
      for (const path of [plain, await put(`${folder}/packed/mnist_train.csv.gz`, packed)]) {
        const source = await openDataSource({ source: "auto", path });
        assertEquals([source.shape, source.pixels], [[28, 28, 1], pixels], path);
        assertEquals([[...source.labels!], source.classNames], [[1, 0], ["3", "7"]]);
      }
    }
    const points = gzipSync(new TextEncoder().encode("x,y\n1,2\n3,4\n"));
    await put(`${folder}/points/p.tsv.gz`, points); // found in its folder, too
    const source = await openDataSource({ source: "auto", path: `${folder}/points` });
    assertEquals([...source.batch(Uint32Array.of(0, 1)).values], [1, 2, 3, 4]);
    const path = await put(`${folder}/bad.csv`, texts[1] + `4,${row(1).replace("2", "2000")}\n`);
    await assertRejects(
      () => openDataSource({ source: "auto", path }),
      UserError,
      "line 3, column",
    );
  });
});

const cell = fc.oneof(
  fc.constantFrom(
    "1",
    "-2.5",
    "1e3",
    "1e999",
    "-inf",
    "NaN",
    "",
    " 3 ",
    '"4"',
    '"',
    "x",
    "label",
    "0,5",
    "#",
  ),
  fc.double().map(String),
  fc.string({ maxLength: 4 }),
);
const number = fc.integer({ min: -9, max: 9 }).map(String);
/** Rows of about the same length, most cells numbers. */
const rows = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 6 })).chain(
  ([columns, length]) => {
    const any = fc.oneof({ weight: 12, arbitrary: number }, { weight: 1, arbitrary: cell });
    const longest = { minLength: columns, maxLength: columns };
    return fc.array(fc.array(any, longest), { minLength: length, maxLength: length });
  },
);
const anyText = fc.tuple(
  fc.oneof(rows, fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 })),
  fc.constantFrom(",", ",", ";", "\t", "|", " "),
  fc.constantFrom("\n", "\r\n", "\r"),
).map(([rows, comma, newline]) => rows.map((row) => row.join(comma)).join(newline));
const bytes = fc.oneof(
  { weight: 6, arbitrary: anyText.map((text) => new TextEncoder().encode(text)) },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 60 }).map((text) => new TextEncoder().encode(text)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

Deno.test("tables of any bytes give finite points, or one line", async () => {
  const seen = { read: 0, refused: 0 };
  const property = fc.asyncProperty(bytes, fc.boolean(), async (given, drop) => {
    try {
      const options = drop ? { missing: "drop" as const } : {};
      const { values, dimension, labels } = await points(given, options);
      seen.read++;
      assert(dimension >= 1 && values.length % dimension === 0 && values.length > 0);
      assert(values.every((value) => Number.isFinite(Math.fround(value))));
      if (labels) assertEquals(labels.length, values.length / dimension);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      seen.refused++;
      assert(/^Cannot (?:read|use) p\.csv: [^\n]{10,}$/.test(error.message), error.message);
    }
  });
  await fc.assert(property, { numRuns: 2000, seed: 6, timeout: 5000 });
  assert(seen.read > 100 && seen.refused > 100, JSON.stringify(seen));
});
