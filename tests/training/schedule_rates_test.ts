import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { hyperparameters, lazyOptimizer } from "../../src/training/optimizers.ts";
import { learningRateScale, noiseSigma } from "../../src/training/schedule.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

Deno.test("learningRateScale() is constant, decays linearly or along a cosine, and warms up", () => {
  const at = (spec: Parameters<typeof learningRateScale>[0]) =>
    [0, 1, 5, 10, 20].map((step) =>
      Number(learningRateScale(spec, { step, totalSteps: 10 }).toFixed(6))
    );
  assertEquals(at(undefined), [1, 1, 1, 1, 1]);
  assertEquals(at({ shape: "constant", warmUpSteps: 4 }), [0.25, 0.5, 1, 1, 1]);
  assertEquals(at({ shape: "linear" }), [1, 0.9, 0.5, 0, 0]);
  assertEquals(at({ shape: "linear", finalScale: 0.2, steps: 20 }), [1, 0.96, 0.8, 0.6, 0.2]);
  assertEquals(at({ shape: "cosine", finalScale: 0.1 }), [1, 0.977975, 0.55, 0.1, 0.1]);
  assertEquals(at({ shape: "linear", warmUpSteps: 2 }), [0.5, 0.9, 0.5, 0, 0]);
});

Deno.test("noiseSigma() stays, or falls on a line to nothing", () => {
  assertEquals([0, 99].map((step) => noiseSigma({ sigma: 0.5 }, step)), [0.5, 0.5]);
  const falling = { sigma: 0.5, decaySteps: 4 };
  assertEquals([0, 1, 4, 9].map((step) => noiseSigma(falling, step)), [0.5, 0.375, 0, 0]);
});

Deno.test("hostInputs() scales both learning rates by schedule and factor", () => {
  const config = {
    ...presetConfig("mixture-1d"),
    learningRateSchedule: { shape: "linear" as const },
  };
  const { hostInputs } = buildTrainingStep(config, { shape: [1] });
  const { generatorHyper, discriminatorHyper } = hostInputs(5, {
    totalSteps: 10,
    learningRateFactor: 0.5,
  });
  assertAlmostEquals(generatorHyper[0], 0.01 * 0.25, 1e-9);
  assertAlmostEquals(discriminatorHyper[0], 0.01 * 0.25, 1e-9);
  assertThrows(() => hostInputs(5), TypeError, "needs the run's totalSteps");
});

Deno.test("lazyOptimizer() adjusts rates and memories to penalties in every k-th update", () => {
  const adam = { type: "adam", learningRate: 0.01, beta1: 0, beta2: 0.99 } as const;
  assertEquals(lazyOptimizer(adam, undefined), adam);
  const lazy = lazyOptimizer(adam, 16);
  const c = 16 / 17;
  assertEquals(lazy, { ...adam, learningRate: 0.01 * c, beta1: 0, beta2: 0.99 ** c });
  const sgd = lazyOptimizer({ type: "sgd", learningRate: 1 }, 3);
  assertAlmostEquals(hyperparameters(sgd, 1, 1)[0], 0.75);
  const rms = lazyOptimizer({ type: "rmsprop", learningRate: 1 }, 1);
  assertEquals(rms, { type: "rmsprop", learningRate: 0.5, alpha: Math.sqrt(0.99) });
});
