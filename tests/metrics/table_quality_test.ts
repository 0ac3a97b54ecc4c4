/** Scores of tables at hand-computed values. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  ksComplement,
  pearson,
  tableQuality,
  tvComplement,
} from "../../src/metrics/table_quality.ts";
import type { Table } from "../../src/tables/columns.ts";

Deno.test("ksComplement() is one minus the largest gap of the distribution functions", () => {
  const values = Float64Array.of(1, 2, 3, 4);
  assertEquals(ksComplement(values, values), 1);
  assertEquals(ksComplement(values, Float64Array.of(3, 4, 5, 6)), 0.5);
  assertEquals(ksComplement(values, Float64Array.of(10, 11)), 0);
  assertEquals(ksComplement(Float64Array.of(1, 1, 2), Float64Array.of(1, 2, 2)), 1 - 1 / 3);
});

Deno.test("tvComplement() compares shares, not counts", () => {
  assertEquals(tvComplement([2, 2], [100, 100]), 1);
  assertEquals(tvComplement([1, 0], [0, 3]), 0);
  assertEquals(tvComplement([3, 1], [1, 1]), 0.75);
});

Deno.test("pearson() leaves out rows that lack a value", () => {
  const x = Float64Array.of(1e9, 1e9 + 1, 1e9 + 2, NaN);
  assertAlmostEquals(pearson(x, Float64Array.of(2, 4, 6, 9)), 1, 1e-12);
  assertAlmostEquals(pearson(x, Float64Array.of(6, 4, 2, NaN)), -1, 1e-12);
  assertEquals(pearson(x, Float64Array.of(1, 1, 1, 1)), 0);
});

const numbers = (name: string, values: number[]) =>
  ({ name, kind: "number", decimals: 0, values: Float64Array.from(values) }) as const;
const names = (name: string, categories: string[], codes: number[]) =>
  ({ name, kind: "category", categories, codes: Int32Array.from(codes) }) as const;

Deno.test("tableQuality() of a table with itself is 1 throughout", () => {
  const table: Table = {
    rowCount: 4,
    columns: [
      numbers("x", [1, 2, 3, NaN]),
      numbers("y", [2, 1, 4, 3]),
      names("c", ["a", "b"], [0, 1, -1, 1]),
    ],
  };
  const quality = tableQuality(table, table);
  assertEquals(quality.columns.map(({ measure }) => measure), ["ks", "ks", "tv"]);
  assertEquals(
    quality.pairs.map(({ names, measure }) => `${names.join("-")} ${measure}`),
    ["x-y correlation", "x-c contingency", "y-c contingency"],
  );
  assertEquals([quality.columnShapes, quality.pairTrends], [1, 1]);
});

Deno.test("tableQuality() sees lost dependence though columns keep their shapes", () => {
  const real: Table = {
    rowCount: 4,
    columns: [names("a", ["p", "q"], [0, 0, 1, 1]), names("b", ["r", "s"], [0, 0, 1, 1])],
  };
  const shuffled: Table = {
    rowCount: 4,
    columns: [names("a", ["q", "p"], [0, 0, 1, 1]), names("b", ["r", "s"], [0, 1, 0, 1])],
  };
  const quality = tableQuality(real, shuffled);
  assertEquals([quality.columnShapes, quality.pairTrends], [1, 0.5]);
});

Deno.test("tableQuality() throws when columns differ", () => {
  const table = (name: string): Table => ({ rowCount: 1, columns: [numbers(name, [1])] });
  assertThrows(() => tableQuality(table("x"), table("y")), RangeError, "has the columns x");
});
