/** Tables to rows and back, and the conditions that rows are trained under. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  type ChoiceColumn,
  isNumericColumn,
  rowLayout,
  type Table,
} from "../../src/tables/columns.ts";
import { conditionSampler, drawDataConditions } from "../../src/tables/conditions.ts";
import { formatDate } from "../../src/tables/dates.ts";
import { cellText, decodeRows } from "../../src/tables/decode.ts";
import { encodeTable, fitTableEncoder } from "../../src/tables/encode.ts";
import { counterNormals } from "./normals.ts";

const ROWS = 600;

function madeTable(): Table {
  const normals = counterNormals(ROWS, 5);
  return {
    rowCount: ROWS,
    columns: [
      {
        name: "weight",
        kind: "number",
        decimals: 2,
        values: Float64Array.from(
          normals,
          (x, i) => i % 10 === 3 ? NaN : (i % 2 ? 70 : 20) + 3 * x,
        ),
      },
      {
        name: "species",
        kind: "category",
        categories: ["Adelie", "Gentoo", "rare"],
        codes: Int32Array.from({ length: ROWS }, (_, i) => i === 7 ? 2 : i % 50 === 0 ? -1 : i % 2),
      },
      {
        name: "ringed",
        kind: "boolean",
        categories: ["no", "yes"],
        codes: Int32Array.from({ length: ROWS }, (_, i) => i % 3 === 0 ? 1 : 0),
      },
      {
        name: "seen",
        kind: "date",
        decimals: 0,
        values: Float64Array.from({ length: ROWS }, (_, i) => 18_000 + i % 365),
      },
      {
        name: "eggs",
        kind: "integer",
        decimals: 0,
        values: Float64Array.from({ length: ROWS }, (_, i) => i % 4),
      },
    ],
  };
}

Deno.test("decodeRows() gives back what encodeTable() encoded", () => {
  const table = madeTable();
  const encoder = fitTableEncoder(table);
  const rows = encodeTable(table, encoder, 1);
  assertEquals(rows.length, ROWS * rowLayout(encoder.encodings).width);
  assert(rows.every((value) => value >= -0.99 && value <= 1));
  const decoded = decodeRows(rows, encoder.encodings);
  for (const [i, row] of decoded.entries()) {
    const [weight, species, ringed, seen, eggs] = table.columns;
    assert(isNumericColumn(weight) && isNumericColumn(seen) && isNumericColumn(eggs));
    assert(!isNumericColumn(species) && !isNumericColumn(ringed));
    if (Number.isNaN(weight.values[i])) assertEquals(row.weight, null);
    else assertAlmostEquals(row.weight as number, weight.values[i], 0.0051);
    assertEquals(row.species, species.codes[i] < 0 ? null : species.categories[species.codes[i]]);
    assertEquals(row.ringed, ringed.codes[i] === 1);
    assertEquals(row.seen, formatDate(seen.values[i], "YYYY-MM-DD"));
    assertEquals(row.eggs, eggs.values[i]);
  }
});

Deno.test("encodeTable() is the same for the same seed, and each choice is one-hot", () => {
  const table = madeTable();
  const encoder = fitTableEncoder(table);
  const rows = encodeTable(table, encoder, 4);
  assertEquals(rows, encodeTable(table, encoder, 4));
  const { width, places, scalars } = rowLayout(encoder.encodings);
  assertEquals(scalars, 3);
  for (const { choice, size } of places) {
    for (let row = 0; row < ROWS; row++) {
      const entries = rows.subarray(row * width + choice, row * width + choice + size);
      assertEquals(entries.reduce((total, value) => total + value, 0), 1);
    }
  }
});

Deno.test("fitTableEncoder() throws when a column of numbers is empty", () => {
  const column = { name: "x", kind: "number", decimals: 0, values: Float64Array.of(NaN) } as const;
  assertThrows(
    () => fitTableEncoder({ rowCount: 1, columns: [column] }),
    RangeError,
    'Cannot encode the column "x": it has no values',
  );
});

Deno.test("decodeRows() throws when rows have another width", () => {
  const { encodings } = fitTableEncoder(madeTable());
  assertThrows(() => decodeRows(new Float32Array(3), encodings), RangeError, "of these 5 columns");
  const rows = new Float32Array(2 * rowLayout(encodings).width).fill(NaN, 40);
  assertThrows(() => decodeRows(rows, encodings), RangeError, "it holds NaN");
});

Deno.test("cellText() writes numbers with the decimals of the data", () => {
  const { encodings } = fitTableEncoder(madeTable());
  assertEquals(cellText(3.5, encodings[0]), "3.50");
  assertEquals(cellText(null, encodings[0]), "");
  assertEquals(cellText(true, encodings[2]), "yes");
});

Deno.test("conditionSampler() draws rows that have the category, rare ones by log frequency", () => {
  const table = madeTable();
  const { encodings } = fitTableEncoder(table);
  const sampler = conditionSampler(table, encodings);
  assertEquals(sampler.width, 4 + 2);
  const batch = sampler.draw(4000, { seed: 3, step: 9 });
  assertEquals(batch, sampler.draw(4000, { seed: 3, step: 9 }));
  let rare = 0;
  for (let i = 0; i < 4000; i++) {
    const { column, offset } = sampler.columns[batch.columns[i]];
    const { codes } = table.columns[column] as ChoiceColumn;
    const code = codes[batch.rows[i]];
    assertEquals(code < 0 ? 3 : code, batch.categories[i]);
    const vector = batch.vectors.subarray(i * sampler.width, (i + 1) * sampler.width);
    assertEquals(vector.reduce((total, value) => total + value, 0), 1);
    assertEquals(vector[offset + batch.categories[i]], 1);
    if (offset === 0 && batch.categories[i] === 2) rare++;
  }
  const logs = sampler.columns[0].frequencies.map((count) => Math.log1p(count));
  const expected = 2000 * logs[2] / logs.reduce((total, log) => total + log, 0);
  assertAlmostEquals(rare, expected, 4 * Math.sqrt(expected));
});

Deno.test("drawDataConditions() names categories as often as the data have them", () => {
  const columns = [{ offset: 0, frequencies: [90, 10] }, { offset: 2, frequencies: [0, 1, 3] }];
  const vectors = drawDataConditions(columns, 4000, { seed: 2 });
  assertEquals(vectors, drawDataConditions(columns, 4000, { seed: 2 }));
  const totals = [0, 0, 0, 0, 0];
  for (const [at, value] of vectors.entries()) totals[at % 5] += value;
  const shares = [0.45, 0.05, 0, 0.125, 0.375];
  for (const [entry, share] of shares.entries()) {
    assertAlmostEquals(totals[entry], 4000 * share, 4 * Math.sqrt(4000 * share));
  }
  assertEquals(drawDataConditions([], 3, { seed: 2 }).length, 0);
});

Deno.test("fitTableEncoder() gives values that many rows have modes of their own, which come back exactly", () => {
  const normals = counterNormals(ROWS, 6);
  const values = Float64Array.from(normals, (x, i) => i % 2 ? 0 : 5000 + 1000 * x);
  const table: Table = {
    rowCount: ROWS,
    columns: [{ name: "cost", kind: "number", decimals: 2, values }],
  };
  const encoder = fitTableEncoder(table);
  const [encoding] = encoder.encodings;
  assert("modes" in encoding);
  assertEquals(encoding.modes.filter(({ std }) => std === 0), [{ mean: 0, std: 0 }]);
  const rows = encodeTable(table, encoder, 1);
  const noisy = rows.map((value, at) =>
    at % rowLayout(encoder.encodings).width === 0 ? value + 0.01 : value
  );
  const costs = decodeRows(noisy, encoder.encodings).map(({ cost }) => cost as number);
  for (const [row, cost] of costs.entries()) {
    if (row % 2) assertEquals(cost, 0);
    else assert(cost !== 0);
  }
});
