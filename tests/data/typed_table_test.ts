/** Tables for generators of rows: kinds of columns, guessed and said, what is left out, what is refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { openTable } from "../../src/data/open_table.ts";
import { readTypedTable } from "../../src/data/tables/typed_table.ts";
import { UserError } from "../../src/errors.ts";
import { isNumericColumn } from "../../src/tables/columns.ts";
import { cellText, decodeRows } from "../../src/tables/decode.ts";
import { fuzz } from "../fuzz.ts";
import { memoryFile, put, withFolder } from "./helpers.ts";

const read = (text: string, columns?: string[], count?: number) =>
  readTypedTable(memoryFile("t.csv", text), { columns, count });

const PENGUINS = `species,mass,eggs,ringed,seen,note
Adelie,3750.5,1,yes,30.11.2025,None
Gentoo,,2,no,1.12.2025,None
Adelie,3800,1,yes,24.12.2025,NA
Chinstrap,3300.25,NA,no,2.1.2026,lost
`;

Deno.test("readTypedTable() guesses kinds, decimals, dates and missing values, and says each in a line", async () => {
  const { table, notes } = await read(PENGUINS);
  assertEquals(table.rowCount, 4);
  assertEquals(notes, [
    "column species: category, 3 values: Adelie 50.0%, Gentoo 25.0%, Chinstrap 25.0%",
    "column mass: number, 3300.25 to 3800.00, 25.0% missing",
    "column eggs: integer, 1 to 2, 25.0% missing",
    "column ringed: boolean, 2 values: no 50.0%, yes 50.0%",
    "column seen: date, 30.11.2025 to 2.1.2026, written D.M.YYYY",
    "column note: category, 2 values: None 50.0%, lost 25.0%, 25.0% missing",
  ]);
  const [species, mass, , ringed, seen, note] = table.columns;
  assert(isNumericColumn(mass) && isNumericColumn(seen));
  assert(!isNumericColumn(species) && !isNumericColumn(ringed) && !isNumericColumn(note));
  assertEquals([...mass.values], [3750.5, NaN, 3800, 3300.25]);
  assertEquals([...seen.values], [20_422, 20_423, 20_446, 20_455]);
  assertEquals([[...ringed.codes], ringed.categories], [[1, 0, 1, 0], ["no", "yes"]]);
  assertEquals([[...note.codes], note.categories], [[0, 0, -1, 1], ["None", "lost"]]);
});

Deno.test("readTypedTable() takes columns for what they are said to be", async () => {
  const text = "zip,day,flag,x\n01234,20261130,0,1\n01235,20261201,1,2\n01234,,1,3\n";
  const { table, notes } = await read(text, [
    "*",
    "ZIP=category",
    "day=date",
    "flag=boolean",
    "x=skip",
  ]);
  assertEquals(notes, [
    "left out the columns x, as asked",
    "column zip: category, 2 values: 01234 66.7%, 01235 33.3%",
    "column day: date, 20261130 to 20261201, 33.3% missing, written YYYYMMDD",
    "column flag: boolean, 2 values: 1 66.7%, 0 33.3%",
  ]);
  const chosen = await read(text, ["x", "zip"]);
  assertEquals(chosen.table.columns.map(({ name, kind }) => [name, kind]), [
    ["x", "integer"],
    ["zip", "integer"],
  ]);
  assertEquals((await read(text, undefined, 2)).table.rowCount, 2);
  assertEquals(table.columns.length, 3);
});

Deno.test("readTypedTable() leaves out texts that hardly repeat, and says how to keep them", async () => {
  const rows = Array.from({ length: 120 }, (_, i) => `person ${i},${i % 5},`);
  const { table, notes } = await read(`name,x,empty\n${rows.join("\n")}\n`);
  assertEquals(table.columns.map(({ name }) => name), ["x"]);
  assertEquals(notes, [
    'column name: text with 120 different values in 120 rows, left out; --columns "*,name=category" keeps it',
    "column x: integer, 0 to 4",
    "column empty: empty, left out",
  ]);
  const kept = await read(`name,x,empty\n${rows.join("\n")}\n`, ["*", "name=category"]);
  assertEquals(kept.table.columns.length, 2);
});

Deno.test("readTypedTable() refuses what does not fit, in one line", async () => {
  const refusals: [string, string[] | undefined, string][] = [
    [
      PENGUINS,
      ["specis"],
      'Cannot find the column "specis" in t.csv (did you mean species?): it has species, mass',
    ],
    [
      PENGUINS,
      ["species=text"],
      '--columns says "species=text", and a column is one of number, integer,',
    ],
    [PENGUINS, ["species", "Species"], '--columns names "species" twice'],
    [
      PENGUINS,
      ["species=number"],
      'the column "species" is to be number, and it holds "Adelie" on line 2',
    ],
    [PENGUINS, ["mass=integer"], 'the column "mass" is to be integer, and it has 3750.5 on line 2'],
    [
      PENGUINS,
      ["note=boolean"],
      'the column "note" is to be boolean, and it holds "None", "lost"; booleans are false/true',
    ],
    [
      PENGUINS,
      ["species=date"],
      'the column "species" is to be date, and it holds "Adelie", "Gentoo", "Chinstrap"; dates are such as',
    ],
    ["x,y\n1,2\n3,inf\n", undefined, "line 3, column y has Infinity; numbers are finite"],
    ["x,y\n,\n,\n", ["x"], "none of its 2 columns is left; column x: empty, left out"],
    ["", undefined, "Cannot read t.csv: the file is empty (0 bytes)"],
    ["x,y\n", undefined, "Cannot read t.csv: it has no rows below its header"],
    ["x,y\n1\n", undefined, "line 2 has 1 columns, and the first line has 2"],
  ];
  for (const [text, columns, message] of refusals) {
    await assertRejects(() => read(text, columns), UserError, message);
  }
  await assertRejects(
    () => read(PENGUINS, undefined, 9),
    UserError,
    "Cannot take 9 rows from t.csv: it has 4",
  );
});

Deno.test("openTable() reads any file of a table, holds rows back, and gives its texts back", async () => {
  await withFolder(async (folder) => {
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${i % 3 ? "a" : "b"}\t${((i % 7) / 4).toFixed(2)}\t0${i % 9 + 1}/2020`,
    );
    const path = await put(
      `${folder}/rows.tsv`,
      `kind\tx\twhen\n${lines.join("\n").replaceAll("/2020", "/01/2020")}\n`,
    );
    const data = await openTable({ path, heldBack: 0.25 });
    assertEquals(data.description, `row: 30 rows of ${path}: 3 columns, and 10 held back`);
    assertEquals(
      data.notes[2],
      "column when: date, 01/01/2020 to 09/01/2020, read as MM/DD/YYYY, though DD/MM/YYYY fits too",
    );
    const { trained, heldBack, encodings } = data.table!;
    assertEquals([trained.rowCount, heldBack?.rowCount], [30, 10]);
    const { values } = data.inputs.row.batch(Uint32Array.of(0, 1, 2, 3));
    const texts = decodeRows(values, encodings)
      .map((row) => encodings.map((encoding) => cellText(row[encoding.name], encoding)).join("\t"));
    for (const text of texts) {
      assert(lines.some((line) => line.replace("/2020", "/01/2020") === text), text);
    }
    await assertRejects(() => openTable({ path: `${folder}/no.csv` }), UserError, "no.csv");
    await assertRejects(
      () => openTable({ columns: ["x"] }),
      UserError,
      "Cannot choose columns of the synthetic table",
    );
    await assertRejects(
      () => openTable({ path, heldBack: 1 }),
      UserError,
      "hold back a share of 1",
    );
  });
});

const cell = fc.oneof(
  fc.constantFrom(
    "",
    "NA",
    "None",
    "yes",
    "no",
    "1",
    "-2.50",
    "1e400",
    "2020-02-30",
    "2020-02-03",
    "3/4/20",
    "a b",
    '"',
    ";",
  ),
  fc.string({ maxLength: 6 }),
  fc.double().map(String),
);
const separators = fc.constantFrom(",", ";", "\t", "|");
const tables = fc.tuple(
  separators,
  fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 8 }),
)
  .map(([separator, rows]) =>
    new TextEncoder().encode(rows.map((row) => row.join(separator)).join("\n"))
  );
const entries = fc.option(
  fc.array(fc.constantFrom("*", "1", "2=category", "2=date", "3=boolean", "1=number", "x"), {
    maxLength: 3,
  }),
);

Deno.test("readTypedTable() reads any table whole, or refuses it in one line, within a time bound", async () => {
  const outcome = await fuzz(fc.tuple(tables, entries), async ([bytes, columns]) => {
    const { table, notes } = await readTypedTable(memoryFile("t.csv", bytes), {
      columns: columns ?? undefined,
    });
    assert(table.columns.length > 0 && table.rowCount > 0);
    assert(notes.filter((line) => line.startsWith("column ")).length >= table.columns.length);
    for (const column of table.columns) {
      if (isNumericColumn(column)) {
        assertEquals(column.values.length, table.rowCount);
        assert(column.values.every((value) => Number.isFinite(value) || Number.isNaN(value)));
      } else {
        assertEquals(column.codes.length, table.rowCount);
        assert(column.codes.every((code) => code >= -1 && code < column.categories.length));
      }
    }
  }, { seed: 11, runs: 1000 });
  assert(outcome.read > 100 && outcome.refused > 100, JSON.stringify(outcome));
});
