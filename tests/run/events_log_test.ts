import { assertEquals } from "@std/assert";
import { readEvents } from "../../src/run/events_log.ts";
import { appendLines } from "../../src/run/json_lines.ts";
import type { RunEvent } from "../../src/training/store.ts";

Deno.test("readEvents() gives the events of a file, and nothing that is damaged or unknown", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/events.jsonl`;
    assertEquals(await readEvents(file), []);
    const events: RunEvent[] = [
      { event: "resume", step: 5, engine: "cpu" },
      {
        event: "rollback",
        step: 9,
        fault: "dLoss is NaN",
        to: 5,
        learningRateFactor: 0.5,
        retriesLeft: 1,
      },
      { event: "warning", step: 12, message: "the generator has collapsed" },
    ];
    await appendLines(file, [events[0]]);
    const other = '{"event":"landed","step":6}\n{"event":"rollback","step":7}\n';
    await Deno.writeTextFile(file, other, { append: true });
    await appendLines(file, [events[1]]);
    await Deno.writeTextFile(file, '{"event":"warning","step":11}\n', { append: true });
    await appendLines(file, [events[2]]);
    await Deno.writeTextFile(file, '{"event":"resume","st', { append: true });
    assertEquals(await readEvents(file), events);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
