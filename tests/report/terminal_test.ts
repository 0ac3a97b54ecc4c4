import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  colorMessage,
  dressMessage,
  type Terminal,
  wrapMessage,
} from "../../src/report/terminal.ts";
import { checkProperty } from "../properties.ts";

Deno.test("wrapMessage() breaks between words, and goes on under the text", () => {
  assertEquals(
    wrapMessage("warning   the loss is not finite at step 12", 30),
    "warning   the loss is not\n          finite at step 12",
  );
  assertEquals(wrapMessage("run       runs/00001-x", 40), "run       runs/00001-x");
  assertEquals(wrapMessage("one two three four", 10), "one two\n  three\n  four");
  const path = "runs/00001-a-name-that-is-longer-than-a-line";
  assertEquals(wrapMessage(`exported  ${path}, 2 MB`, 30), `exported  ${path},\n          2 MB`);
});

Deno.test("wrapMessage() loses no word, and makes no line longer than its words ask", () => {
  const word = fc.stringMatching(/^[a-z,.]{1,9}$/);
  checkProperty(
    fc.property(
      fc.array(word, { minLength: 1 }),
      fc.integer({ min: 25, max: 90 }),
      (words, columns) => {
        const wrapped = wrapMessage(words.join(" "), columns);
        assertEquals(wrapped.split(/\s+/).filter(Boolean), words);
        assert(wrapped.split("\n").every((line) => line.length <= columns));
      },
    ),
  );
});

Deno.test("messages are colored by their label where a terminal shows it", () => {
  assertEquals(colorMessage("warning   x"), "\x1b[33mwarning\x1b[39m   x");
  assertEquals(colorMessage("run       runs/1, x"), "run       \x1b[36mruns/1\x1b[39m, x");
  assertEquals(colorMessage("data      10 digits"), "data      10 digits");
  const terminal = (change: Partial<Terminal>): Terminal => ({
    interactive: true,
    columns: () => 80,
    write: () => {},
    now: () => 0,
    ...change,
  });
  assertEquals(dressMessage("warning   x", terminal({ colored: false })), "warning   x");
  assertEquals(dressMessage("warning   x", terminal({ interactive: false })), "warning   x");
  assertEquals(dressMessage("warning   x", terminal({})), "\x1b[33mwarning\x1b[39m   x");
});
