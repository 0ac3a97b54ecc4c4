/** Dates: which pattern a column has, to days and back. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { detectDatePattern, formatDate, parseDate } from "../../src/tables/dates.ts";
import { checkProperty } from "../properties.ts";

const DAY = 20_787; // 2026-11-30

Deno.test("detectDatePattern() finds ISO and common forms, to the same day", () => {
  const cases: [string, string][] = [
    ["2026-11-30", "YYYY-MM-DD"],
    ["2026/11/30", "YYYY/MM/DD"],
    ["30.11.2026", "DD.MM.YYYY"],
    ["11/30/2026", "MM/DD/YYYY"],
    ["30/11/2026", "DD/MM/YYYY"],
    ["30 Nov 2026", "DD MMM YYYY"],
    ["30-NOV-26", "DD-MMM-YY"],
    ["November 30, 2026", "MMM DD, YYYY"],
    ["11/30/26", "MM/DD/YY"],
  ];
  for (const [text, pattern] of cases) {
    const found = detectDatePattern([text]);
    assertEquals([found?.pattern, parseDate(text, pattern)], [pattern, DAY], text);
  }
  const noon = detectDatePattern(["2026-11-30T12:00:00Z"]);
  assertEquals(noon, { pattern: "YYYY-MM-DDTHH:mm:ssZ" });
  assertEquals(parseDate("2026-11-30T12:00:00Z", noon!.pattern), DAY + 0.5);
});

Deno.test("detectDatePattern() decides by all texts, and names what fits too", () => {
  assertEquals(detectDatePattern(["1/2/2026", "30/2/2026"]), undefined);
  assertEquals(detectDatePattern(["1/2/2026", "28/2/2026"]), { pattern: "D/M/YYYY" });
  assertEquals(detectDatePattern(["01/02/2026"]), { pattern: "MM/DD/YYYY", other: "DD/MM/YYYY" });
  assertEquals(detectDatePattern(["2026-11-30", "30.11.2026"]), undefined);
  assertEquals(detectDatePattern(["20261130"]), undefined);
  assertEquals(detectDatePattern(["20261130"], true), { pattern: "YYYYMMDD" });
  assertEquals(detectDatePattern(["2026-02-29"]), undefined); // no leap year
});

Deno.test("formatDate() writes what parseDate() reads, in every pattern", () => {
  const patterns = ["YYYY-MM-DD", "D.M.YYYY", "MMM DD, YYYY", "DD-MMM-YY", "YYYYMMDD"];
  checkProperty(fc.property(
    fc.integer({ min: -300, max: 36_000 }), // 1969 to 2068, as two digits of a year can say
    fc.constantFrom(...patterns),
    (day, pattern) => assertEquals(parseDate(formatDate(day, pattern), pattern), day),
  ));
  const seconds = "YYYY-MM-DD HH:mm:ss";
  assertEquals(formatDate(DAY + 0.99999999, seconds), "2026-12-01 00:00:00");
  assertEquals(
    formatDate(parseDate("2026-11-30 23:59:59", seconds)!, seconds),
    "2026-11-30 23:59:59",
  );
});
