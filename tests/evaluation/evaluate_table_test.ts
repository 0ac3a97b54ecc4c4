/** Measures of synthetic rows: a perfect generator gets the data's own figures, others less. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { comparedRows, evaluateTable } from "../../src/evaluation/evaluate_table.ts";
import { closestRows } from "../../src/metrics/closest_rows.ts";
import { learnColumn } from "../../src/metrics/decision_forest.ts";
import { permutation } from "../../src/random/counter_random.ts";
import {
  type ChoiceColumn,
  isNumericColumn,
  type Table,
  takeTableRows,
} from "../../src/tables/columns.ts";
import { drawSyntheticTable } from "../../src/tables/synthetic_table.ts";

const trained = drawSyntheticTable(1000, 0);
const heldBack = drawSyntheticTable(300, 1);

/** The same columns, each in an order of its own: shapes stay, dependence goes. */
function shuffled(table: Table): Table {
  const columns = table.columns.map((column, step) => {
    const order = permutation(table.rowCount, { seed: 3, stream: 9, step });
    return takeTableRows({ columns: [column], rowCount: table.rowCount }, order).columns[0];
  });
  return { columns, rowCount: table.rowCount };
}

Deno.test("learnColumn() predicts what depends on other columns, and only the majority where nothing does", () => {
  const task = { target: "customer", test: heldBack, reference: trained };
  const real = learnColumn({ ...task, training: trained });
  assert(real.accuracy > 0.9 && real.macroF1 > 0.7, JSON.stringify(real));
  assertEquals(real, learnColumn({ ...task, training: trained }));
  const lost = learnColumn({ ...task, training: shuffled(trained) });
  assert(lost.accuracy < 0.65 && lost.macroF1 < 0.5, JSON.stringify(lost));
  const spent = learnColumn({ ...task, target: "spent", training: trained });
  assert(spent.accuracy > 0.6, JSON.stringify(spent)); // quartiles, by the items
  assertThrows(
    () => learnColumn({ ...task, target: "x", training: trained }),
    RangeError,
    "the column x",
  );
});

Deno.test("closestRows() finds copies, and takes the mean of the columns' distances", () => {
  const few = takeTableRows(trained, Uint32Array.of(5, 9));
  assertEquals(closestRows(few, trained), { median: 0, fifthPercentile: 0, copies: 1 });
  const numbers = (values: number[]) =>
    ({ name: "x", kind: "number", decimals: 0, values: Float64Array.from(values) }) as const;
  const names = (codes: number[]): ChoiceColumn => {
    return { name: "y", kind: "category", categories: ["a", "b"], codes: Int32Array.from(codes) };
  };
  const table: Table = { rowCount: 3, columns: [numbers([0, 10, NaN]), names([0, 1, -1])] };
  const found = closestRows({ rowCount: 2, columns: [numbers([1, NaN]), names([0, 1])] }, table);
  assertAlmostEquals(found.fifthPercentile, 0.05, 1e-12); // 1 of 10, and the same name
  assertAlmostEquals(found.median, 0.5, 1e-12); // missing like the last row, and another name
  assertEquals(found.copies, 0);
});

Deno.test("evaluateTable() gives fresh rows of the same distribution the data's own figures, and sees what is lost", () => {
  const real = { trained, heldBack };
  const fresh = evaluateTable(real, drawSyntheticTable(600, 2));
  assertEquals(fresh.rows, { synthetic: 500, real: 1000 });
  for (const { generated, data } of [fresh.columnShapes, fresh.pairTrends]) {
    assertAlmostEquals(generated, data!, 0.02);
  }
  assertEquals(fresh.learned.map(({ name }) => name), ["customer", "payment", "member"]);
  for (const { accuracy } of fresh.learned) {
    assertAlmostEquals(accuracy.generated, accuracy.data!, 0.08);
  }
  assertAlmostEquals(fresh.closest.generated.median, fresh.closest.data!.median, 0.01);
  const lost = evaluateTable(real, shuffled(trained));
  assertAlmostEquals(lost.columnShapes.generated, lost.columnShapes.data!, 0.02);
  assert(lost.pairTrends.generated < lost.pairTrends.data! - 0.05);
  assert(lost.learned[0].accuracy.generated < lost.learned[0].accuracy.data! - 0.2);
  const copied = evaluateTable(real, trained);
  assertEquals(copied.closest.generated.copies, 1);
  assert(copied.closest.data!.copies < 0.05);
});

Deno.test("evaluateTable() asks for half as many rows as were trained on", () => {
  assertEquals(comparedRows({ trained }), 500);
  assertThrows(() => evaluateTable({ trained }, heldBack), UserError, "Cannot evaluate 300 rows");
  const numbers = trained.columns.filter(isNumericColumn);
  const { learned, closest } = evaluateTable({ trained: { ...trained, columns: numbers } }, {
    ...drawSyntheticTable(500, 4),
    columns: drawSyntheticTable(500, 4).columns.filter(isNumericColumn),
  });
  assertEquals([learned.length, learned[0].majority, closest.data], [4, 0.25, null]);
});
