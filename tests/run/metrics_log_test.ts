import { assertEquals } from "@std/assert";
import { MetricsLog, readMetrics, stepsPerLine } from "../../src/run/metrics_log.ts";

const progress = { imagesPerStep: 4, wallSeconds: 1, stepMs: 100 };

Deno.test("MetricsLog averages fixed stretches, however the steps come in", async () => {
  const file = await Deno.makeTempFile();
  try {
    const log = new MetricsLog(file, 2);
    await log.truncate(0);
    await log.add({ dLoss: Float32Array.of(1, 2, 3) }, 3, progress);
    await log.add({ dLoss: Float32Array.of(5) }, 4, { ...progress, wallSeconds: 1.5 });
    assertEquals(await readMetrics(file), [
      { step: 2, images: 8, wallS: 0.9, stepMs: 100, dLoss: 1.5 },
      { step: 4, images: 16, wallS: 1.5, stepMs: 100, dLoss: 4 },
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("MetricsLog averages what steps measured, and leaves out what none did", async () => {
  const file = await Deno.makeTempFile();
  try {
    const log = new MetricsLog(file, 3);
    await log.truncate(0);
    const scalars = {
      dLoss: Float32Array.of(1, 2, 3, 4, 5, 6),
      penalty: Float32Array.of(NaN, 4, 5, NaN, NaN, NaN),
    };
    await log.add(scalars, 6, progress);
    assertEquals((await readMetrics(file)).map(({ dLoss, penalty }) => [dLoss, penalty]), [
      [2, 4.5],
      [5, undefined],
    ]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("MetricsLog.truncate() drops the lines that a resumed run writes again", async () => {
  const file = await Deno.makeTempFile();
  try {
    const lines = [1, 2, 3].map((step) => JSON.stringify({ step, images: 0, wallS: 0, stepMs: 0 }));
    await Deno.writeTextFile(file, lines.join("\n") + '\n{"step": 4, "ima');
    assertEquals((await readMetrics(file)).length, 3);
    await new MetricsLog(file, 1).truncate(2);
    assertEquals((await readMetrics(file)).map((line) => line.step), [1, 2]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("stepsPerLine() keeps the file short", () => {
  assertEquals([1, 2000, 2001, 400_000].map(stepsPerLine), [1, 1, 2, 200]);
});
