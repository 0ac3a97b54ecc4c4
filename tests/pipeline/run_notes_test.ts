import { assertEquals } from "@std/assert";
import { runNotes } from "../../src/pipeline/run_notes.ts";
import type { RunEvent } from "../../src/training/store.ts";

const resume = (step: number): RunEvent => ({ event: "resume", step, engine: "cpu" });

Deno.test("runNotes() mentions resumes in one remark, of each rollback, and of warnings once", () => {
  assertEquals(runNotes([], 9), []);
  assertEquals(runNotes([resume(5)], 9), ["Went on from step 5."]);
  assertEquals(runNotes([resume(9)], 9), []); // had nothing left to do
  const events: RunEvent[] = [
    resume(500),
    {
      event: "rollback",
      step: 1234,
      fault: "dLoss is NaN",
      to: 1000,
      learningRateFactor: 0.5,
      retriesLeft: 1,
    },
    resume(1000),
    { event: "warning", step: 1500, message: "the generator has collapsed: try pack=2" },
    resume(2000),
    { event: "warning", step: 1500, message: "the generator has collapsed: try pack=2" },
  ];
  assertEquals(runNotes(events, 3000), [
    "Went on from steps 500, 1,000 and 2,000.",
    "Diverged at step 1,234 (dLoss is NaN): went back to step 1,000, with learning rates times 0.5.",
    "The generator has collapsed: try pack=2.",
  ]);
});
