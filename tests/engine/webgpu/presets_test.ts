/** Replay against eager execution for the steps of every preset, dropout and batch norm included. */
import { assertEquals } from "@std/assert";
import { presets } from "../../../src/config/presets/mod.ts";
import type { RunConfig } from "../../../src/config/run_config.ts";
import { GPU_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { caseBatches, caseStep, PRESET_CASES } from "../../training/preset_cases.ts";
import { TINY } from "../../tiny_config.ts";
import { test, withTuning, withWebGpu } from "./helpers.ts";
import { assertReplayEqualsEager } from "./replay.ts";
import { WGAN_GP } from "./wgan_gp_config.ts";

/**
 * Enough for buffers that swap, and for what an optimizer carries from step to step. That 50 steps are no
 * different, in one pass and in several, engine_test.ts shows.
 */
const STEPS = 6;

for (const [name, config] of Object.entries(PRESET_CASES)) {
  test(`${STEPS} replayed steps of ${name} give the weights of eager ones bit for bit`, () =>
    withWebGpu(() => {
      const step = caseStep(config);
      return assertReplayEqualsEager(step, caseBatches(step, { steps: STEPS, seed: 1 }));
    }));
}

Deno.test("the presets that are replayed are all there are", () => {
  const replayed = new Set(Object.values(PRESET_CASES).map(({ preset }) => preset));
  assertEquals([...replayed].sort(), Object.keys(presets).sort());
});

/**
 * Batch norm, labels, second derivatives, dropout, an EMA. These tiles take a software adapter long: a second
 * for each size that a network has. Those of the other presets, call by call: preset_kernels_test.ts.
 */
const FOR_GPUS: Record<string, RunConfig> = {
  "conditional dcgan": PRESET_CASES["conditional dcgan"],
  "a small WGAN-GP": WGAN_GP,
  "a dense network": TINY,
};

for (const [name, config] of Object.entries(FOR_GPUS)) {
  test(`3 replayed steps of ${name} by tiles for GPUs give the weights of eager ones`, () =>
    withTuning(GPU_TUNING, () => {
      const step = caseStep(config);
      return assertReplayEqualsEager(step, caseBatches(step, { steps: 3, seed: 1 }));
    }));
}
