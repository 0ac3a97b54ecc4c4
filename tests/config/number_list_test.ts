import { assertEquals, assertThrows } from "@std/assert";
import { parseNumberList } from "../../src/config/number_list.ts";
import { UserError } from "../../src/errors.ts";

Deno.test("parseNumberList() reads numbers and ranges", () => {
  assertEquals(parseNumberList("0,3, 10-12,4294967295", "--seeds"), [0, 3, 10, 11, 12, 4294967295]);
});

Deno.test("parseNumberList() names the part that is wrong", () => {
  for (const [text, part] of [["1,,2", ""], ["x", "x"], ["5-3", "5-3"], ["-1", "-1"]]) {
    assertThrows(
      () => parseNumberList(text, "--seeds"),
      UserError,
      `Cannot read --seeds ${text}: "${part}" is neither a number nor a range`,
    );
  }
  assertThrows(() => parseNumberList("0-1000000", "--seeds"), UserError, "over 1000000 numbers");
});
