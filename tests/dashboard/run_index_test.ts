import { assertEquals, assertStrictEquals } from "@std/assert";
import { readCurves } from "../../src/dashboard/curves.ts";
import { RunIndex } from "../../src/dashboard/run_index.ts";
import { lastLine } from "../../src/dashboard/run_summary.ts";
import { inFolder, makeRun } from "./helpers.ts";

Deno.test("RunIndex tells running, finished, stopped and diverged runs, and those that it cannot read", () =>
  inFolder(async (root) => {
    await makeRun(root, "00001-done", { steps: 10 });
    await makeRun(root, "00002-stopped", { steps: 5, planned: 10 });
    await makeRun(root, "00003-diverged", {
      steps: 5,
      planned: 10,
      events: [{ event: "diverged", step: 5, fault: "the loss is NaN" }],
    });
    await makeRun(root, "00004-again", {
      steps: 5,
      planned: 10,
      events: [
        { event: "diverged", step: 5, fault: "the loss is NaN" },
        { event: "resume", step: 4, engine: "test" },
      ],
    });
    const broken = await makeRun(root, "00005-broken", { steps: 1 });
    await Deno.writeTextFile(`${broken}/config.json`, "{");
    const live = await makeRun(root, "00006-live", { steps: 5, planned: 10 });
    using lock = await Deno.open(`${live}/.lock`, { write: true });
    await lock.lock(true);

    const index = new RunIndex(root);
    const runs = await index.list();
    assertEquals(runs.map(({ name, state }) => `${name} ${state}`), [
      "00006-live running",
      "00005-broken unreadable",
      "00004-again stopped",
      "00003-diverged diverged",
      "00002-stopped stopped",
      "00001-done finished",
    ]);
    const { updated: _, ...stopped } = runs[4];
    assertEquals(stopped, {
      name: "00002-stopped",
      state: "stopped",
      preset: "tiny",
      data: "digits",
      device: "cpu",
      step: 5,
      totalSteps: 10,
      images: 20,
      seconds: 0.5,
      imagesPerSecond: 40,
      scalars: { dLoss: 0.2, gLoss: 2 },
      best: null,
      hasModel: false,
    });
    assertStrictEquals((await index.list())[4], runs[4]); // nothing has changed, nothing was read
    await Deno.remove(`${root}/00001-done`, { recursive: true });
    assertEquals((await index.list()).length, 5);
    assertEquals(await index.find("../etc"), undefined);
  }));

Deno.test("lastLine() reads the last whole line, however the file ends", () =>
  inFolder(async (root) => {
    const file = `${root}/x.jsonl`;
    const read = async (text: string) => {
      await Deno.writeTextFile(file, text);
      return await lastLine(file);
    };
    assertEquals(await read('{"step":1}\n{"step":2}\n'), { step: 2 });
    assertEquals(await read('{"step":1}\n{"ste'), { step: 1 }); // being written
    assertEquals(await read(`{"long":"${"x".repeat(9000)}"}\n{"step":3}\n`), { step: 3 });
    assertEquals(await read(""), undefined);
    assertEquals(await lastLine(`${root}/none`), undefined);
  }));

Deno.test("readCurves() thins by means, and keeps every value of a short file", () =>
  inFolder(async (root) => {
    const short = await makeRun(root, "00001-short", { steps: 4 });
    const { columns, lines } = await readCurves(`${short}/metrics.jsonl`, 100);
    assertEquals([lines, columns.step, columns.dLoss], [4, [1, 2, 3, 4], [1, 0.5, 0.333333, 0.25]]);
    const long = await makeRun(root, "00002-long", { steps: 1000 });
    const thinned = await readCurves(`${long}/metrics.jsonl`, 50);
    assertEquals(thinned.lines, 1000);
    assertEquals(thinned.columns.step.length, 63); // buckets of 16
    assertEquals(thinned.columns.images[0], 4 * 8.5);
    assertEquals(thinned.columns.step.slice(-2), [992, 1000]);
    await Deno.writeTextFile(
      `${long}/metrics.jsonl`,
      '{"step":1,"a":null}\nbroken\n{"step":2,"a":3}\n',
    );
    assertEquals((await readCurves(`${long}/metrics.jsonl`, 50)).columns, {
      step: [1, 2],
      a: [null, 3],
    });
  }));
