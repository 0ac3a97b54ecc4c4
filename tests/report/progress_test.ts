import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  formatPlainProgress,
  formatProgress,
  ProgressLine,
  type ProgressState,
} from "../../src/report/progress.ts";
import type { Terminal } from "../../src/report/terminal.ts";

const state: ProgressState = {
  step: 1234,
  totalSteps: 2400,
  stepMs: 36,
  imagesPerSecond: 1912.4,
  scalars: { dLoss: 1.3162, gLoss: 0.8149, dReal: 0.583, dFake: 0.432, penalty: 3 },
};

Deno.test("formatProgress() shows everything where there is room", () => {
  assertEquals(
    formatProgress(state, 130),
    "███████████████▍░░░░░░░░░░░░░░  51%  1,234/2,400  1,912 images/s  " +
      "D loss 1.32  G loss 0.81  D(x) 0.58  D(G(z)) 0.43  42 s left",
  );
});

Deno.test("formatProgress() shows the difference of logits that mean nothing alone", () => {
  assertEquals(
    formatProgress({ ...state, logitKind: "margin" }, 130).slice(31),
    " 51%  1,234/2,400  1,912 images/s  D loss 1.32  G loss 0.81  D(x)-D(G(z)) 0.15  42 s left",
  );
});

Deno.test("formatProgress() drops parts by importance, then the bar", () => {
  const at = (columns: number): string => formatProgress(state, columns).replace(/^[█-▏░]* /, "");
  assertEquals(
    at(95),
    " 51%  1,234/2,400  D loss 1.32  G loss 0.81  D(x) 0.58  D(G(z)) 0.43  42 s left",
  );
  assertEquals(at(79), " 51%  1,234/2,400  D loss 1.32  G loss 0.81  42 s left");
  // At 60 columns losses stay and the bar shrinks; at 40 no number is cut.
  assertEquals(
    formatProgress(state, 59),
    "██░░  51%  1,234/2,400  D loss 1.32  G loss 0.81  42 s left",
  );
  assertEquals(at(50), " 51%  D loss 1.32  G loss 0.81  42 s left");
  assertEquals(at(39), " 51%  D loss 1.32  G loss 0.81");
  assertEquals(at(30), " 51%  42 s left");
  assertEquals(at(16), " 51%");
  assertEquals(formatProgress(state, 4), " 51%");
  assertEquals(formatProgress(state, 0), "");
});

Deno.test("formatProgress() never fills more columns than there are", () => {
  const any = fc.record({
    step: fc.nat(10_000_000),
    totalSteps: fc.integer({ min: 1, max: 10_000_000 }),
    stepMs: fc.double({ min: 0 }),
    imagesPerSecond: fc.double({ min: 0 }),
    scalars: fc.dictionary(fc.constantFrom("dLoss", "gLoss", "dReal", "dFake"), fc.double()),
  });
  checkProperty(fc.property(any, fc.nat(200), (state, columns) => {
    const line = formatProgress(state, columns);
    assertLessOrEqual([...line].length, columns);
    assert(!line.includes("\n"));
  }));
});

Deno.test("formatProgress() leaves out scalars that a run has not, and says done at the end", () => {
  const end = { ...state, step: 2400, scalars: { dLoss: -1234.5 } };
  assertEquals(
    formatProgress(end, 79, "points"),
    "██████████████████████ 100%  2,400/2,400  1,912 points/s  D loss -1.23e+3  done",
  );
});

Deno.test("formatPlainProgress() makes a line for a log", () => {
  assertEquals(
    formatPlainProgress(state),
    "step 1,234/2,400 (51%)  1,912 images/s  D loss 1.32  G loss 0.81  D(x) 0.58  D(G(z)) 0.43  42 s left",
  );
});

/** A terminal of the tests': a clock that is set, and what was written. */
function fakeTerminal(interactive: boolean): Terminal & { clock: number; written: string[] } {
  return {
    interactive,
    clock: 0,
    written: [],
    columns: () => 60,
    write(text) {
      this.written.push(text);
    },
    now() {
      return this.clock;
    },
  };
}

Deno.test("ProgressLine rewrites one line at most ten times a second on a terminal", () => {
  const terminal = fakeTerminal(true);
  const line = new ProgressLine({ terminal });
  for (let step = 1; step <= 40; step++) {
    terminal.clock = step * 25;
    line.update({ ...state, step });
  }
  assertEquals(terminal.written.length, 10);
  for (const text of terminal.written) {
    assert(text.startsWith("\r") && text.endsWith("\x1b[K") && !text.includes("\n"));
    assertLessOrEqual(text.length, 59 + 4);
  }
});

Deno.test("ProgressLine writes plain lines every five seconds elsewhere, and always the last step", () => {
  const terminal = fakeTerminal(false);
  const line = new ProgressLine({ terminal, unit: "points", memory: () => 1.2e9 });
  for (let step = 1; step <= 120; step++) {
    terminal.clock = step * 100; // 12 s
    line.update({ ...state, step, totalSteps: 120 });
  }
  line.finish();
  assertEquals(terminal.written.map((text) => text.slice(0, 13)), [
    "step 1/120 (0",
    "step 51/120 (",
    "step 101/120 ",
    "step 120/120 ",
  ]);
  assert(terminal.written.every((text) => text.endsWith("\n")));
  assert(terminal.written.every((text) => text.includes("  1.2 GB of memory  ")));
});

Deno.test("ProgressLine.log() writes above the line and draws it again", () => {
  const terminal = fakeTerminal(true);
  const line = new ProgressLine({ terminal });
  line.log("before");
  line.update(state);
  line.log("saved");
  line.finish();
  line.log("after");
  assertEquals(terminal.written[0], "before\n");
  assertEquals(terminal.written[2], "\r\x1b[Ksaved\n");
  assertEquals(terminal.written[3], terminal.written[1]);
  assertEquals(terminal.written.slice(4), ["\n", "after\n"]);
});

Deno.test("ProgressLine.finish() writes the state that was held back", () => {
  const terminal = fakeTerminal(false);
  const line = new ProgressLine({ terminal });
  line.update(state);
  terminal.clock = 1000;
  line.update({ ...state, step: 1300 });
  line.finish();
  assertEquals(terminal.written.length, 2);
  assert(terminal.written[1].startsWith("step 1,300/2,400"));
});

Deno.test("ProgressLine averages the speed, so that the time left does not jump", () => {
  const terminal = fakeTerminal(false);
  const line = new ProgressLine({ terminal });
  line.update({ ...state, stepMs: 10, imagesPerSecond: 1000 });
  terminal.clock = 6000; // two half-lives: three quarters of the way to the new speed
  line.update({ ...state, stepMs: 50, imagesPerSecond: 200 });
  assert(terminal.written[1].includes("  400 images/s  "), terminal.written[1]);
  assert(terminal.written[1].includes("47 s left"), terminal.written[1]); // 1166 steps of 40 ms
});
