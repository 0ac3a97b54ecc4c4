import { assertEquals, assertThrows } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { UserError } from "../../src/errors.ts";
import { planRemark, planRun } from "../../src/training/schedule.ts";

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
    "Cannot train: a step takes 10 samples, and the data has 9; use --batch 9 or less, or more data",
  );
  const { batchSize: _, ...loop } = base;
  for (
    const [config, sampleCount, fix] of [
      [base, 29, "use --batch 9 or less, or more data"], // 3 updates of D take a batch each
      [base, 2, "use more data"],
      [loop, 29, "use --batch 29 or less, or more data"],
    ] as const
  ) {
    assertThrows(
      () => planRun(config, { sampleCount, samplesPerStep: 30 }),
      UserError,
      `Cannot train: a step takes 30 samples, and the data has ${sampleCount}; ${fix}`,
    );
  }
});

Deno.test("planRemark() speaks of few steps that follow from few data, and not of those that were asked for", () => {
  const few = { totalSteps: 25, stepsPerEpoch: 1 };
  assertEquals(
    planRemark({ duration: { epochs: 25 } }, few),
    "25 steps in all (epochs: 25, with 1 each) are few to train a GAN; --steps 2000 trains longer, and a " +
      "smaller --batch makes more steps of an epoch",
  );
  assertEquals(planRemark({ duration: { steps: 25 } }, few), undefined);
  const many = { totalSteps: 500, stepsPerEpoch: 20 };
  assertEquals(planRemark({ duration: { epochs: 25 } }, many), undefined);
});
