import { assertEquals } from "@std/assert";
import { createMemoryStore } from "../../src/training/memory_store.ts";
import { Metrics, stepsPerLine } from "../../src/training/metrics.ts";

const progress = { imagesPerStep: 4, wallSeconds: 1, stepMs: 100 };

Deno.test("Metrics averages a fixed number of steps, however the steps come in", async () => {
  const log = createMemoryStore().metrics;
  const metrics = new Metrics(log, 2);
  await metrics.truncate(0);
  await metrics.add({ dLoss: Float32Array.of(1, 2, 3) }, 3, progress);
  await metrics.add({ dLoss: Float32Array.of(5) }, 4, { ...progress, wallSeconds: 1.5 });
  assertEquals(await log.read(), [
    { step: 2, images: 8, wallS: 0.9, stepMs: 100, dLoss: 1.5 },
    { step: 4, images: 16, wallS: 1.5, stepMs: 100, dLoss: 4 },
  ]);
});

Deno.test("Metrics averages what steps measured, and leaves out what none did", async () => {
  const log = createMemoryStore().metrics;
  const metrics = new Metrics(log, 3);
  const scalars = {
    dLoss: Float32Array.of(1, 2, 3, 4, 5, 6),
    penalty: Float32Array.of(NaN, 4, 5, NaN, NaN, NaN),
  };
  await metrics.add(scalars, 6, progress);
  assertEquals((await log.read()).map(({ dLoss, penalty }) => [dLoss, penalty]), [
    [2, 4.5],
    [5, undefined],
  ]);
});

Deno.test("Metrics.truncate() drops the lines that a resumed run writes again", async () => {
  const log = createMemoryStore().metrics;
  await log.append([1, 2, 3].map((step) => ({ step, images: 0, wallS: 0, stepMs: 0 })));
  const metrics = new Metrics(log, 2);
  await metrics.add({ dLoss: Float32Array.of(9) }, 3, progress); // half of a line
  await metrics.truncate(2);
  assertEquals((await log.read()).map((line) => line.step), [1, 2]);
  await metrics.add({ dLoss: Float32Array.of(1, 2) }, 4, progress);
  assertEquals((await log.read()).at(-1)?.dLoss, 1.5);
});

Deno.test("stepsPerLine() keeps the log short", () => {
  assertEquals([1, 2000, 2001, 400_000].map(stepsPerLine), [1, 1, 2, 200]);
});
