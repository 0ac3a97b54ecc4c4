/** The list of the slowest tests at the end of `deno task test`. */
import { assertEquals } from "@std/assert";
import { slowestLines, testTimes } from "../../tasks/test/slowest.ts";

const OUTPUT = `running 4 tests from ./tests/a_test.ts
quick() is quick ... ok (12ms)
slow() is slow (really) ... ok (12s)
slower() fails ... FAILED (1m3s)
long() prints ...
------- post-test output -------
... ok (99s) is not a result
----- post-test output end -----
long() prints ... ok (2s)

ok | 3 passed | 1 failed (1m18s)
`;

Deno.test("testTimes() reads minutes and seconds, and no other lines", () => {
  assertEquals(testTimes(OUTPUT), [
    { name: "slow() is slow (really)", seconds: 12 },
    { name: "slower() fails", seconds: 63 },
    { name: "long() prints", seconds: 2 },
  ]);
});

Deno.test("slowestLines() gives the slowest first, and no more than asked", () => {
  assertEquals(slowestLines(testTimes(OUTPUT), 2), [
    "   63 s  slower() fails",
    "   12 s  slow() is slow (really)",
  ]);
});
