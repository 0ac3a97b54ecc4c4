import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { checkConfig } from "../../src/config/check_config.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { rampValue } from "../../src/training/schedules.ts";
import { TINY } from "../tiny_config.ts";

Deno.test("rampValue() goes along a cosine or a line, and stays where it ends", () => {
  const at = (shape?: "linear" | "cosine") =>
    [0, 25, 50, 100, 500].map((images) =>
      Number(rampValue({ to: 0.5, images: 100, shape }, 0.1, images).toFixed(6))
    );
  assertEquals(at("linear"), [0.1, 0.2, 0.3, 0.5, 0.5]);
  assertEquals(at(), [0.1, 0.158579, 0.3, 0.5, 0.5]);
  assertEquals(rampValue({ from: 0.9, to: 0.99, images: 10 }, 0.1, 0), 0.9);
});

const scheduled: RunConfig = {
  ...TINY,
  batchSize: 4,
  update: { ...TINY.update, discriminatorSteps: 2 },
  objective: { name: "relativistic", r1: { gamma: 2 } },
  ema: { halfLifeImages: 1000 },
  generatorOptimizer: { type: "adam", learningRate: 0.01, beta2: 0.8 },
  discriminatorOptimizer: { type: "adam", learningRate: 0.01, beta2: 0.8 },
  schedules: {
    gamma: { to: 1, images: 16, shape: "linear" },
    beta2: { from: 0.9, to: 0.99, images: 16, shape: "linear" },
    emaHalfLifeImages: { from: 0, to: 64, images: 16, shape: "linear" },
  },
};

Deno.test("a step counts the real images of all its discriminator updates for its schedules", () => {
  const step = buildTrainingStep(scheduled, { shape: [8, 8, 1] });
  assertEquals(step.scheduled(0), { gamma: 2, beta2: 0.9, emaHalfLifeImages: 0 });
  assertEquals(step.scheduled(1).gamma, 1.5);
  const { gamma, emaDecay, generatorHyper } = step.hostInputs(1);
  assertEquals(gamma[0], 1.5);
  assertAlmostEquals(emaDecay[0], 0.5 ** (4 / 32), 1e-7);
  assertAlmostEquals(generatorHyper[4], 0.945, 1e-7); // Adam's beta2
  assertEquals(step.hostInputs(2).gamma[0], 1);
  assertEquals(step.hostInputs(9).gamma[0], 1);
});

Deno.test("schedules of what a run does not have are refused by name", () => {
  const refused = (change: Partial<RunConfig>, message: string) =>
    assertThrows(
      () => buildTrainingStep({ ...scheduled, ...change }, { shape: [8, 8, 1] }),
      UserError,
      message,
    );
  refused({ objective: { name: "relativistic" } }, "Cannot schedule gamma: objective has neither");
  refused({ ema: undefined }, "Cannot schedule emaHalfLifeImages: ema is off");
  const sgd = { type: "sgd", learningRate: 0.1 } as const;
  refused(
    { generatorOptimizer: sgd, discriminatorOptimizer: sgd },
    "Cannot schedule beta2: neither optimizer is adam",
  );
  const augmentProbability = { to: 0.5, images: 10 };
  refused({ schedules: { augmentProbability } }, "augment is off, or adaptive");
});

Deno.test("a config's schedules are checked for their ranges", () => {
  const check = (schedules: unknown) =>
    assertThrows(() => checkConfig({ ...scheduled, schedules }, "it"), UserError).message;
  assertEquals(
    check({ beta2: { to: 1, images: 10 } }),
    "Cannot use it: schedules.beta2.to: must be below 1",
  );
  assertEquals(
    check({ augmentProbability: { from: 2, to: 1, images: 10 } }),
    "Cannot use it: schedules.augmentProbability.from: must be at most 1",
  );
});
