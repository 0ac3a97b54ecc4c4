/** CSV files of any kind: points, or one line that says what is wrong. */
import { checkProperty } from "../properties.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseCsv } from "../../src/data/csv.ts";
import { UserError } from "../../src/errors.ts";

const cell = fc.oneof(
  fc.constantFrom("1", "-2.5", "1e3", "1e999", "NaN", "", " 3 ", '"4"', '"', "x", "label", "0x10"),
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
const text = fc.tuple(
  fc.oneof(rows, fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 })),
  fc.constantFrom(",", ",", ";", "\t"),
  fc.constantFrom("\n", "\r\n", "\r"),
).map(([rows, comma, newline]) => rows.map((row) => row.join(comma)).join(newline));

Deno.test("parseCsv() reads any text as finite points or refuses it in one line", () => {
  const seen = { read: 0, refused: 0 };
  checkProperty(
    fc.property(fc.oneof(text, fc.string({ maxLength: 60 })), (given) => {
      try {
        const { values, dimension, labels } = parseCsv(given, "p.csv");
        seen.read++;
        assert(dimension >= 1 && values.length % dimension === 0 && values.length > 0);
        assert(values.every(Number.isFinite), given);
        if (labels) assertEquals(labels.length, values.length / dimension);
      } catch (error) {
        seen.refused++;
        assert(error instanceof UserError, `${(error as Error).stack}`);
        assert(/^Cannot read p\.csv: [^\n]{10,}$/.test(error.message), error.message);
      }
    }),
    { numRuns: 4000, seed: 6 },
  );
  assert(seen.read > 100 && seen.refused > 100, JSON.stringify(seen));
});
