import { assertEquals, assertThrows } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { UserError } from "../../src/errors.ts";
import { planRun } from "../../src/training/schedule.ts";

const base = { ...presetConfig("ring-2d"), batchSize: 10 };

Deno.test("planRun() counts whole batches only", () => {
  const plan = planRun({ ...base, duration: { epochs: 3 } }, {
    sampleCount: 105,
    samplesPerStep: 10,
  });
  assertEquals([plan.stepsPerEpoch, plan.totalSteps], [10, 30]);
});

Deno.test("planRun() stops at each snapshot, each checkpoint and the end", () => {
  const config = {
    ...base,
    duration: { steps: 25 },
    snapshots: { rows: 2, columns: 2, everyEpochs: 1, everySteps: 4 },
    checkpoints: { everySteps: 7, keep: 1 },
  };
  const plan = planRun(config, { sampleCount: 100, samplesPerStep: 10 });
  const stops = [];
  for (let step = 0; step < plan.totalSteps; stops.push(step)) step = plan.nextStop(step);
  assertEquals(stops, [4, 7, 8, 10, 12, 14, 16, 20, 21, 24, 25]);
  assertEquals(stops.filter(plan.isSnapshot), [4, 8, 10, 12, 16, 20, 24, 25]);
  assertEquals(stops.filter(plan.isCheckpoint), [7, 14, 21]);
});

Deno.test("planRun() refuses data smaller than a batch", () => {
  assertThrows(
    () => planRun(base, { sampleCount: 9, samplesPerStep: 10 }),
    UserError,
    "Cannot train: a step takes 10 samples, and the data has 9",
  );
});
