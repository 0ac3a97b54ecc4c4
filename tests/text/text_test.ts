/** How numbers and units look as text. */
import { assertEquals } from "@std/assert";
import {
  csvLine,
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
  formatQuantity,
  formatShape,
} from "../../src/text.ts";

Deno.test("formatDuration() changes units", () => {
  assertEquals([0, 0.4, 9.96, 59.4, 60, 200, 3723].map(formatDuration), [
    "under 0.1 s",
    "0.4 s",
    "10 s",
    "59 s",
    "1:00",
    "3:20",
    "1:02:03",
  ]);
  assertEquals(formatDuration(Infinity), "?");
});

Deno.test("formatNumber() and formatBytes() choose readable digits", () => {
  assertEquals(
    [0, 0.12345678, -1.38629, 1234567, 1e-7, NaN, Infinity, -Infinity].map(formatNumber),
    [
      "0",
      "0.1235",
      "\u22121.386",
      "1.23e6",
      "1.00e\u22127",
      "not known",
      "infinite",
      "\u2212infinite",
    ],
  );
  assertEquals(
    [999, 1834, 2_263_411, 3_400_000_000].map(formatBytes),
    ["999 bytes", "1.8 kB", "2.3 MB", "3.4 GB"],
  );
});

Deno.test("formatInteger(), formatPercent(), formatShape() and formatQuantity() give units their form", () => {
  assertEquals([0, 999, 60_000.4].map(formatInteger), ["0", "999", "60,000"]);
  assertEquals([0.1234, 1, NaN].map(formatPercent), ["12.3%", "100.0%", "not known"]);
  assertEquals([formatShape([28, 28, 1]), formatShape([])], ["28 x 28 x 1", "one number"]);
  assertEquals(
    [48, 64e6, 2.84e12, 1e19].map((value) => formatQuantity(value, "B")),
    ["48 B", "64.0 MB", "2.84 TB", "1.00e+4 PB"],
  );
});

Deno.test("csvLine() quotes what RFC 4180 asks for, and leaves numbers as they are", () => {
  assertEquals(csvLine([1, -0.5, 1e-9]), "1,-0.5,1e-9\n");
  assertEquals(
    csvLine(["a b", "a,b", 'say "x"', "", " c", "#d"]),
    'a b,"a,b","say ""x""",""," c","#d"\n',
  );
});
